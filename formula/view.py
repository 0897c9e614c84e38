"""One read-only view of the user's table, whatever it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataTypeError, listing
from .categories import Categories, Level, categorize, is_numeric
from .streams import Stream, as_stream, is_wide
from .time_axis import TimeAxis


@dataclass(frozen=True, eq=False)
class Table:
    """A read-only view of a table: columns are converted when they are first asked for.

    Attributes:
        columns: name -> a pandas Series, or a two-dimensional array or stream, never written to.
        rows: number of rows.
        time: when the rows were taken, or None where the data do not say.
        dims: name of a two-dimensional column -> name and labels of its second dimension, where the
            data have them.
    """

    columns: Mapping[str, Any]
    rows: int
    time: TimeAxis | None = None
    dims: Mapping[str, tuple[str, tuple[Level, ...]]] = field(default_factory=dict)

    def numeric(self, name: str) -> np.ndarray:
        """Returns a column as float64, NaN where missing; shape (obs,) or (obs, k)."""
        column = self.columns[name]
        if is_wide(column):
            return np.array(column, dtype=np.float64)
        if is_numeric(column):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        if _is_temporal(column):
            raise DataTypeError(
                f"column `{name}` holds dates or durations. Turn it into a number first, for "
                f"example days since the start: (t - t.min()) / pandas.Timedelta('1D')."
            )
        values = column.to_numpy(dtype=object)
        known = ~pd.isna(values)
        out = np.full(len(values), np.nan)
        try:
            out[known] = [_number(value) for value in values[known]]
        except (TypeError, ValueError):
            found = sorted({type(value).__name__ for value in values[known]})
            raise DataTypeError(
                f"column `{name}` is not numeric; it holds {listing(found)}."
            ) from None
        return out

    def stream(self, name: str) -> Stream | None:
        """Returns a column of two dimensions, unread, or None where it has one."""
        column = self.columns[name]
        return as_stream(column) if is_wide(column) else None

    def is_categorical(self, name: str) -> bool:
        """Whether a bare mention of the column in a formula means a factor."""
        column = self.columns[name]
        if is_wide(column) or is_numeric(column):
            return False
        if isinstance(column.dtype, pd.CategoricalDtype):
            return True
        if _is_temporal(column):
            return False
        values = column.to_numpy(dtype=object)
        return any(isinstance(value, str) for value in values[~pd.isna(values)])

    def categorical(self, name: str) -> Categories:
        """Returns a column of any kind as codes and levels."""
        column = self.columns[name]
        if is_wide(column):
            raise DataTypeError(f"column `{name}` has two dimensions and cannot be a factor.")
        return categorize(column)

    def second_dimension(self, name: str) -> tuple[str, tuple[Level, ...]]:
        """Returns the name and the labels of a two-dimensional column's second dimension.

        Where the data have none, they are ("neuron", (0, 1, ..., k - 1)).
        """
        if name in self.dims:
            return self.dims[name]
        return "neuron", tuple(range(self.columns[name].shape[1]))


def _is_temporal(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind in "mM"


def _number(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise TypeError("a text is not a number")
    return float(value)
