"""What an entry of the zoo is: a named model as a recipe of formula, family, priors and mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import FormulaError, OptionError, shown
from ..formula import Table
from ..formula.quoting import NAME, spell_item
from ..formula.tables import require_columns


@dataclass(frozen=True)
class Recipe:
    """A formula with a family, priors and a mask.

    Attributes:
        formula: the formula, as a user would write it.
        family: the family's name.
        priors: priors that differ from the defaults.
        mask: which neuron uses which term, as `bz.Model` takes it.
    """

    formula: str
    family: str
    priors: dict[str, Any] = field(default_factory=dict)
    mask: Any = None


@dataclass(frozen=True)
class Entry:
    """One entry of the zoo, as a constant.

    Attributes:
        name: its name.
        recipe: (table, columns by role) -> Recipe.
        story: when to use it.
        equation: the model in mathematics.
        pattern: the formula that it writes.
        source: a citation.
    """

    name: str
    recipe: Callable[..., Recipe]
    story: str
    equation: str
    pattern: str
    source: str


def quote(name: str, table: Table) -> str:
    """Returns a column's name as a formula writes it, in backticks where it is no plain name.

    Raises:
        OptionError: it is not a text.
        FormulaError: there is no such column, or a backtick is part of its name.
    """
    if not isinstance(name, str):
        raise OptionError(f"a column's name is a text, not {shown(name)}.")
    require_columns([name], table, name)
    if "`" in name:
        raise FormulaError(
            f"the name of column {shown(name)} holds a backtick, so rename the column."
        )
    return spell_item(NAME, name)


def listed(names: str | Sequence[str]) -> list[str]:
    """Returns one or several names of columns as a list.

    Raises:
        OptionError: they are no list, or an empty one.
    """
    if isinstance(names, str):
        return [names]
    if not isinstance(names, list | tuple) or not names:
        raise OptionError(f"a column's name, or a list of some, is wanted, not {shown(names)}.")
    return list(names)


def factor(name: str, table: Table) -> str:
    """Returns a column as a factor: its name, or `C(name)` where it holds numbers."""
    quoted = quote(name, table)
    return quoted if table.is_categorical(name) else f"C({quoted})"


def nested(names: str | Sequence[str], table: Table) -> str:
    """Returns one or several grouping columns, each within the one before: `mouse/neuron`."""
    return "/".join(quote(name, table) for name in listed(names))


def crossed(names: str | Sequence[str], table: Table) -> str:
    """Returns one or several factors as their combination: `stim:context`."""
    return ":".join(factor(name, table) for name in listed(names))
