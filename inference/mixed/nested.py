"""Cross products where each group of the first factor lies in one group of the second.

Then the second factor's own block stays block-diagonal once the first is eliminated, so that it can be
eliminated in the same way: schools with classes take as long as their number, not its third power.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

Middle = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The parts of a symmetric matrix that matter: the blocks of the second factor, shape (host, effect2,
effect2), these by all else (host, effect2, m), and all else (m, m)."""


@dataclass(frozen=True, eq=False)
class NestedBorder:
    """The rows of the first factor's cross products with all else.

    Attributes:
        near: with the effects of the group's host, shape (groups, effect, effect2).
        far: with all else, shape (groups, effect, m).
        host: the host of each group, shape (groups,).
        gather: sums over the groups of each host, shape (hosts, groups).
    """

    near: np.ndarray
    far: np.ndarray
    host: np.ndarray
    gather: csr_matrix

    def products(self, roots: np.ndarray) -> Middle:
        """Returns the parts of sum_g B_g' W_g B_g for W = H H'."""
        turn = np.swapaxes(roots, 1, 2)
        near, far = turn @ self.near, turn @ self.far
        flat = far.reshape(-1, far.shape[-1])
        back = np.swapaxes(near, 1, 2)
        return self._sum(back @ near), self._sum(back @ far), flat.T @ flat

    def forms(self, middle: Middle) -> np.ndarray:
        """Returns B_g Q B_g', shape (groups, effect, effect)."""
        blocks, cross, corner = middle
        far = np.swapaxes(self.far, 1, 2)
        half = self.near @ (cross[self.host] @ far)
        own = self.near @ blocks[self.host] @ np.swapaxes(self.near, 1, 2)
        return own + half + np.swapaxes(half, 1, 2) + (self.far @ corner) @ far

    def times(self, right: np.ndarray) -> np.ndarray:
        """Returns B_g v, shape (groups, effect, columns), for v of the second factor, then all else."""
        size = self.near.shape[-1]
        split = _hosts(self.gather) * size
        near = right[:split].reshape(-1, size, right.shape[1])[self.host]
        return self.near @ near + self.far @ right[split:]

    def _sum(self, array: np.ndarray) -> np.ndarray:
        flat = self.gather @ array.reshape(len(array), -1)
        return flat.reshape(-1, *array.shape[1:])


def find_hosts(inner: np.ndarray, groups: int, outer: np.ndarray) -> np.ndarray | None:
    """Returns the outer group in which each inner group lies; None where one lies in several.

    Args:
        inner: the inner group of each row.
        groups: the number of inner groups.
        outer: the outer group of each row.
    """
    host = np.zeros(groups, dtype=np.intp)
    host[inner] = outer
    return host if (host[inner] == outer).all() else None


def make_nested(near: np.ndarray, far: np.ndarray, host: np.ndarray, hosts: int) -> NestedBorder:
    """Returns the border of nested factors."""
    groups = len(host)
    gather = csr_matrix((np.ones(groups), (host, np.arange(groups))), (hosts, groups))
    return NestedBorder(near, far, host, gather)


def _hosts(gather: csr_matrix) -> int:
    return len(gather.indptr) - 1
