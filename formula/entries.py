"""One entry of the user's data, read: a column with its labels and times."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, DataTypeError, listing
from .categories import Level, as_level
from .clocks import Clock
from .streams import OnDisk, Stream

ON_DISK = (("zarr", "Array"), ("h5py", "Dataset"), ("dask", "Array"))


@dataclass(frozen=True, eq=False)
class Entry:
    """What a reader made of one entry.

    Attributes:
        column: a pandas Series, or a two-dimensional array or stream.
        second: name and labels of the second dimension, where the entry has them.
        clock: when its rows were taken, where the entry says so.
    """

    column: Any
    second: tuple[str, tuple[Level, ...]] | None = None
    clock: Clock | None = None


def is_a(data: Any, module: str, *names: str) -> bool:
    """Whether data are of a class of a library (of any class, without names), without importing it."""
    for kind in type(data).__mro__:
        # a class made by type() need not say where it is from
        home = getattr(kind, "__module__", "")
        if str(home).partition(".")[0] == module and (not names or kind.__name__ in names):
            return True
    return False


def as_column(name: str, values: Any) -> pd.Series | np.ndarray | Stream:
    """Returns one value per row as a Series, or numbers in two dimensions as an array or stream.

    Raises:
        DataTypeError: no array, a single value, or more dimensions.
    """
    if isinstance(values, pd.Series):
        return values
    found = on_disk(values)
    if found is not None:
        return found
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
    if array.dtype.names is not None:
        raise DataTypeError(
            f"column `{name}` holds records of the fields {listing(array.dtype.names)}; give each "
            "field as a column of its own."
        )
    if array.ndim > 2 or (array.ndim == 2 and array.dtype.kind not in "biuf"):
        raise DataTypeError(
            f"column `{name}` has shape {array.shape}; columns have one dimension, or two if numeric."
        )
    return pd.Series(array) if array.ndim == 1 else array


def on_disk(values: Any) -> Stream | None:
    """Returns numbers in two dimensions that are not in memory (Zarr, HDF5, Dask) as a stream."""
    known = any(is_a(values, *kind) for kind in ON_DISK)
    if not known or len(values.shape) != 2 or values.dtype.kind not in "biuf":
        return None
    chunks = values.chunks[0] if values.chunks else 1
    piece = chunks if isinstance(chunks, int) else max(chunks, default=1)
    return OnDisk(lambda start, stop: values[start:stop], values.shape, values.dtype, piece)


def as_labels(name: str, values: Iterable[Any]) -> tuple[Level, ...]:
    """Returns the labels of an entry's second dimension as levels.

    Raises:
        DataError: two labels read the same.
    """
    labels = tuple(as_level(value) for value in values)
    repeated = [text for text, count in Counter(map(str, labels)).items() if count > 1]
    if repeated:
        raise DataError(
            f"the labels of `{name}` must be unique, but {listing(f'`{n}`' for n in repeated)} "
            "stand more than once."
        )
    return labels


def check_names(names: Iterable[str]) -> None:
    """Refuses columns of one name.

    Raises:
        DataError: naming them.
    """
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise DataError(
            f"column names must be unique, but {listing(f'`{n}`' for n in repeated)} "
            "stand more than once."
        )


def _unmasked(values: np.ma.MaskedArray) -> np.ndarray:
    numeric = values.dtype.kind in "biuf"
    out = np.array(values.data, dtype=np.float64 if numeric else object)
    out[np.ma.getmaskarray(values)] = np.nan if numeric else None
    return out
