"""Gaussian elimination of group effects, factor by factor, each as cheaply as its structure allows.

Effects v ~ Normal(0, I) of several grouping factors enter a quadratic form with the symmetric matrix

    | I + T'Z'WZT   T'Z'WX  |       Z: the effects' columns, T: their relative scales and correlations,
    |   X'WZT       X'WX + P|       X: common columns, the last one being the right-hand side.

The finest factor of a chain of nested factors is block-diagonal; once it is gone the next one is, too,
because every group lies in one group of the next. Factors outside of the chain (crossed ones) and the
common columns make the dense corner. A Cholesky factorisation in this order gives the determinant, the
solution and draws. Small blocks are written out, which is several times faster than LAPACK called for
each group.

Source: Bates et al. (2015), J. Stat. Softw. 67; the order of elimination is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

UNROLLED = 6
"""Blocks of up to this size are factorised by written-out code."""


@dataclass(frozen=True)
class Order:
    """In which order grouping factors are eliminated; each is the sites of its group terms.

    Attributes:
        chain: nested factors, the finest first.
        dense: the other factors.
    """

    chain: tuple[tuple[str, ...], ...]
    dense: tuple[tuple[str, ...], ...] = ()


class Products(NamedTuple):
    """Cross products of the effects' columns, weighted by row.

    Attributes:
        own: for each level of the chain, shape (groups, effect, effect).
        later: for each level and each level after it, shape (groups, effect, effect of the later).
        parents: for each level and each level after it the group that holds a group, shape (groups,).
        dense: for each level and each dense factor, shape (groups, effect, groups, effect).
        corner: for each dense factor and each up to it, shape (groups, effect, groups, effect).
    """

    own: tuple[Any, ...]
    later: tuple[tuple[Any, ...], ...]
    parents: tuple[tuple[Any, ...], ...]
    dense: tuple[tuple[Any, ...], ...]
    corner: tuple[tuple[Any, ...], ...]


class Common(NamedTuple):
    """Products of the common columns with the effects' and with each other; the right-hand side last.

    Attributes:
        chain: for each level, shape (groups, effect, column).
        dense: for each dense factor, shape (groups, effect, column).
        square: shape (column, column).
    """

    chain: tuple[Any, ...]
    dense: tuple[Any, ...]
    square: Any

    def turn(self, chain: list[Any], dense: list[Any], columns: Any) -> Common:
        """Returns the products of T's effects with combined columns, shape (column, column')."""
        return Common(
            tuple(_turn(t, columns, p) for t, p in zip(chain, self.chain, strict=True)),
            tuple(_turn(t, columns, p) for t, p in zip(dense, self.dense, strict=True)),
            columns.T @ self.square @ columns,
        )


class Eliminated(NamedTuple):
    """The Cholesky factor; of every level its blocks, and its rows of what comes after.

    Attributes:
        blocks: for each level the Cholesky factors, a list of rows of arrays (groups,).
        rows: for each level, shape (groups, effect, later effects and corner); the right-hand side is
            the last.
        parents: as in `Products`.
        corner: Cholesky factor of the corner without the right-hand side, shape (m, m).
        last: the right-hand side's row in it, shape (m,).
        rest: what is left of the right-hand side's square.
    """

    blocks: tuple[list[list[Any]], ...]
    rows: tuple[Any, ...]
    parents: tuple[tuple[Any, ...], ...]
    corner: Any
    last: Any
    rest: Any

    def log_determinant(self) -> Any:
        """Returns half the logarithm of the determinant."""
        logs = jnp.sum(jnp.log(jnp.diagonal(self.corner)))
        for block in self.blocks:
            logs = logs + sum(jnp.sum(jnp.log(row[-1])) for row in block)
        return logs

    def noise(self, key: Any) -> tuple[list[Any], Any]:
        """Draws standard normal arrays for `solve`."""
        keys = jax.random.split(key, len(self.rows) + 1)
        pairs = zip(keys[1:], self.rows, strict=True)
        parts = [jax.random.normal(k, rows.shape[:2]) for k, rows in pairs]
        return parts, jax.random.normal(keys[0], self.last.shape)

    def solve(self, noise: Any = None) -> tuple[list[Any], Any]:
        """Returns the solution of every level (groups, effect), and of the corner (m,).

        Args:
            noise: standard normal arrays of these shapes; with them the result is a draw from the
                normal distribution of which the solution is the mean.
        """
        last = self.last if noise is None else self.last + noise[1]
        inner = _backward(self.corner, last)
        out: list[Any] = [None] * len(self.blocks)
        for level in reversed(range(len(self.blocks))):
            rows = self.rows[level]
            size, start = rows.shape[1], 0
            right = rows[..., -1]
            for later, parent in enumerate(self.parents[level], start=level + 1):
                width = out[later].shape[1]
                above = out[later][parent]
                right = right - jnp.sum(
                    rows[..., start : start + width] * above[:, None, :], axis=2
                )
                start += width
            if start < rows.shape[2] - 1:
                right = right - rows[..., start:-1] @ inner
            if noise is not None:
                right = right + noise[0][level]
            v: list[Any] = [None] * size
            for i in reversed(range(size)):
                value = right[:, i]
                for k in range(i + 1, size):
                    value = value - self.blocks[level][k][i] * v[k]
                v[i] = value / self.blocks[level][i][i]
            out[level] = jnp.stack(v, axis=1)
        return out, inner


def eliminate(products: Products, chain: list[Any], dense: list[Any], common: Common) -> Eliminated:
    """Scales the effects' cross products and eliminates.

    Args:
        products: cross products of unscaled columns.
        chain: T of each level of the chain, shape (effect, effect).
        dense: T of each dense factor.
        common: the common columns and the right-hand side, scaled already.
    """
    own = [
        _turn(t, t, p) + jnp.eye(t.shape[0])[None] for t, p in zip(chain, products.own, strict=True)
    ]
    borders = []
    for level, t in enumerate(chain):
        groups, size = products.own[level].shape[:2]
        parts = [
            _turn(t, chain[later], product)
            for later, product in enumerate(products.later[level], start=level + 1)
        ]
        for factor, product in zip(dense, products.dense[level], strict=True):
            scaled = jnp.einsum("ab,gahc,cd->gbhd", t, product, factor)
            parts.append(scaled.reshape(groups, size, -1))
        borders.append(jnp.concatenate([*parts, common.chain[level]], axis=2))
    corner = _corner(products, dense, common)
    blocks, rows = [], []
    for level in range(len(chain)):
        block, row = _factorise(own[level], borders[level])
        blocks.append(block)
        rows.append(row)
        start = 0
        for later, parent in enumerate(products.parents[level], start=level + 1):
            groups, width = own[later].shape[:2]
            mine, after = row[..., start : start + width], row[..., start:]
            change = jnp.sum(mine[..., :, None] * after[..., None, :], axis=1)
            change = jax.ops.segment_sum(change, parent, groups)
            own[later] = own[later] - change[..., :width]
            borders[later] = borders[later] - change[..., width:]
            start += width
        flat = row[..., start:].reshape(-1, corner.shape[0])
        corner = corner - flat.T @ flat
    if corner.shape[0] - 1 <= UNROLLED:
        block, row = _factorise(corner[None, :-1, :-1], corner[None, :-1, -1:])
        inner, last = _stack(block), row[0, :, 0]
    else:
        inner = jnp.linalg.cholesky(corner[:-1, :-1])
        last = solve_triangular(inner, corner[:-1, -1], lower=True)
    rest = corner[-1, -1] - jnp.sum(last**2)
    return Eliminated(tuple(blocks), tuple(rows), products.parents, inner, last, rest)


def _turn(left: Any, right: Any, product: Any) -> Any:
    """Returns left' P right for every group."""
    return jnp.einsum("ab,gac,cd->gbd", left, product, right)


