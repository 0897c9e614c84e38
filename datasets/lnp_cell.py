"""A simulated visual cell: white noise, a linear filter, an exponential, Poisson spikes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError, shown
from .arguments import number, whole
from .temporal import FASTEST, causal, refuse_runaway

WIDEST = 3.0
"""Largest standard deviation of the log rate."""


def lnp_cell(
    bins: int = 20_000,
    lags: int = 25,
    seed: int = 0,
    *,
    rate: float = 20.0,
    bin_width: float = 1 / 120,
    filter: Any = None,
    gain: float = 0.7,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Simulates a linear-nonlinear-Poisson cell that is shown white noise.

    stim[t] ~ Normal(0, 1),  spikes[t] ~ Poisson(exp(Intercept + sum_j f[j] stim[t - j]))
    f = gain filter,  Intercept = log(rate bin_width) - |f|^2 / 2

    with j from 0 (the present bin) to lags - 1 and no stimulus before the start, so that
    `spikes ~ lags(stim, 25)` with family `poisson` is the true model. The mean rate is the same for
    every gain; with `gain=0` the stimulus has exactly no effect.

    Args:
        bins: number of bins.
        lags: length of the filter in bins, at least 1; 25 bins of 1/120 s are about 0.2 s.
        seed: the same seed gives the same data.
        rate: expected mean rate, in Hz.
        bin_width: in s.
        filter: weight of the stimulus at each lag, shape (lags,); by default biphasic (positive
            for recent bins, then negative) and of length |filter| = 1.
        gain: multiplies the filter; with the default filter, the standard deviation of the log rate.

    Returns:
        A table with columns `time` (start of the bin, s), `stim` and `spikes` (count), one row per
        bin; and the truth: `Intercept` (log count per bin where the stimulus is 0), `filter`
        (shape (lags,)), `rate` (Hz), `bin_width` (s) and `formula`.

    Raises:
        OptionError: an argument is out of range, |gain filter| is above 3, or the cell would fire
            faster than 5,000 Hz.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lnp_cell(bins=500)
        >>> data.shape, truth["formula"]
        ((500, 3), 'spikes ~ lags(stim, 25)')

    Source: Chichilnisky (2001), "A simple white noise analysis of neuronal light responses".
    """
    bins, lags, seed = whole("bins", bins, 1), whole("lags", lags, 1), whole("seed", seed, 0)
    rate = number("rate", rate, 0, FASTEST, open=True)
    bin_width = number("bin_width", bin_width, 0, 10, open=True)
    gain = number("gain", gain, -math.inf)
    weights = _biphasic(lags) if filter is None else _checked(filter, lags)
    spread = abs(gain) * math.hypot(*weights)
    if not spread <= WIDEST:
        raise OptionError(
            f"the log rate would have a standard deviation of |gain filter| = {spread:.3g}; above "
            f"{WIDEST:g} nearly all spikes fall into bins too rare to simulate. Lower gain=."
        )
    weights = gain * weights
    intercept = math.log(rate * bin_width) - spread**2 / 2

    rng = np.random.default_rng(seed)
    stim = rng.standard_normal(bins)
    log_mean = intercept + causal(stim, weights, lag=0)
    refuse_runaway(log_mean, bin_width, "Lower gain= or rate=")
    spikes = rng.poisson(np.exp(log_mean))

    data = pd.DataFrame({"time": np.arange(bins) * bin_width, "stim": stim, "spikes": spikes})
    truth = {
        "Intercept": intercept,
        "filter": weights,
        "rate": rate,
        "bin_width": bin_width,
        "formula": f"spikes ~ lags(stim, {lags})",
    }
    return data, truth


def _biphasic(lags: int) -> np.ndarray:
    lag = np.arange(1, lags + 1)
    shape = np.sin(2 * math.pi * lag / 16) * np.exp(-lag / 6)
    return shape / np.linalg.norm(shape)


def _checked(values: Any, lags: int) -> np.ndarray:
    try:
        weights = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(
            f"filter= takes {lags} numbers, one per lag, not {shown(values)}."
        ) from None
    if weights.shape != (lags,):
        raise OptionError(
            f"filter= has shape {weights.shape}, but lags={lags} asks for shape ({lags},)."
        )
    if not np.isfinite(weights).all():
        raise OptionError(
            f"filter= holds {(~np.isfinite(weights)).sum()} values that are not finite."
        )
    return weights
