"""Cross products of the first factor's effects with all else: dense, or sparse where few meet.

For B_g the rows of group g, shape (effect, m), the likelihood needs of them three things only:

    sum_g B_g' W_g B_g,   B_g Q B_g',   B_g v

In crossed designs most groups of one factor never meet most of another's. The first two are linear in
W and in Q, so that a sparse matrix with one entry for each pair of entries of a B_g gives either by one
multiplication.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack

SMALL = 2_000_000
"""Up to so many multiplications nothing is gained by sparse matrices."""
GAIN = 8.0
"""A multiplication in a sparse matrix takes as long as so many in a dense one."""
MOST_PAIRS, MOST_CELLS = 20_000_000, 30_000_000
"""Up to so many pairs, and numbers in the result, the matrix of pairs is kept in memory."""
CHUNK = 20_000_000
"""Numbers in one dense piece."""


@dataclass(frozen=True, eq=False)
class DenseBorder:
    """The rows as one array, shape (groups, effect, m)."""

    array: np.ndarray

    def products(self, roots: np.ndarray) -> np.ndarray:
        """Returns sum_g B_g' W_g B_g, shape (m, m).

        Args:
            roots: H with W = H H', shape (groups, effect, effect).
        """
        flat = _turn(roots, self.array).reshape(-1, self.array.shape[-1])
        return flat.T @ flat  # numpy computes half of it

    def forms(self, middle: np.ndarray) -> np.ndarray:
        """Returns B_g Q B_g', shape (groups, effect, effect), for a symmetric Q of shape (m, m)."""
        return (self.array @ middle) @ np.swapaxes(self.array, 1, 2)

    def times(self, right: np.ndarray) -> np.ndarray:
        """Returns B_g v, shape (groups, effect, columns), for v of shape (m, columns)."""
        return self.array @ right


@dataclass(frozen=True, eq=False)
class SparseBorder:
    """The rows as a sparse matrix.

    Attributes:
        matrix: shape (groups * effect, m).
        size: the number of effects of one group.
        pairs: shape (m * m, groups * effect * effect); None where it would be too large.
    """

    matrix: csr_matrix
    size: int
    pairs: csr_matrix | None

    def products(self, roots: np.ndarray) -> np.ndarray:
        """Returns sum_g B_g' W_g B_g, shape (m, m), for W = H H'."""
        m = _shape(self.matrix)[1]
        if self.pairs is not None:
            return (self.pairs @ (roots @ np.swapaxes(roots, 1, 2)).ravel()).reshape(m, m)
        turned = _block_diagonal(roots).T @ self.matrix
        return (turned.T @ turned).toarray()

    def forms(self, middle: np.ndarray) -> np.ndarray:
        """Returns B_g Q B_g', shape (groups, effect, effect), for a symmetric Q of shape (m, m)."""
        (rows, m), size = _shape(self.matrix), self.size
        if self.pairs is not None:
            return (self.pairs.T @ middle.ravel()).reshape(-1, size, size)
        out = np.empty((rows // size, size, size))
        step = max(CHUNK // (m * size), 1)
        for start in range(0, len(out), step):
            part = self.matrix[start * size : (start + step) * size]
            left, right = (a.reshape(-1, size, m) for a in (part @ middle, part.toarray()))
            out[start : start + step] = left @ np.swapaxes(right, 1, 2)
        return out

    def times(self, right: np.ndarray) -> np.ndarray:
        """Returns B_g v, shape (groups, effect, columns), for v of shape (m, columns)."""
        return (self.matrix @ right).reshape(-1, self.size, right.shape[1])


Border = DenseBorder | SparseBorder


def make_border(
    first: csr_matrix, rest: list[csr_matrix], dense: np.ndarray, groups: int
) -> Border:
    """Returns the border in the form that costs less.

    Args:
        first: Z S of the first factor, shape (obs, groups * effect).
        rest: those of the others.
        dense: X and y, shape (obs, columns).
        groups: the number of the first factor's groups.
    """
    size = _shape(first)[1] // groups
    with_dense = first.T @ dense
    if not rest:
        return DenseBorder(with_dense.reshape(groups, size, -1))
    parts = [(first.T @ other).tocsr() for other in rest]
    m = sum(_shape(part)[1] for part in parts) + dense.shape[1]
    multiplications = float(groups) * size * m * m
    in_group = np.full(groups, size * dense.shape[1])
    for part in parts:
        in_group += np.diff(part.indptr[::size])
    count = float((in_group.astype(float) ** 2).sum())
    if multiplications < SMALL or GAIN * count > multiplications:
        arrays = [*(part.toarray() for part in parts), with_dense]
        return DenseBorder(np.concatenate(arrays, axis=1).reshape(groups, size, -1))
    matrix = csr_matrix(hstack([*parts, csr_matrix(with_dense)], format="csr"))
    return SparseBorder(matrix, size, find_pairs(matrix, size) if count <= MOST_PAIRS else None)


def find_pairs(matrix: csr_matrix, size: int) -> csr_matrix | None:
    """Returns the matrix that takes vec(W) to vec(sum_g B_g' W_g B_g), and whose transpose takes Q.

    None where the sum itself has so many numbers that its rows alone would fill the memory.
    """
    rows, m = _shape(matrix)
    if m * m > MOST_CELLS:
        return None
    starts = matrix.indptr[:-1:size].astype(np.int64)
    counts = np.diff(matrix.indptr[::size])
    effect = np.repeat(np.arange(rows) % size, np.diff(matrix.indptr))
    group = np.repeat(np.arange(rows // size), counts)
    # each entry meets all entries of its group
    repeats = counts[group]
    left = np.repeat(np.arange(matrix.nnz), repeats)
    within = np.arange(len(left)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    right = starts[group[left]] + within
    column = (group[left] * size + effect[left]) * size + effect[right]
    position = matrix.indices[left].astype(np.int64) * m + matrix.indices[right]
    values = matrix.data[left] * matrix.data[right]
    return csr_matrix((values, (position, column)), (m * m, rows * size))


def _turn(roots: np.ndarray, array: np.ndarray) -> np.ndarray:
    """H_g' B_g."""
    return roots * array if array.shape[1] == 1 else np.swapaxes(roots, 1, 2) @ array


def _block_diagonal(blocks: np.ndarray) -> csr_matrix:
    groups, size, _ = blocks.shape
    columns = np.arange(groups * size).reshape(groups, 1, size).repeat(size, axis=1)
    pointers = np.arange(0, groups * size * size + 1, size)
    return csr_matrix((blocks.ravel(), columns.ravel(), pointers), (groups * size,) * 2)


def _shape(matrix: csr_matrix) -> tuple[int, int]:
    shape: Any = matrix.shape
    return shape
