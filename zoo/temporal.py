"""The temporal terms that the entries for spikes share, in the formula's own spelling."""

from __future__ import annotations

import ast
import numbers
from collections.abc import Callable, Sequence

from ..errors import FormulaError, OptionError, shown
from ..formula import Table
from ..formula.quoting import TEXT, parse_quietly, spell, spell_item
from .entry import Recipe, listed, quote

Columns = str | Sequence[str]


def filtered(
    table: Table, columns: Columns | None, basis: str, by: Columns | None, role: str
) -> list[str]:
    """Returns `conv(column, basis)` for each of some columns.

    Args:
        table: the data.
        columns: a column, several, or None.
        basis: a basis, as a formula writes it.
        by: a grouping column that no window crosses, or several.
        role: the option that gave the basis, for the message.

    Returns:
        The terms, spelled as the model prints them.

    Raises:
        OptionError: the basis is not one basis, or columns are given in another form.
        FormulaError: there is no such column.
    """
    written = _basis(basis, role)
    names = [] if columns is None else listed(columns)
    return [f"conv({quote(name, table)}, {written}{_apart(by, table)})" for name in names]


def lagged_recipe(family: str) -> Callable[..., Recipe]:
    """Returns the recipe with one coefficient for each lag of a stimulus: `y ~ lags(stimulus, 25)`."""

    def recipe(
        table: Table,
        y: str = "spikes",
        stimulus: Columns = "stim",
        lags: int | str = 25,
        by: Columns | None = None,
    ) -> Recipe:
        """Returns the formula.

        Args:
            table: the data, one row per bin or frame.
            y: the response's column.
            stimulus: the stimulus's column, or several.
            lags: number of bins, the present one included; or a time such as "200ms".
            by: a grouping column whose groups do not reach into each other, or several.

        Raises:
            OptionError: lags= is neither, or columns are given in another form.
            FormulaError: there is no such column.
        """
        if isinstance(lags, bool) or not isinstance(lags, numbers.Integral | str):
            raise OptionError(
                f'lags= is a number of bins, such as 25, or a time such as "200ms", not {shown(lags)}.'
            )
        count = spell_item(TEXT, lags) if isinstance(lags, str) else str(int(lags))
        rest = f"{count}{_apart(by, table)}"
        terms = [f"lags({quote(name, table)}, {rest})" for name in listed(stimulus)]
        return Recipe(f"{quote(y, table)} ~ {' + '.join(terms)}", family)

    return recipe


def has_neurons(table: Table, y: str) -> bool:
    """Whether a column has a second dimension, one column of it for each neuron.

    Raises:
        OptionError: the name is not a text.
        FormulaError: there is no such column.
    """
    quote(y, table)
    return table.stream(y) is not None


def _basis(basis: str, role: str) -> str:
    try:
        tree = parse_quietly(basis, basis) if isinstance(basis, str) else None
    except FormulaError:
        tree = None
    if not isinstance(tree, ast.Call | ast.Name):
        raise OptionError(
            f'{role}= is one basis as a formula writes it, such as "raised_cos_log(8, 200)", not '
            f'{shown(basis)}. For kernels of your own: functions={{"mine": array}} and {role}="mine".'
        )
    return spell(tree)


def _apart(by: Columns | None, table: Table) -> str:
    if by is None:
        return ""
    names = [quote(name, table) for name in listed(by)]
    return f", by={names[0]}" if len(names) == 1 else f", by=({', '.join(names)})"
