"""The formula that the hierarchical entries share: an effect of treatment, groups that differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..formula import Table
from .entry import Recipe, crossed, nested, quote


def hierarchical_formula(
    table: Table,
    y: str,
    treatment: str,
    group: str | Sequence[str],
    condition: str | Sequence[str] | None,
    group_slope: bool,
) -> str:
    """Returns the formula of a hierarchical model.

    Args:
        table: the data.
        y: the response's column.
        treatment: the column whose effect is wanted.
        group: the grouping column, or several, each within the one before.
        condition: one slope for each of its levels, each with its own baseline.
        group_slope: whether the effect of treatment varies over groups.
    """
    response, effect = quote(y, table), quote(treatment, table)
    groups = nested(group, table)
    varying = f"(1 + {effect} | {groups})" if group_slope else f"(1 | {groups})"
    if condition is None:
        return f"{response} ~ {effect} + {varying}"
    cells = crossed(condition, table)
    return f"{response} ~ 0 + {cells} + {effect}:{cells} + {varying}"


def hierarchical_recipe(family: str) -> Callable[..., Recipe]:
    """Returns the recipe of a hierarchical entry with this family."""

    def recipe(
        table: Table,
        y: str,
        treatment: str,
        group: str | Sequence[str],
        condition: str | Sequence[str] | None = None,
        group_slope: bool = False,
    ) -> Recipe:
        formula = hierarchical_formula(table, y, treatment, group, condition, group_slope)
        return Recipe(formula, family)

    return recipe
