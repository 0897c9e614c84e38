"""Standard deviations and correlations of a mixed model, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..frequentist import normal_draws
from .optimum import Optimum
from .system import System

ZERO = 1e-7
"""A standard deviation this small beside the noise, in the effect's own units, is zero."""
EXTREME = 1 - 1e-11
"""A correlation beyond this is at its boundary."""
RANK = 1e-4
"""Effects whose relative scale in some direction is this small are combinations of others."""

Spread = list[tuple[np.ndarray, np.ndarray]]
"""For each group term its standard deviations (effect,) and correlations (effect, effect)."""


def spread(system: System, theta: np.ndarray, log_sigma: float) -> Spread:
    """Returns standard deviations and correlations of each group term, in the order of the formula."""
    sigma = system.basis[2] * np.exp(log_sigma)
    out: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for factor, relative, unit in zip(
        system.factors, system.relative(theta), system.units, strict=True
    ):
        root = unit * factor.scale @ relative
        units = unit * np.linalg.norm(factor.scale, axis=1)
        sd = np.linalg.norm(root, axis=1)
        zero = sd < ZERO * units
        directions = root / np.where(zero, 1.0, sd)[:, None]
        directions[zero] = 0.0
        correlation = np.clip(directions @ directions.T, -1.0, 1.0)
        np.fill_diagonal(correlation, 1.0)
        for position, span in factor.terms:
            out[position] = (np.where(zero, 0.0, sigma * sd)[span], correlation[span, span])
    return [out[position] for position in sorted(out)]


def singular_terms(system: System, theta: np.ndarray, estimate: Spread) -> list[int]:
    """Returns the group terms of which some effects are combinations of others."""
    out = []
    for factor, relative in zip(system.factors, system.relative(theta), strict=True):
        for position, span in factor.terms:
            values = np.linalg.svd(relative[span, span], compute_uv=False)
            alive = int((estimate[position][0] > 0).sum())
            if (values > RANK).sum() < alive:
                out.append(position)
    return sorted(out)


@dataclass(frozen=True, eq=False)
class SpreadDraws:
    """Standard deviations and correlations with standard errors, and draws.

    Attributes:
        estimate: the estimates.
        error: their standard errors, on the log scale and on the atanh scale; NaN at a boundary.
        draws: for each term draws (draw, effect) and (draw, effect, effect).
        sigma: (estimate, relative standard error, draws).
    """

    estimate: Spread
    error: Spread
    draws: Spread
    sigma: tuple[float, float, np.ndarray]


def draw_spread(
    system: System, optimum: Optimum, generator: np.random.Generator, draws: int
) -> SpreadDraws:
    """Carries the normal approximation of theta over to log sd, atanh correlation and log sigma."""
    estimate = spread(system, optimum.theta, optimum.log_sigma)
    free = [
        (sd > 0, np.tril(np.abs(corr) < EXTREME, -1) & np.outer(sd > 0, sd > 0))
        for sd, corr in estimate
    ]

    def flat(x: np.ndarray) -> np.ndarray:
        parts = []
        for (sd, corr), (some, pairs) in zip(spread(system, x[:-1], x[-1]), free, strict=True):
            bounded = np.clip(corr[pairs], -1 + 1e-15, 1 - 1e-15)
            parts += [np.log(np.maximum(sd[some], 1e-300)), np.arctanh(bounded)]
        return np.concatenate([*parts, x[-1:] + np.log(system.basis[2])])

    x = np.append(optimum.theta, optimum.log_sigma)
    jacobian = np.empty((len(flat(x)), len(x)))
    for j in range(len(x)):
        e = np.eye(len(x))[j] * 1e-5 * max(1.0, abs(x[j]))
        jacobian[:, j] = (flat(x + e) - flat(x - e)) / (2 * e[j])
    covariance = jacobian @ optimum.covariance @ jacobian.T
    open_ended = np.abs(jacobian[:, :-1] @ optimum.flat).max(axis=1, initial=0.0) > 1e-3
    covariance[open_ended, open_ended] = np.nan
    drawn = normal_draws(generator, flat(x), covariance, draws)
    deviation = np.sqrt(np.diag(covariance))
    errors, out, at = [], [], 0
    for (sd, corr), (some, pairs) in zip(estimate, free, strict=True):
        sd_error, sd_draws = np.full(sd.shape, np.nan), np.zeros((draws, *sd.shape))
        corr_error, corr_draws = np.full(corr.shape, np.nan), np.tile(corr, (draws, 1, 1))
        middle, end = at + int(some.sum()), at + int(some.sum()) + int(pairs.sum())
        sd_error[some], sd_draws[:, some] = deviation[at:middle], np.exp(drawn[:, at:middle])
        corr_error[pairs] = deviation[middle:end]
        corr_draws[:, pairs] = np.tanh(drawn[:, middle:end])
        lower = np.tril(corr_draws, -1)
        corr_draws = lower + np.swapaxes(lower, 1, 2) + np.eye(len(sd))
        corr_error = np.fmax(corr_error, corr_error.T)
        errors.append((sd_error, corr_error))
        out.append((sd_draws, _inside(corr_draws, corr)))
        at = end
    sigma = (float(np.exp(flat(x)[-1])), float(deviation[-1]), np.exp(drawn[:, -1]))
    return SpreadDraws(estimate, errors, out, sigma)


def _inside(drawn: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Pulls matrices that are not correlation matrices towards one that is, until they are."""
    if len(centre) < 3:
        return drawn
    out = drawn.copy()
    low, high = np.zeros(len(out)), np.ones(len(out))
    if (np.linalg.eigvalsh(out)[:, 0] >= 0).all():
        return out
    for _ in range(40):
        share = (low + high) / 2
        good = np.linalg.eigvalsh(centre + share[:, None, None] * (drawn - centre))[:, 0] >= 0
        low, high = np.where(good, share, low), np.where(good, high, share)
    share = np.where(np.linalg.eigvalsh(drawn)[:, 0] >= 0, 1.0, low)
    return centre + share[:, None, None] * (drawn - centre)
