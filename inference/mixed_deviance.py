"""The deviance of a linear mixed model at one theta, by one Cholesky factorisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from .mixed_system import System

TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Factorised:
    """The Cholesky factor at one theta.

    Attributes:
        first: of the first factor, shape (groups, effect, effect).
        border: shape (groups, effect, m); the last column belongs to y.
        corner: of the other effects and X, shape (m - 1, m - 1).
        last: the row of y in it, shape (m - 1,).
        residual: penalised residual sum of squares.
    """

    first: np.ndarray
    border: np.ndarray
    corner: np.ndarray
    last: np.ndarray
    residual: float


def factorise(system: System, theta: np.ndarray) -> Factorised:
    """Factorises the cross products at theta."""
    lambdas, (first, *others) = system.relative(theta), system.factors
    spans = system.spans()
    border = np.matmul(lambdas[0].T, system.border)
    corner = system.corner.copy()
    for factor, span, matrix in zip(others, spans, lambdas[1:], strict=True):
        shape = (factor.groups, factor.size)
        for array in (border, corner, corner.T):
            part = array[..., span]
            array[..., span] = (part.reshape(*part.shape[:-1], *shape) @ matrix).reshape(part.shape)
    stop = spans[-1].stop if spans else 0
    corner[np.arange(stop), np.arange(stop)] += 1.0
    blocks = lambdas[0].T @ system.blocks @ lambdas[0] + np.eye(first.size)
    factor = np.linalg.cholesky(blocks)
    border = border / factor if first.size == 1 else np.linalg.solve(factor, border)
    flat = border.reshape(-1, border.shape[-1])
    corner -= flat.T @ flat
    inner = np.linalg.cholesky(corner[:-1, :-1])
    last = solve_triangular(inner, corner[:-1, -1], lower=True) if len(inner) else corner[:-1, -1]
    return Factorised(factor, border, inner, last, float(corner[-1, -1] - last @ last))


def deviance(system: System, theta: np.ndarray) -> float:
    """Returns -2 log likelihood (or the REML criterion) at the best sigma, with all constants.

    Args:
        system: the cross products.
        theta: relative scales and correlations.
    """
    try:
        at = factorise(system, theta)
    except np.linalg.LinAlgError:
        return np.inf
    r, _, unit = system.basis
    others = len(at.corner) - system.coefficients
    diagonal = np.log(np.diag(at.corner))
    logs = np.log(np.diagonal(at.first, axis1=1, axis2=2)).sum() + diagonal[:others].sum()
    if system.reml:
        logs += diagonal[others:].sum() + np.log(np.abs(np.diag(r))).sum()
    freedom = system.freedom
    quadratic = at.residual if system.known else freedom
    variance = 1.0 if system.known else max(at.residual, TINY) / freedom * unit**2
    scale = np.log(2 * np.pi * variance)
    return float(2 * logs + quadratic + freedom * scale + system.constant)


def best_log_sigma(system: System, theta: np.ndarray) -> float:
    """Returns the log of the residual deviation that goes with theta, in units of y's."""
    if system.known:
        return 0.0
    return float(0.5 * np.log(max(factorise(system, theta).residual, TINY) / system.freedom))
