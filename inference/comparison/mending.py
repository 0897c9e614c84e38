"""Leave-one-out densities of the rows for which importance sampling fails."""

from __future__ import annotations

import numpy as np

from ...errors import sentences
from ..fit import Fit
from .bridge import bridge, from_posterior
from .held_out import known_draws, left_out_draws, log_mean
from .moment_matching import check_draws, match_moments, target
from .refits import refits


def mend(
    fit: Fit,
    each: np.ndarray,
    k: np.ndarray,
    good: float,
    efficiency: float,
    moment_match: bool,
    refit: bool,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, str]:
    """Matches moments where Pareto k is bad, and then fits anew without each row where it still is.

    Args:
        fit: the fit.
        each: log predictive densities, shape (obs[, neuron]).
        k: their Pareto k.
        good: the largest k that is good.
        efficiency: how many independent draws one draw is worth.
        moment_match: whether to match moments.
        refit: whether to refit.
        seed: of refits.

    Returns:
        The densities and k, and what was done in words.
    """
    if moment_match:
        check_draws(fit)
    each, k = each.copy(), k.copy()
    bad = _cells(k, good)
    if not bad:
        return each, k, f"no Pareto k is above {good:.2g}, so nothing had to be mended."
    said = [f"{len(bad):,} of {k.size:,} observations had a Pareto k above {good:.2g}."]
    if moment_match:
        given = target(fit)
        base = given.density(given.draws)
        for cell in bad:
            moved = match_moments(given, base, cell, efficiency, good)
            if moved.k < k[cell]:
                each[cell], k[cell] = moved.elpd, moved.k
        rest = _cells(k, good)
        done = len(bad) - len(rest)
        said.append(f"Moment matching brought {done:,} of them below.")
        bad = rest
    if refit and bad:
        left_out = []
        for cell in bad:
            mask = np.zeros(k.shape, dtype=bool)
            mask[cell] = True
            left_out.append(mask)
        for cell, mask, found in zip(bad, left_out, refits(fit, left_out, seed), strict=True):
            trained = ~mask.reshape(len(mask), -1).all(axis=1)
            logs = left_out_draws(fit, found, cell, trained, seed)
            exact = from_posterior(fit) and from_posterior(found)
            each[cell] = bridge(logs, known_draws(fit, cell)) if exact else log_mean(logs)
            k[cell] = 0.0
        said.append(
            f"{len(bad):,} refit(s) without one observation each replaced the estimates of the rest "
            "(k = 0)."
        )
        bad = []
    if bad:
        worst = max(bad, key=lambda cell: k[cell])
        said.append(
            f"{len(bad):,} are still bad (worst: row {fit.model.design.rows[worst[0]]}, k = "
            f"{k[worst]:.2f}); refit=True computes them exactly."
        )
    return each, k, sentences(*said)


def _cells(k: np.ndarray, good: float) -> list[tuple[int, ...]]:
    """Returns the positions of bad values."""
    return [tuple(map(int, cell)) for cell in np.argwhere(k > good)]
