"""Convergence of chains: rank-normalised split R-hat, bulk and tail effective sample sizes.

The same numbers as ArviZ's `rhat` and `ess`, which the tests check to rounding. They are computed here
because importing ArviZ takes longer than sampling a small model, and every summary needs them.

Source: Vehtari et al. (2021), Bayesian Analysis 16:667.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

TAILS = (0.05, 0.95)


def diagnostics(draws: np.ndarray) -> dict[str, float]:
    """Returns `ess_bulk`, `ess_tail` and `r_hat` of one parameter.

    Args:
        draws: shape (chain, draw); NaN where there are fewer than 4 draws, or all are equal.
    """
    nothing = {"ess_bulk": np.nan, "ess_tail": np.nan, "r_hat": np.nan}
    if draws.shape[1] < 4 or not np.isfinite(draws).all() or np.ptp(draws) == 0:
        return nothing
    split = _split(draws)
    folded = _split(np.abs(draws - np.median(draws)))
    tails = [_ess(_split((draws <= np.quantile(draws, q)).astype(float))) for q in TAILS]
    return {
        "ess_bulk": _ess(_normal_scores(split)),
        "ess_tail": float(min(tails)),
        "r_hat": max(_r_hat(_normal_scores(split)), _r_hat(_normal_scores(folded))),
    }


def _split(draws: np.ndarray) -> np.ndarray:
    """Cuts every chain into halves; a middle draw is left out."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _normal_scores(draws: np.ndarray) -> np.ndarray:
    """Replaces values by the normal quantiles of their average ranks (Blom)."""
    flat = draws.ravel()
    _, inverse, counts = np.unique(flat, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    rank = (last - (counts - 1) / 2)[inverse]
    return ndtri((rank - 0.375) / (flat.size + 0.25)).reshape(draws.shape)


def _r_hat(draws: np.ndarray) -> float:
    """sqrt of the ratio of the pooled variance to that within chains."""
    n = draws.shape[1]
    between = n * draws.mean(axis=1).var(ddof=1)
    within = draws.var(axis=1, ddof=1).mean()
    with np.errstate(all="ignore"):
        return float(np.sqrt((between / within + n - 1) / n))


def _ess(draws: np.ndarray) -> float:
    """Effective sample size, autocorrelations summed in pairs (Geyer 1992).

    Sums of neighbouring autocorrelations of a reversible chain are positive and fall; noise breaks
    this, so the sums are cut at the first negative one and replaced by their running minimum.
    """
    chains, n = draws.shape
    total = chains * n
    if np.ptp(draws) < 1e-15:
        return float(total)
    covariance = _autocovariance(draws).mean(axis=0)
    within = covariance[0] * n / (n - 1)
    pooled = covariance[0] + (draws.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    correlation = 1 - (within - covariance) / pooled
    correlation[0] = 1.0
    even = correlation[0 : 2 * (n // 2) : 2]
    sums = even + correlation[1 : 2 * (n // 2) : 2]
    negative = np.flatnonzero(sums < 0)
    stop = min(negative[0] if negative.size else len(sums), max((n - 3) // 2, 0))
    time = -1 + 2 * np.minimum.accumulate(sums[:stop]).sum() + max(even[stop], 0.0)
    return float(total / max(time, 1 / np.log10(total)))


def _autocovariance(draws: np.ndarray) -> np.ndarray:
    """Autocovariance of every chain at all lags, by FFT, shape (chain, draw)."""
    n = draws.shape[1]
    centred = draws - draws.mean(axis=1, keepdims=True)
    size = 2 ** int(np.ceil(np.log2(2 * n)))
    spectrum = np.fft.rfft(centred, size, axis=1)
    return np.fft.irfft(spectrum * np.conj(spectrum), size, axis=1)[:, :n] / n
