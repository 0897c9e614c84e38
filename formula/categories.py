"""Columns of levels: integer codes into sorted levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Level = str | int | float


@dataclass(frozen=True, eq=False)
class Categories:
    """A categorical column: integer codes into its levels, -1 where missing.

    Attributes:
        codes: shape (obs,).
        levels: the levels, sorted, or in the order of the user's categories.
        contrast: name of the contrast coding, or None for the default.
        arguments: options of the contrast coding.
    """

    codes: np.ndarray
    levels: tuple[Level, ...]
    contrast: str | None = None
    arguments: tuple[Any, ...] = ()


def categorize(values: Any) -> Categories:
    """Codes any one-dimensional values by their sorted levels (categories keep their order)."""
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy().astype(np.int64)
        used = np.unique(codes[codes >= 0])
        lookup = np.full(len(column.cat.categories) + 1, -1)
        lookup[used] = np.arange(len(used))
        return Categories(lookup[codes], tuple(as_level(column.cat.categories[i]) for i in used))
    if is_numeric(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        levels, inverse = np.unique(numbers, return_inverse=True)
        known = ~np.isnan(levels)
        codes = np.where(np.isnan(numbers), -1, inverse).astype(np.int64)
        return Categories(codes, tuple(as_level(value) for value in levels[known]))
    values = column.to_numpy(dtype=object)
    missing = pd.isna(values)
    if not missing.all() and all(_is_number(value) for value in values[~missing]):
        return categorize(pd.Series(np.where(missing, np.nan, values).astype(np.float64)))
    texts = values
    if pd.api.types.infer_dtype(values, skipna=True) != "string":  # not all of them are texts
        texts = np.array([str(as_level(v)) for v in values], dtype=object)
        texts[missing] = None
    codes, uniques = pd.factorize(texts, sort=True)
    return Categories(codes.astype(np.int64), tuple(str(u) for u in uniques))


def as_level(value: Any) -> Level:
    """Returns any value as a level: whole numbers as int, numbers as float, all else as text."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds real numbers or truth values by its type."""
    return pd.api.types.is_numeric_dtype(column) and column.dtype.kind != "c"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
