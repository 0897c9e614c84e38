"""The deviance of a linear mixed model at one theta, by one Cholesky factorisation.

With the first factor's effects eliminated, all else has the cross products

    R = C - sum_g B_g' W_g B_g,   W_g = Lambda_1 M_g^-1 Lambda_1',   M_g = Lambda_1' b_g Lambda_1 + I

and T = Lambda' R Lambda + I (the identity for effects only, Lambda for all factors but the first) is
factorised. Its last pivot is the penalised residual sum of squares. Where the first factor is nested in
the second, R is the smaller system `rest` of the others, which is factorised in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.blas import dtrsv  # pyright: ignore[reportAttributeAccessIssue]
from scipy.linalg.lapack import dpotrf, dpotri, dtrtri  # pyright: ignore[reportAttributeAccessIssue]

from .border import DenseBorder
from .nested import NestedBorder
from .system import System

TINY = 1e-300
FEW = 64
"""Up to so many rows LAPACK's inverse, which starts threads for any size, takes longer than two
steps."""


@dataclass(frozen=True, eq=False)
class Factorised:
    """What the factorisation at one theta leaves.

    Attributes:
        system: the cross products.
        lambdas: Lambda of every factor.
        first: Cholesky factors L_g of M_g, shape (groups, effect, effect).
        inverse: L_g^-1.
        roots: Lambda_1 L_g'^-1, of which W_g is the square, shape (groups, effect, effect).
        reduced: R Lambda, shape (m, m); empty where there is `rest`.
        lower: the Cholesky factor of T, lower triangle, shape (m, m); the last row belongs to y.
        rest: the factorisation of all else, where the first factor is nested in the second.
    """

    system: System
    lambdas: list[np.ndarray]
    first: np.ndarray
    inverse: np.ndarray
    roots: np.ndarray
    reduced: np.ndarray
    lower: np.ndarray
    rest: Factorised | None = None

    @property
    def residual(self) -> float:
        """The penalised residual sum of squares."""
        return float(self.lower[-1, -1] ** 2)

    @property
    def others(self) -> int:
        """How many effects T holds."""
        return len(self.lower) - self.system.coefficients - 1

    @property
    def squares(self) -> np.ndarray:
        """W_g, shape (groups, effect, effect)."""
        return self.roots @ np.swapaxes(self.roots, 1, 2)

    def solved(self) -> np.ndarray:
        """Returns the modes of the effects in T and the coefficients, shape (m - 1,)."""
        last = self.lower[-1, :-1]
        # a matrix in C order is its transpose in Fortran's
        return dtrsv(self.lower[:-1, :-1].T, last) if len(last) else last


def spread_out(system: System, lambdas: list[np.ndarray], array: np.ndarray) -> np.ndarray:
    """Returns array Lambda for an array whose last axis has length m, or m - 1."""
    out = array.copy()
    for factor, span, matrix in zip(system.factors[1:], system.spans(), lambdas[1:], strict=True):
        part = out[..., span]
        if factor.size == 1:
            part *= matrix[0, 0]
        else:
            turned = part.reshape(*part.shape[:-1], factor.groups, factor.size) @ matrix
            out[..., span] = turned.reshape(part.shape)
    return out


def factorise(system: System, theta: np.ndarray) -> Factorised:
    """Factorises the cross products at theta.

    Raises:
        LinAlgError: they are not positive definite to rounding.
    """
    lambdas = system.lambdas(theta)
    inner = lambdas[0].T @ system.blocks @ lambdas[0] + np.eye(len(lambdas[0]))
    first = np.sqrt(inner) if inner.shape[1] == 1 else np.linalg.cholesky(inner)
    inverse = 1 / first if inner.shape[1] == 1 else np.linalg.inv(first)
    roots = lambdas[0] @ np.swapaxes(inverse, 1, 2)
    if isinstance(system.border, NestedBorder):
        rest = factorise(_reduce(system, roots), theta[int(system.factors[0].mask.sum()) :])
        return Factorised(
            system, lambdas, first, inverse, roots, np.zeros((0, 0)), rest.lower, rest
        )
    reduced = spread_out(system, lambdas, system.corner - system.border.products(roots))
    total = spread_out(system, lambdas, reduced.T)  # R is symmetric
    others = np.arange(len(total) - system.coefficients - 1)
    total[others, others] += 1.0
    upper, failed = dpotrf(total.T, lower=0, clean=0, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("not positive definite")
    return Factorised(system, lambdas, first, inverse, roots, reduced, upper.T)


def _reduce(system: System, roots: np.ndarray) -> System:
    """The cross products of all else, the first factor eliminated."""
    rest, border = system.rest, system.border
    if (
        rest is None
        or not isinstance(border, NestedBorder)
        or not isinstance(rest.border, DenseBorder)
    ):
        raise TypeError("a nested border needs the cross products of all else")
    blocks, cross, corner = border.products(roots)
    return replace(
        rest,
        blocks=rest.blocks - blocks,
        border=DenseBorder(rest.border.array - cross),
        corner=rest.corner - corner,
        units=system.units[1:],
    )


def inverse_of(lower: np.ndarray) -> np.ndarray:
    """Returns (L L')^-1 from the lower triangle of L."""
    if len(lower) <= FEW:
        inverse = triangular_inverse(lower)
        return inverse.T @ inverse
    upper, _ = dpotri(np.array(lower).T, lower=0, overwrite_c=1)
    half = np.tril(upper.T)
    out = half + half.T
    out[np.diag_indices(len(out))] = np.diag(half)
    return out


def triangular_inverse(lower: np.ndarray) -> np.ndarray:
    """Returns L^-1, zero above the diagonal."""
    if not len(lower):
        return np.zeros((0, 0))
    upper, _ = dtrtri(np.tril(lower).T, lower=0, overwrite_c=1)
    return upper.T


def value_of(at: Factorised) -> float:
    """Returns -2 log likelihood (or the REML criterion) at the best sigma, with all constants."""
    own = 2 * float(np.log(np.diagonal(at.first, axis1=1, axis2=2)).sum())
    if at.rest is not None:
        return own + value_of(at.rest)
    system, diagonal = at.system, np.log(np.diag(at.lower))
    logs = diagonal[: at.others].sum()
    if system.reml:
        logs += diagonal[at.others : -1].sum() + np.log(np.abs(np.diag(system.basis[0]))).sum()
    freedom = system.freedom
    quadratic = at.residual if system.known else freedom
    variance = 1.0 if system.known else max(at.residual, TINY) / freedom * system.basis[2] ** 2
    scale = np.log(2 * np.pi * variance)
    return float(own + 2 * logs + quadratic + freedom * scale + system.constant)


def deviance(system: System, theta: np.ndarray) -> float:
    """Returns -2 log likelihood (or the REML criterion); infinite where it cannot be computed.

    Args:
        system: the cross products.
        theta: relative scales and correlations.
    """
    try:
        return value_of(factorise(system, theta))
    except np.linalg.LinAlgError:
        return np.inf


def log_sigma_of(at: Factorised) -> float:
    """Returns the log of the residual deviation that goes with theta, in units of y's."""
    if at.system.known:
        return 0.0
    return float(0.5 * np.log(max(at.residual, TINY) / at.system.freedom))


def fixed_covariance(at: Factorised) -> np.ndarray:
    """Returns the covariance of the coefficients of Q, in units of sigma^2."""
    return inverse_of(at.lower[at.others : -1, at.others : -1])
