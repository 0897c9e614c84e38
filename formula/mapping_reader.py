"""A dict of arrays, tables and pynapple objects -> the view of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..errors import DataError, listing
from .clocks import NAME, agreed, clock, with_time
from .entries import Entry, as_column, check_names, is_a
from .frame_reader import wide_pandas, wide_polars
from .pynapple_reader import WIDTH, bins_around, bins_in_support, count, is_spikes, read_series
from .view import Table
from .xarray_reader import read_array


def read_mapping(data: Mapping[Any, Any]) -> Table:
    """Reads a dict of columns, whose times must agree.

    Times come from an entry `time`, from pynapple objects, and from a coordinate `time` of xarray
    DataArrays. Spikes (Ts, TsGroup) are counted in bins around these times, or, where there are none,
    in bins of the entry `bin_width` (seconds); bins outside the time support of the spikes hold 0.

    Raises:
        DataTypeError: an entry is no column.
        DataError: columns of different lengths, two time axes that differ, or a width of bins that is
            missing, out of place, or no positive number.
    """
    check_names(str(name) for name in data)
    given = {str(name): values for name, values in data.items()}
    width = None
    if any(is_a(values, "pynapple") for values in given.values()):
        width = given.pop(WIDTH, None)
    spikes = {name: values for name, values in given.items() if is_spikes(values)}
    entries = {name: _entry(name, v) for name, v in given.items() if name not in spikes}
    axis = agreed([entry.clock for entry in entries.values() if entry.clock])
    if width is not None and not spikes:
        raise DataError(
            f"`{WIDTH}` says in which bins to count spikes, but no entry holds spikes (Ts, TsGroup). "
            f"Leave it out; to average a Tsd in bins, give tsd.bin_average(width)."
        )
    if spikes:
        bins = bins_around(axis, width, spikes) if axis else bins_in_support(width, spikes)
        axis = bins.axis
        entries |= {name: count(name, values, bins) for name, values in spikes.items()}
    columns = {name: entries[name].column for name in given}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = listing(f"`{name}` {length:,}" for name, length in lengths.items())
        raise DataError(f"the columns have different lengths: {found}.")
    dims = {name: entry.second for name, entry in entries.items() if entry.second}
    return Table(with_time(columns, axis), next(iter(lengths.values()), 0), axis, dims)


def _entry(name: str, values: Any) -> Entry:
    if is_a(values, "pynapple"):
        return read_series(name, values)
    if is_a(values, "xarray", "DataArray"):
        return read_array(name, values)
    if isinstance(values, pd.DataFrame):
        return wide_pandas(name, values)
    if is_a(values, "polars", "DataFrame"):
        return wide_polars(name, values)
    column = as_column(name, values)
    found = clock(NAME, column) if name == NAME else None
    if found and found.start is not None:  # dates: the column counts seconds, as the axis does
        column = pd.Series(found.seconds())
    return Entry(column, clock=found)
