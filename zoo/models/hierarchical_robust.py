"""Hierarchical student model: an effect of treatment, groups with their own baselines."""

from __future__ import annotations

from collections.abc import Sequence

from ...formula import Table
from ..entry import Entry, Recipe
from ..hierarchical import hierarchical_formula


def recipe(
    table: Table,
    y: str,
    treatment: str,
    group: str | Sequence[str],
    condition: str | Sequence[str] | None = None,
    group_slope: bool = False,
) -> Recipe:
    """Returns the formula and family; see `hierarchical.hierarchical_formula`."""
    formula = hierarchical_formula(table, y, treatment, group, condition, group_slope)
    return Recipe(formula, "student")


HIERARCHICAL_ROBUST = Entry(
    name="hierarchical_robust",
    recipe=recipe,
    story=("Real responses with outliers from several animals; odd rows hardly move the answer."),
    equation="y ~ StudentT(nu, mu, sigma), mu = a + b treatment + u[group]",
    pattern="y ~ treatment + (1 | group)",
    source="Lange, Little and Taylor (1989), JASA 84:881",
)
