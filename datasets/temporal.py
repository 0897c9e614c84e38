"""Kernels, causal filters and spike trains, for simulators of spikes over time."""

from __future__ import annotations

import math

import numpy as np

from ..errors import OptionError

FASTEST = 5_000.0
"""No simulated neuron is expected to fire faster than this, in Hz."""


def raised_cos_log(n: int, window: int) -> np.ndarray:
    """Returns raised cosines that widen with the lag.

    bump[i](lag) = (1 + cos(clip(pi (u - i d) / (2 d), -pi, pi))) / 2
    u = log(1 + 50 x) / log(51),  x from 0 to 1 over the window,  d = 1 / (n + 1)

    Args:
        n: number of bumps, at least 2.
        window: number of bins.

    Returns:
        Values at lags 0 to window - 1, shape (window, n).

    Source: Pillow et al. (2008), with the time scaling and the decay to 0 that NeMoS uses.
    """
    u = np.log1p(50 * np.linspace(0, 1, window)) / math.log(51)
    phase = math.pi / 2 * (u[:, None] * (n + 1) - np.arange(n))
    return (1 + np.cos(np.clip(phase, -math.pi, math.pi))) / 2


def causal(x: np.ndarray, kernel: np.ndarray, lag: int = 1) -> np.ndarray:
    """Returns sum_j kernel[j] x[t - lag - j] at every t; x is 0 before its start.

    Args:
        x: shape (bins,).
        kernel: shape (window,).
        lag: 1 for strictly the past, 0 to include the present bin.

    Returns:
        Shape (bins,).
    """
    return np.convolve(np.concatenate([np.zeros(lag), x]), kernel)[: len(x)]


def refuse_runaway(log_mean: np.ndarray, bin_width: float, remedy: str, start: int = 0) -> None:
    """Raises where a neuron would be expected to fire faster than any neuron can.

    Args:
        log_mean: log of the expected counts, one bin per row, shape (bins, ...).
        bin_width: in s.
        remedy: what to change, an imperative without a full stop.
        start: number of the first bin.

    Raises:
        OptionError: an expected rate is above `FASTEST`.
    """
    allowed = math.log(FASTEST * bin_width)
    if log_mean.max() <= allowed:
        return
    first = np.argwhere(~(log_mean <= allowed))[0]
    peak = float(log_mean[tuple(first)]) - math.log(bin_width)
    found = f"{math.exp(peak):,.0f} Hz" if peak < 20 else f"1e{peak / math.log(10):.0f} Hz"
    raise OptionError(
        f"the simulated rate runs away: after {(start + first[0]) * bin_width:g} s it reaches "
        f"{found}, and no neuron is simulated above {FASTEST:,.0f} Hz. {remedy}."
    )


def spike_train(
    rng: np.random.Generator,
    log_mean: np.ndarray,
    kernels: np.ndarray,
    bin_width: float,
    remedy: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws the counts of neurons that are driven from outside and by each other's past spikes.

    spikes[t, n] ~ Poisson(exp(log_mean[t, n] + sum_sj kernels[s, j, n] spikes[t - 1 - j, s]))

    Each spike adds its source's kernel to the bins after it, once, so that the cost grows with the
    number of spikes.

    Args:
        rng: draws the counts.
        log_mean: log of the expected counts without any history, shape (bins, neuron).
        kernels: shape (source, window, neuron).
        bin_width: in s.
        remedy: as in `refuse_runaway`.

    Returns:
        The counts, and the log of their expectations given the past, both of shape (bins, neuron).

    Raises:
        OptionError: the rate runs away.
    """
    bins, window = len(log_mean), kernels.shape[1]
    after_the_end = np.zeros((window, log_mean.shape[1]))
    log_mean = np.concatenate([log_mean, after_the_end])
    spikes = np.zeros((bins, log_mean.shape[1]), dtype=np.int64)
    for t in range(bins):
        refuse_runaway(log_mean[t : t + 1], bin_width, remedy, start=t)
        spikes[t] = rng.poisson(np.exp(log_mean[t]))
        for source in np.flatnonzero(spikes[t]):
            log_mean[t + 1 : t + 1 + window] += spikes[t, source] * kernels[source]
    return spikes, log_mean[:bins]
