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
        border: of these with all else, shape (groups, effect, m).
        corner: of all else, shape (m, m).
        basis: (R of X = Q R, least-squares coefficients, units of y).
        count: rows, each as often as it counts.
        known: whether sigma is 1 because the errors of rows are known.
        constant: what deviances lack because of known errors.
        reml: restricted likelihood, or likelihood.
    """

    factors: tuple[Factor, ...]
    blocks: np.ndarray
    border: np.ndarray
    corner: np.ndarray
    basis: tuple[np.ndarray, np.ndarray, float]
    count: float
    known: bool
    constant: float
    reml: bool

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
        return np.concatenate([np.eye(f.size)[f.mask] for f in self.factors])

    def relative(self, theta: np.ndarray) -> list[np.ndarray]:
        """Returns Lambda of every factor."""
        out, start = [], 0
        for factor in self.factors:
            matrix = np.zeros(factor.mask.shape)
            stop = start + int(factor.mask.sum())
            matrix[factor.mask] = theta[start:stop]
            out.append(matrix)
            start = stop
        return out

    def rescaled(self, scales: np.ndarray) -> System:
        """Returns the same system with the matrix S of each factor multiplied by a number."""
        columns = np.ones(self.corner.shape[1])
        for span, scale in zip(self.spans(), scales[1:], strict=True):
            columns[span] = scale
        return replace(
            self,
            factors=tuple(
                replace(factor, scale=factor.scale * scale)
                for factor, scale in zip(self.factors, scales, strict=True)
            ),
            blocks=self.blocks * scales[0] ** 2,
            border=self.border * scales[0] * columns,
            corner=self.corner * np.outer(columns, columns),
        )

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
    factors = tuple(sorted(factors, key=lambda f: -f.groups * f.size))
    norms = np.linalg.norm(root[:, None] * matrix, axis=0)
    q, r = np.linalg.qr(root[:, None] * matrix / norms)
    fitted = q.T @ (root * y)
    residual = root * y - q @ fitted
    residual -= q @ (q.T @ residual)
    unit = 1.0 if known else float(np.sqrt(np.mean(residual**2))) or 1.0
    rest = [_wide(factor, root) for factor in factors[1:]]
    dense = np.column_stack([q, residual / unit])
    first, f = _wide(factors[0], root), factors[0]
    border = [np.asarray((first.T @ other).todense()) for other in rest] + [first.T @ dense]
    return System(
        factors=factors,
        blocks=_blocks(f, root),
        border=np.concatenate(border, axis=1).reshape(f.groups, f.size, -1),
        corner=_corner(rest, dense),
        basis=(r * norms, np.linalg.solve(r, fitted) / norms, unit),
        count=float(counts.sum()),
        known=known,
        constant=-float(counts @ np.log(precision)),
        reml=reml,
    )


def _wide(factor: Factor, root: np.ndarray) -> csr_matrix:
    """The matrix Z S of a factor, shape (obs, groups * effect)."""
    values = (factor.effects @ factor.scale) * root[:, None]
    rows, size = values.shape
    columns = factor.index[:, None] * size + np.arange(size)
    pointers = np.arange(0, rows * size + 1, size)
    return csr_matrix((values.ravel(), columns.ravel(), pointers), (rows, factor.groups * size))


def _blocks(factor: Factor, root: np.ndarray) -> np.ndarray:
    values = (factor.effects @ factor.scale) * root[:, None]
    out = np.empty((factor.groups, factor.size, factor.size))
    for a in range(factor.size):
        for b in range(a + 1):
            out[:, a, b] = out[:, b, a] = np.bincount(
                factor.index, values[:, a] * values[:, b], factor.groups
            )
    return out


def _corner(rest: list[csr_matrix], dense: np.ndarray) -> np.ndarray:
    rows = [
        [np.asarray((a.T @ b).todense()) for b in rest] + [np.asarray(a.T @ dense)] for a in rest
    ]
    last = [np.asarray(a.T @ dense).T for a in rest] + [dense.T @ dense]
    return np.block([*rows, last])
