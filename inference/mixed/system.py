"""The cross products of a linear mixed model, which hold all that its likelihood needs of the data.

    y = X beta + sum_f Z_f b_f + e,   b_f = S_f Lambda_f u_f,   u ~ N(0, sigma^2),   e ~ N(0, sigma^2)

Lambda_f(theta) is lower triangular, one block per group; S_f makes the columns of Z_f S_f orthonormal
in the mean, so that theta has no units. One Cholesky factorisation of the cross products of
(Z_1 S_1 Lambda_1 | Z_2 ... | X | y), the largest factor first because its block is block-diagonal,
gives the log determinants, the estimates and the residual sum of squares. X enters by its Q of QR
and y by its least-squares residual, so that neither means nor units cost digits.

Source: Bates, Maechler, Bolker and Walker (2015), J. Stat. Softw. 67(1), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from .border import Border, DenseBorder, make_border
from .nested import NestedBorder, find_hosts, make_nested

MANY, MOST = 150, 300
"""A second factor in which the first is nested is eliminated like it from so many effects on, if all
else has at most so many columns."""


@dataclass(frozen=True, eq=False)
class Factor:
    """One grouping factor with all effects that vary over it.

    Attributes:
        index: the group of each row, shape (obs,).
        groups: the number of groups.
        effects: values that multiply the effects, shape (obs, effect).
        mask: which entries of Lambda are free, shape (effect, effect).
        scale: the matrix S, shape (effect, effect).
        terms: for each group term its position in the formula and its effects.
    """

    index: np.ndarray
    groups: int
    effects: np.ndarray
    mask: np.ndarray
    scale: np.ndarray
    terms: tuple[tuple[int, slice], ...]

    @property
    def size(self) -> int:
        """The number of effects of one group."""
        return self.effects.shape[1]


@dataclass(frozen=True, eq=False)
class System:
    """All that the likelihood needs; m counts the other factors' effects, then X, then y.

    Attributes:
        factors: the grouping factors, the largest first.
        blocks: cross products of the first factor's effects, shape (groups, effect, effect).
        border: of these with all else, (groups, effect, m).
        corner: of all else, shape (m, m).
        basis: (R of X = Q R, least-squares coefficients, units of y).
        count: rows, each as often as it counts.
        known: whether sigma is 1 because the errors of rows are known.
        constant: what deviances lack because of known errors.
        reml: restricted likelihood, or likelihood.
        units: for each factor the size of Lambda where theta is 1.
        rest: the cross products of all else, where the first factor is nested in the second;
            `corner` is empty then.
    """

    factors: tuple[Factor, ...]
    blocks: np.ndarray
    border: Border | NestedBorder
    corner: np.ndarray
    basis: tuple[np.ndarray, np.ndarray, float]
    count: float
    known: bool
    constant: float
    reml: bool
    units: np.ndarray
    rest: System | None = None

    @property
    def coefficients(self) -> int:
        """The number of columns of X."""
        return len(self.basis[1])

    @property
    def freedom(self) -> float:
        """The divisor of the residual variance."""
        return self.count - (self.coefficients if self.reml else 0)

    @property
    def parameters(self) -> int:
        """The length of theta."""
        return sum(int(factor.mask.sum()) for factor in self.factors)

    def start(self) -> np.ndarray:
        """Returns theta for effects as large as the noise, and uncorrelated."""
        return self.flat([np.eye(f.size) for f in self.factors])

    def relative(self, theta: np.ndarray) -> list[np.ndarray]:
        """Returns Lambda of every factor in the factor's unit."""
        out, start = [], 0
        for factor in self.factors:
            matrix = np.zeros(factor.mask.shape)
            stop = start + int(factor.mask.sum())
            matrix[factor.mask] = theta[start:stop]
            out.append(matrix)
            start = stop
        return out

    def lambdas(self, theta: np.ndarray) -> list[np.ndarray]:
        """Returns Lambda of every factor."""
        return [u * m for u, m in zip(self.units, self.relative(theta), strict=True)]

    def flat(self, matrices: list[np.ndarray]) -> np.ndarray:
        """Returns the free entries of one matrix per factor, in the order of theta."""
        return np.concatenate([m[f.mask] for f, m in zip(self.factors, matrices, strict=True)])

    def in_units(self, units: np.ndarray) -> System:
        """Returns the same system with theta measured in other units."""
        return replace(self, units=units)

    def spans(self) -> list[slice]:
        """Returns the places of the other factors' effects among the m."""
        out, start = [], 0
        for factor in self.factors[1:]:
            out.append(slice(start, start + factor.groups * factor.size))
            start = out[-1].stop
        return out


