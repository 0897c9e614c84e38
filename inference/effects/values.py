"""Which values a column takes in a reference grid: levels, round numbers, or those asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import LevelError, OptionError, listing, nearest, shown
from .columns import Column, Columns

FEW = 10
"""Numbers with at most so many distinct values take all of them."""


def names(value: Any, option: str) -> list[str]:
    """Returns one name or several as a list.

    Raises:
        OptionError: it is neither, or a name stands twice.
    """
    found = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(name, str) for name in found):
        raise OptionError(
            f"{option} takes the name of a column, or a list of names, not {shown(value)}."
        )
    if len(set(found)) < len(found):
        raise OptionError(f"{option} names a column twice: {listing(found)}.")
    return list(found)


def settings(at: Any, columns: Columns) -> dict[str, list[Any]]:
    """Returns `at=` as a list of checked values for each column.

    Raises:
        OptionError: it is no mapping, names no predictor, or gives something that is no number.
        LevelError: a factor has no such level.
    """
    if at is None:
        return {}
    if not isinstance(at, Mapping):
        raise OptionError(
            f'at= takes a dictionary from columns to values, such as {{"x": [0, 1]}}, not {shown(at)}.'
        )
    out = {}
    for name, value in at.items():
        many = isinstance(value, list | tuple | np.ndarray | range)
        given = list(value) if many else [value]
        if not given:
            raise OptionError(f"at= gives no value for `{name}`.")
        out[name] = check(name, given, columns)
    return out


def check(name: str, given: list[Any], columns: Columns) -> list[Any]:
    """Returns values of a column: levels as in training, or finite numbers."""
    if name == columns.dim and columns.schema.neurons is not None:
        return [match(value, columns.schema.neurons.labels, name) for value in given]
    column = columns.find(name, "at=")
    if column.factor:
        return [match(value, columns.levels(name), name) for value in given]
    for value in given:
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not np.isfinite(value):
            raise OptionError(f"at=: `{name}` is a column of numbers, not of {shown(value)}.")
    return as_stored(name, [float(value) for value in given], columns)


def as_stored(name: str, values: list[float], columns: Columns) -> list[Any]:
    """Returns numbers as whole ones where the user's column holds only such."""
    column = columns.table.columns[name]
    counts = column.dtype.kind in "iu" and all(value.is_integer() for value in values)
    return [int(value) for value in values] if counts else list(values)


def match(value: Any, levels: tuple[Any, ...], name: str) -> Any:
    """Returns the level that a value stands for.

    Raises:
        LevelError: there is none.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    for level in levels:
        if type(level) is type(plain) and level == plain:
            return level
    for level in levels:
        if str(level) == str(plain) or (not isinstance(plain, bool | str) and level == plain):
            return level
    raise LevelError(
        f"`{name}` has no level {shown(value)}.{nearest(str(value), map(str, levels))} "
        f"Levels in training: {listing(levels)}."
    )


def spread(column: Column, columns: Columns) -> list[Any]:
    """Returns the values of a column whose answers are asked for one by one."""
    if column.factor:
        return list(columns.levels(column.name))
    values = columns.numbers(column.name)
    distinct = np.unique(values)
    if len(distinct) <= FEW:
        return as_stored(column.name, distinct.tolist(), columns)
    ticks = rounded(float(distinct[0]), float(distinct[-1]))
    return as_stored(column.name, ticks, columns)


def rounded(low: float, high: float, count: int = 5) -> list[float]:
    """Returns about `count` round numbers within an interval.

    Example:
        >>> rounded(0.3, 9.6)
        [2.0, 4.0, 6.0, 8.0]
    """
    unit = 10.0 ** np.floor(np.log10((high - low) / count))
    best = np.array([low, high])
    for step in unit * np.array([1.0, 2.0, 2.5, 5.0, 10.0]):
        ticks = step * np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
        ticks = np.clip(ticks, low, high)
        if abs(len(ticks) - count) < abs(len(best) - count):
            best = ticks
    return best.tolist()
