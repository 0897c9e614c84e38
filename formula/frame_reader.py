"""pandas and polars DataFrames -> the view of a table, or a two-dimensional column of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, DataTypeError, listing
from .categories import is_numeric
from .clocks import NAME, Clock, agreed, clock, with_time
from .entries import Entry, as_labels, check_names
from .view import Table


def read_pandas(data: pd.DataFrame) -> Table:
    """Reads a DataFrame; a column or an index `time`, or an index of dates, is its time axis.

    Raises:
        DataError: columns of several levels, or two of one name.
    """
    if isinstance(data.columns, pd.MultiIndex):
        raise DataError("the columns are a MultiIndex; flatten them to one name each.")
    names = [str(name) for name in data.columns]
    check_names(names)
    columns = {name: data.iloc[:, i] for i, name in enumerate(names)}
    found = clock(NAME, columns.get(NAME)) or _index_clock(data.index)
    axis = agreed([found] if found else [])
    return Table(with_time(columns, axis), len(data), axis)


def read_polars(data: Any) -> Table:
    """Reads a polars DataFrame; a column `time` is its time axis."""
    columns = {}
    for series in data.get_columns():
        categories = getattr(series.dtype, "categories", None)
        if series.dtype.is_numeric():
            wide = "128" in str(series.dtype)  # whole numbers that NumPy has no type for
            numbers = series.to_list() if wide else series.to_numpy()
            columns[series.name] = pd.Series(numbers, dtype=object if wide else None)
        elif categories is not None and str(series.dtype).startswith("Enum"):
            columns[series.name] = pd.Series(
                pd.Categorical(series.to_list(), categories=list(categories))
            )
        elif series.dtype.is_temporal():
            columns[series.name] = pd.Series(series.to_numpy())
        else:
            columns[series.name] = pd.Series(series.to_list(), dtype=object).infer_objects()
    found = clock(NAME, columns.get(NAME))
    return Table(columns, data.height, agreed([found] if found else []))


def wide_pandas(name: str, values: pd.DataFrame) -> Entry:
    """Reads a DataFrame as a two-dimensional column, labelled by its columns.

    Raises:
        DataError: columns of several levels, or two of one name.
        DataTypeError: columns that are not numeric.
    """
    if isinstance(values.columns, pd.MultiIndex):
        raise DataError(f"the columns of `{name}` are a MultiIndex; flatten them to one name each.")
    texts = [column for column, part in values.items() if not is_numeric(part)]
    if texts:
        raise DataTypeError(
            f"`{name}` is a table whose columns are the second dimension, so they must be numeric; "
            f"{listing(f'`{t}`' for t in texts)} {'is' if len(texts) == 1 else 'are'} not."
        )
    array = values.to_numpy()
    if array.dtype.kind not in "biuf":  # missing values of nullable types
        array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    title = values.columns.name
    second = "neuron" if title is None else str(title)
    return Entry(array, (second, as_labels(name, values.columns)))


def wide_polars(name: str, values: Any) -> Entry:
    """Reads a polars DataFrame as a two-dimensional column, labelled by its columns."""
    return wide_pandas(name, pd.DataFrame(read_polars(values).columns))


def _index_clock(index: pd.Index) -> Clock | None:
    dated = isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex)
    return clock(NAME, pd.Series(index)) if dated or index.name == NAME else None