def assemble(
    matrix: np.ndarray,
    y: np.ndarray,
    counts: np.ndarray,
    precision: np.ndarray,
    factors: tuple[Factor, ...],
    known: bool,
    reml: bool,
) -> System:
    """Builds the cross products.

    Args:
        matrix: X, shape (obs, coef).
        y: the response less its offset, shape (obs,).
        counts: how often each row counts.
        precision: 1 / se^2 where known, else ones.
        factors: the grouping factors.
        known: whether the precision is known.
        reml: restricted likelihood, or likelihood.
    """
    root = np.sqrt(counts * precision)
    factors = _order(factors)
    norms = np.linalg.norm(root[:, None] * matrix, axis=0)
    q, r = np.linalg.qr(root[:, None] * matrix / norms)
    fitted = q.T @ (root * y)
    residual = root * y - q @ fitted
    residual -= q @ (q.T @ residual)
    unit = 1.0 if known else float(np.sqrt(np.mean(residual**2))) or 1.0
    values = [(factor.effects @ factor.scale) * root[:, None] for factor in factors]
    system = System(
        factors=factors,
        blocks=_products(factors[0], values[0], values[0]),
        border=DenseBorder(np.zeros((0, 0, 0))),
        corner=np.zeros((0, 0)),
        basis=(r * norms, np.linalg.solve(r, fitted) / norms, unit),
        count=float(counts.sum()),
        known=known,
        constant=-float(counts @ np.log(precision)),
        reml=reml,
        units=np.ones(len(factors)),
    )
    dense = np.column_stack([q, residual / unit])
    host = _host(factors, dense.shape[1])
    if host is not None:
        return _nested(system, host, values, dense)
    first, *rest = (_wide(f, part) for f, part in zip(factors, values, strict=True))
    border = make_border(first, rest, dense, factors[0].groups)
    return replace(system, border=border, corner=_corner(rest, dense))


def _order(factors: tuple[Factor, ...]) -> tuple[Factor, ...]:
    """The largest factor first, then one in which it is nested, if that has many effects."""
    first, *others = sorted(factors, key=lambda f: -f.groups * f.size)
    for factor in others:
        if factor.groups * factor.size < MANY:
            break
        if find_hosts(first.index, first.groups, factor.index) is not None:
            others = [factor, *(f for f in others if f is not factor)]
            break
    return (first, *others)


def _host(factors: tuple[Factor, ...], columns: int) -> np.ndarray | None:
    """The group of the second factor in which each group of the first lies, where that saves work."""
    if len(factors) == 1 or factors[1].groups * factors[1].size < MANY:
        return None
    if columns + sum(f.groups * f.size for f in factors[2:]) > MOST:
        return None
    return find_hosts(factors[0].index, factors[0].groups, factors[1].index)


def _nested(
    system: System, host: np.ndarray, values: list[np.ndarray], dense: np.ndarray
) -> System:
    first, second, *others = system.factors
    wide = [_wide(f, part) for f, part in zip(system.factors, values, strict=True)]
    far = [
        np.concatenate([*((z.T @ w).toarray() for w in wide[2:]), z.T @ dense], axis=1)
        for z in wide[:2]
    ]
    near = _products(first, values[0], values[1])
    rest = replace(
        system,
        factors=(second, *others),
        blocks=_products(second, values[1], values[1]),
        border=DenseBorder(far[1].reshape(second.groups, second.size, -1)),
        corner=_corner(wide[2:], dense),
        units=system.units[1:],
    )
    border = make_nested(near, far[0].reshape(first.groups, first.size, -1), host, second.groups)
    return replace(system, border=border, rest=rest)


def _wide(factor: Factor, values: np.ndarray) -> csr_matrix:
    """The matrix Z S of a factor, shape (obs, groups * effect)."""
    rows, size = values.shape
    columns = factor.index[:, None] * size + np.arange(size)
    pointers = np.arange(0, rows * size + 1, size)
    return csr_matrix((values.ravel(), columns.ravel(), pointers), (rows, factor.groups * size))


def _products(factor: Factor, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sums of products of columns over the rows of each group, shape (groups, left, right)."""
    out = np.empty((factor.groups, left.shape[1], right.shape[1]))
    for a in range(left.shape[1]):
        for b in range(right.shape[1]):
            if left is right and b < a:
                out[:, a, b] = out[:, b, a]
            else:
                out[:, a, b] = np.bincount(factor.index, left[:, a] * right[:, b], factor.groups)
    return out


def _corner(rest: list[csr_matrix], dense: np.ndarray) -> np.ndarray:
    rows = [
        [np.asarray((a.T @ b).todense()) for b in rest] + [np.asarray(a.T @ dense)] for a in rest
    ]
    last = [np.asarray(a.T @ dense).T for a in rest] + [dense.T @ dense]
    return np.block([*rows, last])
