"""pandas, polars, dict of arrays, xarray -> one read-only view of the user's table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import (
    DataError,
    DataTypeError,
    FormulaError,
    listing,
    nearest,
    pointer,
    sentences,
)

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


@dataclass(frozen=True, eq=False)
class Table:
    """A read-only view of a table: columns are converted when they are first asked for.

    Attributes:
        columns: name -> a pandas Series or a two-dimensional array, never written to.
        rows: number of rows.
    """

    columns: Mapping[str, Any]
    rows: int

    def numeric(self, name: str) -> np.ndarray:
        """Returns a column as float64, NaN where missing; shape (obs,) or (obs, k)."""
        column = self.columns[name]
        if isinstance(column, np.ndarray):
            return np.array(column, dtype=np.float64)
        if _is_numeric(column):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind in "mM":
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

    def is_categorical(self, name: str) -> bool:
        """Whether a bare mention of the column in a formula means a factor."""
        column = self.columns[name]
        if isinstance(column, np.ndarray) or _is_numeric(column):
            return False
        if isinstance(column.dtype, pd.CategoricalDtype):
            return True
        if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind in "mM":
            return False
        values = column.to_numpy(dtype=object)
        return any(isinstance(value, str) for value in values[~pd.isna(values)])

    def categorical(self, name: str) -> Categories:
        """Returns a column of any kind as codes and levels."""
        column = self.columns[name]
        if isinstance(column, np.ndarray):
            raise DataTypeError(f"column `{name}` has two dimensions and cannot be a factor.")
        return categorize(column)


def categorize(values: Any) -> Categories:
    """Codes any one-dimensional values by their sorted levels (categories keep their order)."""
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy().astype(np.int64)
        used = np.unique(codes[codes >= 0])
        lookup = np.full(len(column.cat.categories) + 1, -1)
        lookup[used] = np.arange(len(used))
        return Categories(lookup[codes], tuple(_level(column.cat.categories[i]) for i in used))
    if _is_numeric(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        levels, inverse = np.unique(numbers, return_inverse=True)
        known = ~np.isnan(levels)
        codes = np.where(np.isnan(numbers), -1, inverse).astype(np.int64)
        return Categories(codes, tuple(_level(value) for value in levels[known]))
    values = column.to_numpy(dtype=object)
    missing = pd.isna(values)
    if not missing.all() and all(_is_number(value) for value in values[~missing]):
        return categorize(pd.Series(np.where(missing, np.nan, values).astype(np.float64)))
    texts = np.array([str(_level(v)) for v in values], dtype=object)
    texts[missing] = None
    codes, uniques = pd.factorize(texts, sort=True)
    return Categories(codes.astype(np.int64), tuple(str(u) for u in uniques))


def _level(value: Any) -> Level:
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise TypeError("a text is not a number")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and column.dtype.kind != "c"


# ------------------------------------------------------------------------------------- readers


def read(data: Any) -> Table:
    """Reads a user's data into the internal view, without changing or copying it.

    Args:
        data: a pandas or polars DataFrame, a dict of arrays, or an xarray Dataset.

    Returns:
        The view.

    Raises:
        DataTypeError: the data are of another type.
        DataError: no rows, columns of different lengths, or two columns of one name.
    """
    if isinstance(data, Table):
        return data
    for matches, reader in _READERS:
        if matches(data):
            columns, rows = reader(data)
            break
    else:
        raise DataTypeError(
            f"data of type {type(data).__name__} cannot be read. Give a pandas or polars "
            "DataFrame, a dict of arrays, or an xarray Dataset."
        )
    if rows == 0:
        raise DataError("the data have no rows.")
    return Table(columns, rows)


def _from_pandas(data: pd.DataFrame) -> tuple[dict[str, Any], int]:
    if isinstance(data.columns, pd.MultiIndex):
        raise DataError("the columns are a MultiIndex; flatten them to one name each.")
    names = [str(name) for name in data.columns]
    _check_unique(names)
    return {name: data.iloc[:, i] for i, name in enumerate(names)}, len(data)


def _from_polars(data: Any) -> tuple[dict[str, Any], int]:
    columns = {}
    for series in data.get_columns():
        categories = getattr(series.dtype, "categories", None)
        if series.dtype.is_numeric():
            columns[series.name] = pd.Series(series.to_numpy())
        elif categories is not None and str(series.dtype).startswith("Enum"):
            columns[series.name] = pd.Series(
                pd.Categorical(series.to_list(), categories=list(categories))
            )
        elif series.dtype.is_temporal():
            columns[series.name] = pd.Series(series.to_numpy())
        else:
            columns[series.name] = pd.Series(series.to_list(), dtype=object).infer_objects()
    return columns, data.height


def _from_xarray(data: Any) -> tuple[dict[str, Any], int]:
    flat = {name: data[name] for name in (*data.data_vars, *data.coords) if data[name].ndim == 1}
    dims = {array.dims for array in flat.values()}
    if len(dims) == 1 and all(data[name].ndim <= 1 for name in data.data_vars):
        rows = next(iter(flat.values())).size
        return {
            str(name): array.to_series().reset_index(drop=True) for name, array in flat.items()
        }, rows
    return _from_pandas(data.to_dataframe().reset_index())


def _from_mapping(data: Mapping[Any, Any]) -> tuple[dict[str, Any], int]:
    columns: dict[str, Any] = {}
    for name, values in data.items():
        array = values if isinstance(values, pd.Series) else _array(str(name), values)
        if isinstance(array, np.ndarray) and array.ndim == 1:
            array = pd.Series(array)
        columns[str(name)] = array
    _check_unique([str(name) for name in data])
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = listing(f"`{name}` {length:,}" for name, length in lengths.items())
        raise DataError(f"the columns have different lengths: {found}.")
    return columns, next(iter(lengths.values()), 0)


def _array(name: str, values: Any) -> Any:
    if isinstance(values, pd.Index | pd.Categorical | pd.api.extensions.ExtensionArray):
        return pd.Series(values)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = (
                _unmasked(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
            )
            if array.dtype.kind in "US" and not isinstance(values, np.ndarray):
                array = np.asarray(values, dtype=object)  # else a missing value becomes a text
    except (TypeError, ValueError):
        raise DataTypeError(
            f"column `{name}` cannot be read as an array; give one value per row."
        ) from None
    if array.ndim == 0:
        raise DataTypeError(f"column `{name}` is a single value; give one value per row.")
    if array.ndim > 2 or (array.ndim == 2 and array.dtype.kind not in "biuf"):
        raise DataTypeError(
            f"column `{name}` has shape {array.shape}; columns have one dimension, or two if numeric."
        )
    return array


def _unmasked(values: np.ma.MaskedArray) -> np.ndarray:
    numeric = values.dtype.kind in "biuf"
    out = np.array(values.data, dtype=np.float64 if numeric else object)
    out[np.ma.getmaskarray(values)] = np.nan if numeric else None
    return out


def _check_unique(names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"column names must be unique, but {listing(f'`{n}`' for n in repeated)} "
            "stand more than once."
        )


def _is_a(data: Any, module: str, name: str) -> bool:
    """Whether data are of a class of a library, without importing it."""
    kinds = type(data).__mro__
    return any(k.__module__.startswith(module) and k.__name__ == name for k in kinds)


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], tuple[dict[str, Any], int]]], ...] = (
    (lambda data: isinstance(data, pd.DataFrame), _from_pandas),
    (lambda data: _is_a(data, "polars", "DataFrame"), _from_polars),
    (lambda data: _is_a(data, "xarray", "Dataset"), _from_xarray),
    (lambda data: isinstance(data, Mapping), _from_mapping),
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
