"""Columns of two dimensions that are read in blocks of rows: in memory, memory-mapped, or on disk.

Such a column keeps the type that it is stored in (int8, float32, ...) and becomes float64 block by
block, so that recordings which do not fit into memory can be filtered.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

BLOCK = 2**22
"""Numbers of one block of a pass over all rows."""
SEGMENT = 2**16
"""Scattered rows are read in segments of this many neighbouring rows."""


class Stream(ABC):
    """A column of numbers, shape (obs, source).

    Attributes:
        shape: the numbers of rows and columns.
        dtype: the type in which it is stored.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]

    @abstractmethod
    def block(self, start: int, stop: int) -> np.ndarray:
        """Returns rows start to stop, float64, read-only."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Returns some rows, float64, shape (len(rows), source)."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self.block(int(rows[0]), int(rows[-1]) + 1)
        out = np.empty((len(rows), self.shape[1]))
        segments = rows // SEGMENT
        for segment in np.unique(segments):
            here = np.flatnonzero(segments == segment)
            wanted = rows[here]
            low = int(wanted.min())
            out[here] = self.block(low, int(wanted.max()) + 1)[wanted - low]
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        out = np.empty(self.shape)
        for start, block in self.blocks():
            out[start : start + len(block)] = block
        return out if dtype is None else out.astype(dtype, copy=False)

    def blocks(self, numbers: int = BLOCK) -> Iterator[tuple[int, np.ndarray]]:
        """Yields (first row, rows) for all rows, about so many numbers at a time."""
        rows, columns = self.shape
        size = max(1, numbers // max(columns, 1))
        for start in range(0, rows, size):
            yield start, self.block(start, min(start + size, rows))


class Held(Stream):
    """An array of NumPy, which may be memory-mapped."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype

    def block(self, start: int, stop: int) -> np.ndarray:
        return np.asarray(self.array[start:stop], dtype=np.float64)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.array[rows], dtype=np.float64)


class OnDisk(Stream):
    """An array that is read by slices: of Zarr, HDF5, Dask, or an xarray DataArray that is not loaded.

    The last two pieces read are kept, since a window reaches back into the piece before.

    Args:
        read: (start, stop) -> rows start to stop as an array.
        shape: the numbers of rows and columns.
        dtype: the type of the numbers.
        piece: rows that are decoded together, so that none is decoded twice in one pass. Several of
            them are read at a time where they are short.
    """

    def __init__(
        self,
        read: Callable[[int, int], Any],
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        piece: int,
    ) -> None:
        self.shape, self.dtype = shape, dtype
        wanted = max(1, BLOCK // max(shape[1], 1))
        self._read, self._piece = read, piece * max(1, wanted // piece)
        self._kept: dict[int, np.ndarray] = {}

    def block(self, start: int, stop: int) -> np.ndarray:
        out = np.empty((stop - start, self.shape[1]))
        for number in range(start // self._piece, -(-stop // self._piece)):
            first = number * self._piece
            low, high = max(start, first), min(stop, first + self._piece)
            out[low - start : high - start] = self._get(number)[low - first : high - first]
        return out

    def _get(self, number: int) -> np.ndarray:
        kept = self._kept
        if number not in kept:
            first = number * self._piece
            found = np.asarray(self._read(first, min(first + self._piece, len(self))))
            while len(kept) > 1:
                kept.pop(next(iter(kept)), None)
            kept[number] = found
        return kept[number]


class Zeroed(Stream):
    """A stream in which some rows count as 0.

    Args:
        stream: the values.
        absent: which rows are 0, boolean, shape (obs,).
    """

    def __init__(self, stream: Stream, absent: np.ndarray) -> None:
        self._stream, self._absent = stream, absent
        self.shape, self.dtype = stream.shape, stream.dtype

    def block(self, start: int, stop: int) -> np.ndarray:
        return np.where(self._absent[start:stop, None], 0.0, self._stream.block(start, stop))


class Spread(Stream):
    """Rows of a stream at other places, with zeros between them.

    Args:
        stream: the values.
        rows: which rows, shape (n,).
        places: where each of them lies, ascending, shape (n,).
    """

    def __init__(self, stream: Stream, rows: np.ndarray, places: np.ndarray) -> None:
        self._stream, self._rows, self._places = stream, rows, places
        length = int(places[-1]) + 1 if len(places) else 0
        self.shape, self.dtype = (length, stream.shape[1]), stream.dtype

    def block(self, start: int, stop: int) -> np.ndarray:
        low, high = np.searchsorted(self._places, (start, stop))
        out = np.zeros((stop - start, self.shape[1]))
        if high > low:
            out[self._places[low:high] - start] = self._stream[self._rows[low:high]]
        return out


def is_wide(column: Any) -> bool:
    """Whether a column of a table has two dimensions."""
    return isinstance(column, np.ndarray | Stream)


def as_stream(values: Any) -> Stream:
    """Returns an array or stream of two dimensions as a stream."""
    return values if isinstance(values, Stream) else Held(values)


def rows_where(
    stream: Stream, test: Callable[[np.ndarray], np.ndarray], numbers: int = BLOCK
) -> np.ndarray:
    """Returns which rows hold a number that passes a test, boolean, shape (obs,).

    Args:
        stream: the numbers; integers are all finite and are not looked at.
        test: a block of numbers -> booleans of its shape.
        numbers: of a block.
    """
    out = np.zeros(len(stream), dtype=bool)
    if stream.dtype.kind == "f":
        for start, block in stream.blocks(numbers):
            out[start : start + len(block)] = test(block).any(axis=1)
    return out
