"""pandas, polars, dict of arrays, xarray, pynapple -> one read-only view of the user's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from ..errors import DataError, DataTypeError, FormulaError, listing, nearest, pointer, sentences
from .categories import Categories, Level, categorize
from .entries import is_a
from .frame_reader import read_pandas, read_polars
from .mapping_reader import read_mapping
from .view import Table
from .xarray_reader import read_xarray

__all__ = ["Categories", "Level", "Table", "categorize", "read", "require_columns"]


def read(data: Any) -> Table:
    """Reads a user's data into the internal view, without changing or copying it.

    Args:
        data: a pandas or polars DataFrame, a dict of arrays or pynapple objects, or an xarray Dataset.
            Columns of two dimensions may be larger than memory: memory-mapped, or arrays of Zarr, HDF5
            (h5py) or Dask. Only filters read them block by block; all else loads them whole.

    Returns:
        The view.

    Raises:
        DataTypeError: the data are of another type.
        DataError: no rows, columns of different lengths, two columns of one name, or two time axes
            that differ.

    Example:
        >>> read({"time": [0.0, 0.01], "y": [1, 2]}).time.values
        array([0.  , 0.01])
    """
    if isinstance(data, Table):
        return data
    for matches, reader in _READERS:
        if matches(data):
            table = reader(data)
            break
    else:
        alone = is_a(data, "pynapple") or is_a(data, "xarray", "DataArray")
        raise DataTypeError(
            f"data of type {type(data).__name__} cannot be read. Give a pandas or polars DataFrame, a "
            "dict of arrays or pynapple objects (Tsd, TsdFrame, Ts, TsGroup), or an xarray Dataset."
            + ' Put this one into a dict, under the name it has in the formula: {"x": data}.'
            * alone
        )
    if table.rows == 0:
        raise DataError("the data have no rows.")
    return table


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Table]], ...] = (
    (lambda data: isinstance(data, pd.DataFrame), read_pandas),
    (lambda data: is_a(data, "polars", "DataFrame"), read_polars),
    (lambda data: is_a(data, "xarray", "Dataset"), read_xarray),
    (lambda data: isinstance(data, Mapping) and not is_a(data, "pynapple"), read_mapping),
)


def require_columns(names: list[str], table: Table, source: str) -> None:
    """Raises where a formula names a column that the table lacks.

    Raises:
        FormulaError: with the nearest names and all columns.
    """
    for name in names:
        if name not in table.columns:
            raise FormulaError(
                f"there is no column `{name}`.{pointer(source, name)}\n"
                + sentences(nearest(name, table.columns), f"Columns: {listing(table.columns)}.")
            )
