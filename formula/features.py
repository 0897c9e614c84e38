"""Designs in blocks of rows: a dense matrix, or columns that are computed when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import FitError

BUDGET_BYTES = 4 * 2**30
"""No design that takes more memory than this is held as a whole."""
HELD_BYTES = 2 * 2**30
"""A design that takes more memory than this is computed in blocks, each time it is needed."""
BLOCK_BYTES = 64_000_000
"""About this much memory is held by one block of rows."""


class Features(Protocol):
    """The columns of a design, read in blocks of rows."""

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        ...

    def block(self, start: int, stop: int) -> np.ndarray:
        """Returns rows start to stop, float64, shape (stop - start, columns)."""
        ...

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns some rows in ascending order, float64, shape (len(rows), columns)."""
        ...


@dataclass(frozen=True, eq=False)
class Dense:
    """A matrix in memory."""

    matrix: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        rows, columns = self.matrix.shape
        return rows, columns

    def block(self, start: int, stop: int) -> np.ndarray:
        """Returns rows start to stop as a view."""
        return self.matrix[start:stop]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns some rows."""
        return self.matrix[rows]


def blocks(features: Features, bytes_held: int = BLOCK_BYTES) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (first row, rows) for all rows, in blocks of about `bytes_held`."""
    rows, columns = features.shape
    size = max(1, min(rows, bytes_held // (8 * max(columns, 1))))
    for start in range(0, rows, size):
        yield start, features.block(start, min(start + size, rows))


@dataclass(frozen=True, eq=False)
class Moments:
    """First and second moments of the columns.

    Attributes:
        means: shape (columns,).
        covariance: centred cross products over rows, shape (columns, columns).
    """

    means: np.ndarray
    covariance: np.ndarray

    @property
    def deviation(self) -> np.ndarray:
        """The standard deviation of each column."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    @property
    def size(self) -> np.ndarray:
        """The root mean square of each column."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0) + self.means**2)


CACHED_BYTES = 4_000_000
"""Blocks of this size stay in the processor's cache while several passes are made over them."""
SINGLE_THREADED = 200_000
"""Products of fewer multiplications than this are computed by one thread."""
OPERATIONS = 2e12
"""Cross products that would take more multiplications than this are estimated from some blocks."""


def moments(features: Features) -> Moments:
    """Returns the moments of the columns, computed once for each set of features.

    Columns are centred by the mean of the first block before they are multiplied, so that columns far
    from zero keep their digits.
    """
    kept = vars(features).get("_moments")
    if kept is None:
        kept = _moments(features)
        vars(features)["_moments"] = kept  # features are values: this only saves time
    return kept


def _moments(features: Features) -> Moments:
    rows, columns = features.shape
    if not columns:
        return Moments(np.zeros(0), np.zeros((0, 0)))
    if not isinstance(features, Dense):  # a block that is computed costs as much as its products
        return _moments_of(
            features, max(1, int(rows * float(columns) ** 2 / OPERATIONS)), BLOCK_BYTES
        )
    return _moments_of(features, 1, CACHED_BYTES)


def _moments_of(features: Features, every: int, held: int) -> Moments:
    rows, columns = features.shape
    origin, total, products, count = np.zeros(0), np.zeros(columns), np.zeros((columns, columns)), 0
    size = max(1, min(rows, held // (8 * columns)))
    for number, start in enumerate(range(0, rows, size)):
        if number % every:
            continue
        block = features.block(start, min(start + size, rows))
        if not origin.size:
            origin = block.mean(axis=0)
        centred = block - origin
        total += np.ones(len(centred)) @ centred
        products += _cross_products(centred)
        count += len(block)
    shift = total / count
    return Moments(origin + shift, products / count - np.outer(shift, shift))


def _cross_products(block: np.ndarray) -> np.ndarray:
    """Returns block' block, as a sum of products so small that BLAS does not start threads for them.

    Threads that wait for each other at every small product cost a hundredfold on a busy machine.
    """
    rows, columns = block.shape
    size = SINGLE_THREADED // columns**2
    if size < 16:
        return block.T @ block
    whole = rows - rows % size
    pieces = block[:whole].reshape(-1, size, columns)
    rest = block[whole:]
    return np.matmul(pieces.transpose(0, 2, 1), pieces).sum(axis=0) + rest.T @ rest


@dataclass(frozen=True, eq=False)
class Computed:
    """Columns that are computed for the rows that are asked for.

    Attributes:
        shape: the numbers of rows and columns.
        compute: rows, as a slice or in ascending order -> their columns.
    """

    shape: tuple[int, int]
    compute: Callable[[slice | np.ndarray], np.ndarray]

    def block(self, start: int, stop: int) -> np.ndarray:
        """Computes rows start to stop."""
        return self.compute(slice(start, stop))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Computes some rows."""
        return self.compute(rows)


def held(features: Computed, most: int = HELD_BYTES) -> Features:
    """Returns the columns in memory, unless they take more bytes than `most`."""
    rows, columns = features.shape
    size = 8 * rows * columns
    if size > most:
        return features
    return Dense(features.block(0, rows) if size <= BLOCK_BYTES else _gather(features))


def in_memory(features: Features) -> np.ndarray:
    """Returns the columns as one array, which is then kept.

    Raises:
        FitError: they would take more memory than the budget.
    """
    if isinstance(features, Dense):
        return features.matrix
    rows, columns = features.shape
    if 8 * rows * columns > BUDGET_BYTES:
        raise FitError(
            f"the design has {rows:,} rows and {columns:,} columns, "
            f"{8 * rows * columns / 2**30:.1f} GiB, more than the {BUDGET_BYTES / 2**30:.0f} GiB that "
            'are held in memory. Only methods "map" and "laplace" compute it in blocks, for models '
            "without group effects; use those, or fewer basis functions or rows."
        )
    kept = vars(features).get("_matrix")
    if kept is None:
        kept = vars(features)["_matrix"] = _gather(features)
    return kept


def _gather(features: Features) -> np.ndarray:
    """Fills one array block by block, so that nothing else of its size exists beside it."""
    out = np.empty(features.shape)
    for start, block in blocks(features):
        out[start : start + len(block)] = block
    return out
