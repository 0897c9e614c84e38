"""Pareto-smoothed importance sampling of many rows at once.

The importance ratios of leaving one row out are r_s = 1 / p(y | theta_s). The largest of them follow a
generalised Pareto distribution; its fitted quantiles stand for them, and its shape k says whether the
estimate can be trusted.

Source: Vehtari, Simpson, Gelman, Yao and Gabry (2024), JMLR 25:72; Zhang and Stephens (2009),
Technometrics 51:316.
"""

from __future__ import annotations

import numpy as np

LOWEST = float(np.log(np.finfo(np.float64).tiny))
"""Log ratios further below the largest one do not count."""
FEWEST = 5
"""Tails of fewer ratios than this are left as they are, and k is infinite."""
PRIOR_SCALE, PRIOR_SHAPE, PRIOR_SIZE = 3.0, 0.5, 10
"""The priors of Zhang and Stephens' scale, and of k: its centre, and how many ratios it counts for."""


def tail_length(samples: int, efficiency: float) -> int:
    """Returns how many of the largest ratios are smoothed.

    Args:
        samples: the number of draws, at least 2.
        efficiency: how many independent draws one draw is worth.
    """
    return int(np.ceil(min(samples / 5, 3 * np.sqrt(samples / efficiency))))


def leave_one_out(log_likelihood: np.ndarray, tail: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates the log predictive density of every row from draws that know the row.

    elpd_i = log sum_s w_s p(y_i | theta_s) / sum_s w_s, with smoothed ratios w

    Args:
        log_likelihood: shape (row, sample).
        tail: how many ratios are smoothed.

    Returns:
        elpd and the shape k of each row's tail, shape (row,); NaN and infinity where a log-likelihood
        is not finite.
    """
    samples = log_likelihood.shape[1]
    with np.errstate(all="ignore"):
        ratios = -log_likelihood
        top = ratios.max(axis=1)
        ratios -= top[:, None]
        ratios.partition(samples - tail - 1, axis=1)
        raw = np.sort(ratios[:, samples - tail :], axis=1)
        body = ratios[:, : samples - tail]
        cutoff = np.maximum(body[:, -1], LOWEST)
        smooth, k = _smooth(raw, cutoff)
        # a body's ratio times its likelihood is 1, so that only tails need a second exponential
        gain = smooth - raw
        most = np.maximum(gain.max(axis=1), 0.0)
        upper = np.exp(gain - most[:, None]).sum(axis=1) + body.shape[1] * np.exp(-most)
        lower = np.exp(body, out=body).sum(axis=1) + np.exp(smooth).sum(axis=1)
        return most + np.log(upper) - np.log(lower) - top, k


def smoothed_weights(log_likelihood: np.ndarray, tail: int) -> np.ndarray:
    """Returns the weights that make of draws that know a row draws that do not; they sum to 1.

    Args:
        log_likelihood: shape (row, sample).
        tail: how many ratios are smoothed.

    Returns:
        Shape (row, sample); NaN where a log-likelihood is not finite.
    """
    samples = log_likelihood.shape[1]
    with np.errstate(all="ignore"):
        ratios = -log_likelihood
        ratios -= ratios.max(axis=1, keepdims=True)
        order = np.argsort(ratios, axis=1)
        highest = order[:, samples - tail :]
        raw = np.take_along_axis(ratios, highest, axis=1)
        below = np.take_along_axis(ratios, order[:, samples - tail - 1, None], axis=1)[:, 0]
        smooth, _ = _smooth(raw, np.maximum(below, LOWEST))
        np.put_along_axis(ratios, highest, smooth, axis=1)
        weights = np.exp(ratios - ratios.max(axis=1, keepdims=True), out=ratios)
        return weights / weights.sum(axis=1, keepdims=True)


def _smooth(raw: np.ndarray, cutoff: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns smoothed log ratios of sorted ones, shape (row, tail), and k.

    Ratios that equal the cutoff do not belong to the tail, so that tails differ in length.
    """
    smooth, k = raw.copy(), np.full(len(raw), np.inf)
    lengths = np.sum(raw > cutoff[:, None], axis=1)
    for length in np.unique(lengths[lengths >= FEWEST]):
        rows = np.flatnonzero(lengths == length)
        low = np.exp(cutoff[rows, None])
        excess = np.exp(raw[rows, -length:]) - low
        shape, scale = fit_pareto(excess)
        fitted = np.log(_quantiles(shape, scale, length) + low)
        usable = np.isfinite(fitted).all(axis=1)
        smooth[rows[usable], -length:] = np.minimum(fitted[usable], 0.0)
        k[rows[usable]] = shape[usable]
    return smooth, k


def fit_pareto(excess: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fits a generalised Pareto distribution to every row.

    Zhang and Stephens average b = -k / scale over a grid, weighted by its profile likelihood.

    Args:
        excess: sorted excesses over a threshold, shape (row, excess).

    Returns:
        The shape k, drawn to 1/2 by a weak prior, and the scale, shape (row,).
    """
    n = excess.shape[1]
    grid = 30 + int(np.sqrt(n))
    quarter = excess[:, int(n / 4 + 0.5) - 1]
    points = 1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))
    b = points[:, None] / (PRIOR_SCALE * quarter) + 1 / excess[:, -1]
    k = np.stack([_mean_log(excess, each) for each in b])
    likelihood = n * (np.log(-b / k) - k - 1)
    weights = np.exp(likelihood - likelihood.max(axis=0))
    weights /= weights.sum(axis=0)
    weights[weights < 10 * np.finfo(np.float64).eps] = 0.0
    best = np.sum(b * weights, axis=0) / weights.sum(axis=0)
    shape = _mean_log(excess, best)
    scale = -shape / best
    return (n * shape + PRIOR_SIZE * PRIOR_SHAPE) / (n + PRIOR_SIZE), scale


def _mean_log(excess: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the mean of log(1 - b x) of every row."""
    terms = excess * -b[:, None]
    return np.log1p(terms, out=terms).mean(axis=1)


def _quantiles(shape: np.ndarray, scale: np.ndarray, count: int) -> np.ndarray:
    """Returns quantiles of generalised Pareto distributions at (i - 1/2) / count, (row, count)."""
    exponential = -np.log1p(-np.arange(0.5, count) / count)[None, :]
    k = shape[:, None]
    tiny = np.abs(k) < np.finfo(np.float64).eps
    bent = np.expm1(k * exponential) / np.where(tiny, 1.0, k)
    return np.where(scale > 0, scale, np.nan)[:, None] * np.where(tiny, exponential, bent)
