"""The leave-one-out density from draws with and without the observation: bridge sampling.

The posterior with the observation is l(theta) = p(y_i | theta) times the one without it, so that

    r = p(y_i | others) = sum_without l / (a l + b r)  :  sum_with 1 / (a l + b r)   (means),

which holds for any a and b; with the shares of the two sets of draws it has the least variance. The
mean of l without the observation alone is far less exact where the observation is a surprise.

Source: Meng and Wong (1996), Statistica Sinica 6:831.
"""

from __future__ import annotations

import numpy as np

from ...zoo.statistics import obstacle
from ..fit import Fit

ROUNDS, TOLERANCE = 1_000, 1e-10


def from_posterior(fit: Fit) -> bool:
    """Whether the draws are those of the posterior itself, not of an approximation to it."""
    integrated = fit.info["settings"].get("marginalize") == "laplace"
    approximate = integrated and obstacle(fit.model.spec.structure, fit.model.design.response)
    return fit.backend.sampled and not approximate


def bridge(without: np.ndarray, known: np.ndarray) -> float:
    """Returns log p(y_i | others).

    Args:
        without: log p(y_i | theta) over draws that do not know y_i, shape (sample,).
        known: the same over draws that do.
    """
    total = len(without) + len(known)
    a, b = np.log(len(known) / total), np.log(len(without) / total)
    value = _log_mean(without)
    for _ in range(ROUNDS):
        above = _log_mean(without - np.logaddexp(a + without, b + value))
        below = _log_mean(-np.logaddexp(a + known, b + value))
        new = above - below
        if abs(new - value) < TOLERANCE:
            break
        value = new
    return float(value)


def _log_mean(logs: np.ndarray) -> float:
    return float(np.logaddexp.reduce(logs) - np.log(len(logs)))
