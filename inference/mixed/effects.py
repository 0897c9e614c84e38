"""Coefficients and group effects of a mixed model given the variances, with joint draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..frequentist import standard_draws
from .deviance import Factorised, factorise, triangular_inverse
from .gradient import effects_of, levels_of
from .optimum import Optimum
from .system import System


@dataclass(frozen=True, eq=False)
class Effects:
    """Coefficients and group effects given the variances, by Henderson's equations.

    Attributes:
        coefficients: estimates, shape (coef,).
        covariance: of the coefficients.
        draws: of the coefficients, shape (draw, coef).
        modes: for each group term conditional modes (groups, effect) and their standard errors of
            prediction. These count the uncertainty of the coefficients in, unlike lme4's condVar,
            which takes the coefficients for known and so is a little smaller.
        group_draws: for each group term (draw, groups, effect), joint with those of the coefficients.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    draws: np.ndarray
    modes: list[tuple[np.ndarray, np.ndarray]]
    group_draws: list[np.ndarray]


def draw_effects(
    system: System, optimum: Optimum, generator: np.random.Generator, draws: int
) -> Effects:
    """Solves L' v = l + sigma z: with z = 0 the estimates, with normal z joint draws about them."""
    at = factorise(system, optimum.theta)
    r, least_squares, unit = system.basis
    sigma, p = unit * np.exp(optimum.log_sigma), system.coefficients

    def noise(*shape: int) -> np.ndarray:
        """sigma z, in units of y's; the first draw is that of the estimates."""
        out = np.zeros((draws + 1, *shape))
        out[1:] = standard_draws(generator, draws, *shape) * (sigma / unit)
        return out

    inverse = triangular_inverse(at.lower[:-1, :-1])
    solved = (at.lower[-1, :-1] + noise(len(inverse))) @ inverse
    depth = [at.first] if at.rest is None else [at.first, at.rest.first]
    effects, _ = effects_of(at, solved, [noise(*first.shape[:2]) for first in depth])
    modes: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    group_draws: dict[int, np.ndarray] = {}
    for factor, matrix, u, error in zip(
        system.factors, at.lambdas, effects, _errors(at, inverse), strict=True
    ):
        turn = unit * factor.scale @ matrix
        b = u * turn[0, 0] if factor.size == 1 else u @ turn.T
        variance = np.einsum("ab,gbc,ac->ga", factor.scale, error, factor.scale, optimize=True)
        se = sigma * np.sqrt(np.maximum(variance, 0.0))
        for position, span in factor.terms:
            modes[position] = (b[0, :, span], se[:, span])
            group_draws[position] = b[1:, :, span]
    back, fixed = np.linalg.inv(r), slice(len(inverse) - p, None)
    root = sigma * back @ inverse[fixed, fixed].T
    return Effects(
        least_squares + unit * back @ solved[0, fixed],
        root @ root.T,
        least_squares + unit * solved[1:, fixed] @ back.T,
        [modes[position] for position in sorted(modes)],
        [group_draws[position] for position in sorted(group_draws)],
    )


def _errors(at: Factorised, inverse: np.ndarray) -> list[np.ndarray]:
    """Lambda (L L')^-1 Lambda' of every group, coefficients unknown, (groups, effect, effect)."""
    weight = np.zeros(at.lower.shape)
    weight[:-1, :-1] = inverse.T @ inverse
    out, last = [], at
    for level, forms in levels_of(at, weight):
        out.append(level.squares + level.squares @ forms @ level.squares)
        last = level
    lambdas = last.lambdas[1:]
    for factor, span, lam in zip(
        last.system.factors[1:], last.system.spans(), lambdas, strict=True
    ):
        groups, shape = np.arange(factor.groups), (factor.groups, factor.size) * 2
        out.append(lam @ weight[span, span].reshape(shape)[groups, :, groups] @ lam.T)
    return out
