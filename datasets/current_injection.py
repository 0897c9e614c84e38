"""A simulated cell with noisy current injected through an electrode."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError, listing, nearest, shown
from .arguments import number, whole
from .temporal import FASTEST, causal, raised_cos_log, refuse_runaway, spike_train

UNITS = {"pA": 1.0, "nA": 1e-3, "A": 1e-12}
"""Each unit's factor: a current in it, per pA."""

BIN_WIDTH = 0.001  # s
AMPLITUDES = (115.0, 135.0, 150.0)  # pA, mean of each pulse
NOISE_TIME = 3  # bins, time constant of the noise
WEIGHTS = np.array([4.0, 6.0, 8.0, 6.0, 3.0, 0.5, -0.2, -0.2]) * 1e-4  # per pA
HISTORY_WEIGHTS = np.array([-4.0, -3.0, -3.0, -1.0, -0.3])  # per spike
REMEDY = "Lower gain=, noise= or rest="


def current_injection(
    seed: int = 0,
    *,
    unit: str = "pA",
    refractory: bool = False,
    gain: float = 1.0,
    rest: float = 0.5,
    noise: float = 0.4,
    pulse: float = 6.0,
    pause: float = 2.5,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Simulates spikes of a cell under three noisy pulses of current, each larger than the last.

    spikes[t] ~ Poisson(exp(Intercept + sum_j kernel[j] current[t - 1 - j]))
    kernel = raised_cos_log(8, 200) @ weights

    in bins of 1 ms, so `spikes ~ conv(current, raised_cos_log(8, 200))` with family `poisson` is the
    true model. The kernel is positive up to 50 ms and slightly negative later: the cell adapts. With
    `refractory`, the log rate also has sum_j history_kernel[j] spikes[t - 1 - j], which all but
    forbids spikes within 2 ms and fades over 15 ms; the true model then has the further term
    `conv(spikes, raised_cos_log(5, 20))`. Before the start there are no current and no spikes. With
    `gain=0` the current has exactly no effect.

    Args:
        seed: the same seed gives the same data.
        unit: of the current, "pA", "nA" or "A". The cell and its spikes are the same in each; only
            the column's numbers change, and `weights` and `kernel` with them.
        refractory: whether a spike suppresses spikes in the bins after it; its own bin may hold a
            second one.
        gain: multiplies the kernel.
        rest: rate without current, in Hz.
        noise: standard deviation of the current in a pulse, relative to the pulse's mean; the noise
            fades with a time constant of 3 ms.
        pulse: length of each of the pulses, whose means are 115, 135 and 150 pA, in s.
        pause: length of the pauses before, between and after them, with current 0, in s.

    Returns:
        A table with columns `time` (start of the bin, s), `current` (in `unit`) and `spikes`
        (count), one row per ms, 28,000 by default; and the truth: `Intercept` (log count per bin
        without current), `weights` (shape (8,)) and `kernel` (shape (200,)) per unit of current,
        `rate` (Hz, given the past, shape (bins,)), `unit`, `bin_width` (s), `formula`, and, with
        `refractory`, `history_weights` (shape (5,)) and `history_kernel` (shape (20,)) per spike.

    Raises:
        OptionError: an argument is out of range, or the cell would fire faster than 5,000 Hz.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.current_injection(unit="nA")
        >>> data.shape, truth["weights"][0].round(3).item()
        ((28000, 3), 0.4)
    """
    seed = whole("seed", seed, 0)
    if not isinstance(unit, str) or unit not in UNITS:
        known = listing(f'"{name}"' for name in UNITS)
        raise OptionError(
            f"unit= takes one of {known}, not {shown(unit)}.{nearest(str(unit), UNITS)}"
        )
    if not isinstance(refractory, bool | np.bool_):
        raise OptionError(f"refractory= takes True or False, not {shown(refractory)}.")
    gain, noise = number("gain", gain, -100, 100), number("noise", noise, 0, 10)
    rest = number("rest", rest, 0, FASTEST, open=True)
    pulse, pause = number("pulse", pulse, BIN_WIDTH), number("pause", pause, 0)

    rng = np.random.default_rng(seed)
    picoamperes = _pulses(rng, round(pulse / BIN_WIDTH), round(pause / BIN_WIDTH), noise)
    weights = gain * WEIGHTS
    kernel = raised_cos_log(8, 200) @ weights
    intercept = math.log(rest * BIN_WIDTH)
    log_mean = intercept + causal(picoamperes, kernel)
    history: dict[str, Any] = {}
    if refractory:
        history_kernel = raised_cos_log(5, 20) @ HISTORY_WEIGHTS
        history = {"history_weights": HISTORY_WEIGHTS.copy(), "history_kernel": history_kernel}
        kernels = history_kernel[None, :, None]
        counts, log_means = spike_train(rng, log_mean[:, None], kernels, BIN_WIDTH, REMEDY)
        spikes, log_mean = counts[:, 0], log_means[:, 0]
    else:
        refuse_runaway(log_mean, BIN_WIDTH, REMEDY)
        spikes = rng.poisson(np.exp(log_mean))

    time = np.arange(len(spikes)) * BIN_WIDTH
    current = picoamperes * UNITS[unit]
    formula = "spikes ~ conv(current, raised_cos_log(8, 200))"
    truth = {
        "Intercept": intercept,
        "weights": weights / UNITS[unit],
        "kernel": kernel / UNITS[unit],
        **history,
        "rate": np.exp(log_mean) / BIN_WIDTH,
        "unit": unit,
        "bin_width": BIN_WIDTH,
        "formula": formula + " + conv(spikes, raised_cos_log(5, 20))" * bool(refractory),
    }
    return pd.DataFrame({"time": time, "current": current, "spikes": spikes}), truth


def _pulses(rng: np.random.Generator, pulse: int, pause: int, noise: float) -> np.ndarray:
    """Returns a current in pA: pauses of no current around pulses with noise of their own size."""
    amplitudes = [0.0, *(x for amplitude in AMPLITUDES for x in (amplitude, 0.0))]
    lengths = [pause, *(pulse, pause) * len(AMPLITUDES)]
    mean = np.repeat(amplitudes, lengths)
    fading = np.exp(-np.arange(10 * NOISE_TIME) / NOISE_TIME)
    white = rng.standard_normal(len(mean) + len(fading) - 1)
    return mean * (1 + noise * np.convolve(white, fading / np.linalg.norm(fading), "valid"))