def _corner(products: Products, dense: list[Any], common: Common) -> Any:
    """The corner: the dense factors with the identity of their prior, and the common columns."""
    if not dense:
        return common.square
    count = len(dense)
    sizes = [p.shape[0] * p.shape[1] for p in common.dense]
    table: list[list[Any]] = [[None] * (count + 1) for _ in range(count + 1)]
    for i, t in enumerate(dense):
        for j, product in enumerate(products.corner[i]):
            part = jnp.einsum("ab,gahc,cd->gbhd", t, product, dense[j])
            table[i][j] = part.reshape(sizes[i], sizes[j])
            table[j][i] = table[i][j].T
        table[i][i] = table[i][i] + jnp.eye(sizes[i])
        table[i][count] = common.dense[i].reshape(sizes[i], -1)
        table[count][i] = table[i][count].T
    table[count][count] = common.square
    return jnp.concatenate([jnp.concatenate(row, axis=1) for row in table], axis=0)


def _factorise(blocks: Any, border: Any) -> tuple[list[list[Any]], Any]:
    """Returns Cholesky factors C of blocks (groups, n, n), and C^-1 border (groups, n, m)."""
    size = blocks.shape[1]
    if size > UNROLLED:
        factor = jnp.linalg.cholesky(blocks)
        solved = solve_triangular(factor, border, lower=True)
        return [[factor[:, i, k] for k in range(i + 1)] for i in range(size)], solved
    out: list[list[Any]] = []
    for i in range(size):
        row: list[Any] = []
        for k in range(i + 1):
            value = blocks[:, i, k]
            for a in range(k):
                value = value - row[a] * (out[k][a] if k < i else row[a])
            row.append(jnp.sqrt(value) if k == i else value / out[k][k])
        out.append(row)
    done: list[Any] = []
    for i, row in enumerate(out):
        value = border[:, i]
        for k in range(i):
            value = value - row[k][:, None] * done[k]
        done.append(value / row[i][:, None])
    return out, jnp.stack(done, axis=1) if done else border


def _stack(block: list[list[Any]]) -> Any:
    """One written-out Cholesky factor as a matrix."""
    size = len(block)
    if not size:
        return jnp.zeros((0, 0))
    zero = jnp.zeros(())
    return jnp.stack(
        [jnp.stack([row[k][0] if k < len(row) else zero for k in range(size)]) for row in block]
    )


def _backward(factor: Any, right: Any) -> Any:
    """Solves C' x = right."""
    if not factor.shape[0]:
        return right
    return solve_triangular(factor, right, lower=True, trans=1)
