"""Hierarchical gamma model: an effect of treatment, groups with their own baselines."""

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
    return Recipe(formula, "gamma")


HIERARCHICAL_GAMMA = Entry(
    name="hierarchical_gamma",
    recipe=recipe,
    story=(
        "Positive responses such as LFP power from several animals: does treatment multiply the "
        "mean, given that animals differ?"
    ),
    equation="y ~ Gamma(alpha, alpha / mu), log mu = a + b treatment + u[group]",
    pattern="y ~ treatment + (1 | group)",
    source="Gelman and Hill (2007), chapter 12; McCullagh and Nelder (1989), chapter 8",
)
