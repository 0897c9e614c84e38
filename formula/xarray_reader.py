"""xarray Dataset and DataArray -> the view of a table, or one column of it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from ..errors import DataError, DataTypeError
from .clocks import NAME, Clock, agreed, clock, with_time
from .entries import Entry, as_column, as_labels
from .frame_reader import read_pandas
from .streams import OnDisk
from .view import Table


def read_xarray(data: Any) -> Table:
    """Reads a Dataset: one row per time where it has a dimension `time`, else one per cell.

    Raises:
        DataTypeError: a variable with more than one dimension besides `time`.
    """
    if NAME in data.sizes:
        return _by_time(data)
    if not data.sizes:
        raise DataError("the Dataset has no dimension, so there are no rows.")
    flat = {name: data[name] for name in (*data.data_vars, *data.coords) if data[name].ndim == 1}
    dims = {array.dims for array in flat.values()}
    if len(dims) == 1 and all(data[name].ndim <= 1 for name in data.data_vars):
        columns = {str(name): _series(array) for name, array in flat.items()}
        return read_pandas(pd.DataFrame(columns))
    return read_pandas(data.to_dataframe().reset_index())


def read_array(name: str, array: Any) -> Entry:
    """Reads a DataArray of one or two dimensions; its rows are `time`, or what has a `time`.

    Raises:
        DataTypeError: more than two dimensions, or two of other than numbers.
    """
    if array.ndim > 2:
        dims = ", ".join(map(str, array.dims))
        raise DataTypeError(
            f"`{name}` has the dimensions ({dims}), but columns have at most one besides `{NAME}`. "
            f"Select (`.sel`), average (`.mean`), or join two of them: "
            f"`.stack(neuron=({', '.join(repr(str(d)) for d in array.dims if d != NAME)}))`."
        )
    timed = NAME in array.coords  # asked for without it, xarray would number the rows
    times = array.coords[NAME] if timed else None
    rows: Hashable | None = None
    if NAME in array.dims:
        rows = NAME
    elif times is not None and times.ndim == 1:
        rows = times.dims[0]
    elif array.ndim:
        rows = array.dims[0]
    found: Clock | None = None
    if times is not None and times.dims == (rows,):
        found = clock(name, _series(times))
    if array.ndim < 2:
        return Entry(_series(array) if array.ndim else as_column(name, array), clock=found)
    (second,) = (dim for dim in array.dims if dim != rows)
    labels = array.coords[second].values if second in array.coords else range(array.sizes[second])
    column = _wide(name, array.transpose(rows, second), rows)
    return Entry(column, (str(second), as_labels(name, labels)), found)


def _by_time(data: Any) -> Table:
    """Reads what runs along `time`: variables, and coordinates of one dimension."""
    names = [name for name in data.data_vars if NAME in data[name].dims]
    names += [name for name in data.coords if data[name].dims == (NAME,)]
    entries = {str(name): read_array(str(name), data[name]) for name in names}
    found = next((entry.clock for entry in entries.values() if entry.clock), None)
    axis = agreed([found] if found else [])
    columns = {name: entry.column for name, entry in entries.items() if name != NAME or not found}
    dims = {name: entry.second for name, entry in entries.items() if entry.second}
    return Table(with_time(columns, axis), data.sizes[NAME], axis, dims)


def _wide(name: str, array: Any, rows: Hashable) -> Any:
    """Returns an array of two dimensions; one that is not loaded as a stream, whose data stay there."""
    if array.variable._in_memory or array.dtype.kind not in "biuf":
        return as_column(name, array.values)
    chunk = array.encoding.get("preferred_chunks", {}).get(rows, 1)
    piece = max(array.chunksizes[rows]) if array.chunks else chunk

    def read(start: int, stop: int) -> Any:
        return array.isel({rows: slice(start, stop)}).to_numpy()

    return OnDisk(read, array.shape, array.dtype, piece)


def _series(array: Any) -> pd.Series:
    return array.to_series().reset_index(drop=True)
