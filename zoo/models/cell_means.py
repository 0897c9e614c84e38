"""Cell means: every combination of treatment and condition has its own mean, shrunk together."""

from __future__ import annotations

from collections.abc import Sequence

from ...formula import Table
from ..entry import Entry, Recipe, quote


def recipe(
    table: Table,
    y: str,
    treatment: str,
    condition: str,
    group: str | Sequence[str] | None = None,
    family: str = "normal",
) -> Recipe:
    """Returns the formula.

    Args:
        table: the data.
        y: the response's column.
        treatment: a factor.
        condition: another factor.
        group: a grouping column with its own baselines, or several.
        family: the family of the response.
    """
    cells = f"{quote(treatment, table)}:{quote(condition, table)}"
    formula = f"{quote(y, table)} ~ 1 + (1 | {cells})"
    for name in [] if group is None else [group] if isinstance(group, str) else group:
        formula += f" + (1 | {quote(name, table)})"
    return Recipe(formula, family)


CELL_MEANS = Entry(
    name="cell_means",
    recipe=recipe,
    story=(
        "Means of all cells of a design instead of slopes; sparse cells borrow strength, and any "
        "contrast can be taken afterwards."
    ),
    equation="mu = a + m[treatment, condition] + u[group], m ~ Normal(0, sd)",
    pattern="y ~ 1 + (1 | treatment:condition) + (1 | group)",
    source="Gelman (2005), Ann. Stat. 33:1",
)
