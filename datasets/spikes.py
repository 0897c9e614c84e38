"""Simulated spike counts: neurons with rates far apart, in several mice, with and without light."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError, shown
from .arguments import names, number, whole


def spikes(
    mice: int = 4,
    neurons: int = 6,
    trials: int = 40,
    effect: float = 0.3,
    seed: int = 0,
    *,
    rates: tuple[float, float] = (1.0, 30.0),
    mouse_sd: float = 0.3,
    effect_cv: float = 0.3,
    duration: tuple[float, float] = (0.5, 1.5),
    alpha: float | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Simulates spike counts of trials, from neurons whose rates are spaced evenly on the log scale.

    count ~ Poisson(rate[neuron] exp(s[neuron] stim) duration)
    rate[neuron] = spaced[neuron] exp(mouse_sd z[mouse]),  s[neuron] = effect (1 + effect_cv w[neuron])

    so `count ~ stim + (1 | mouse) + (1 + stim | neuron) + offset(log(duration))` with family
    `poisson` (or `negative_binomial`, where `alpha` is given) fits it. With `effect=0` every
    neuron's effect is exactly 0.

    Args:
        mice: number of mice, at least 2.
        neurons: neurons per mouse, at least 2.
        trials: trials per neuron, at least 2; half of them, in random order, are stimulated.
        effect: mean effect of the stimulation, as a log ratio of rates (0.3 is a ratio of 1.35).
        seed: the same seed gives the same data.
        rates: lowest and highest rate of a typical mouse's neurons without stimulation, in Hz.
        mouse_sd: standard deviation over mice of the log rate.
        effect_cv: standard deviation over neurons of the effect, relative to its mean.
        duration: shortest and longest trial, in s; each trial's is drawn uniformly.
        alpha: for overdispersed counts, variance = mean + mean^2 / alpha; None is Poisson.

    Returns:
        A table with columns `count` (spikes), `duration` (s), `rate` (count / duration, Hz), `stim`
        (0 or 1), `mouse`, `neuron` (labels unique over mice) and `trial` (the trials of a mouse are
        common to its neurons), one row per neuron and trial; and the truth: `Intercept` (log Hz),
        `stim`, `sd(1|mouse)`, `sd(stim|neuron)`, `alpha` where given, and for each neuron
        `baselines` (Hz) and `effects` (log ratios).

    Raises:
        OptionError: an argument is out of range.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.spikes(mice=2, neurons=3, trials=4)
        >>> data.shape, truth["baselines"].index[0]
        ((24, 7), 'm01n01')
    """
    mice, neurons = whole("mice", mice, 2), whole("neurons", neurons, 2)
    trials, seed = whole("trials", trials, 2), whole("seed", seed, 0)
    effect = number("effect", effect, -math.inf)
    mouse_sd, effect_cv = number("mouse_sd", mouse_sd, 0), number("effect_cv", effect_cv, 0)
    low, high = _pair("rates", rates)
    shortest, longest = _pair("duration", duration)

    rng = np.random.default_rng(seed)
    z = rng.standard_normal((mice, 1))
    effects = effect * (1 + effect_cv * rng.standard_normal((mice, neurons)))
    spaced = np.geomspace(low, high, neurons)
    baselines = spaced * np.exp(mouse_sd * z)
    stim = rng.permuted(np.tile(np.arange(trials) % 2, (mice, 1)), axis=1)
    seconds = rng.uniform(shortest, longest, size=(mice, trials))
    mean = baselines[:, :, None] * np.exp(effects[:, :, None] * stim[:, None, :])
    mean = mean * seconds[:, None, :]
    if alpha is not None:
        alpha = number("alpha", alpha, 0, open=True)
        mean = mean * rng.gamma(alpha, 1 / alpha, size=mean.shape)
    count = rng.poisson(mean)

    mouse = names("m", mice)
    neuron = [m + n for m in mouse for n in names("n", neurons)]
    per_trial = np.broadcast_to(seconds[:, None, :], count.shape)
    data = pd.DataFrame(
        {
            "count": count.ravel(),
            "duration": per_trial.ravel(),
            "rate": (count / per_trial).ravel(),
            "stim": np.broadcast_to(stim[:, None, :], count.shape).ravel(),
            "mouse": np.repeat(mouse, neurons * trials),
            "neuron": np.repeat(neuron, trials),
            "trial": np.tile(np.arange(trials), mice * neurons),
        }
    )
    truth: dict[str, Any] = {
        "Intercept": float(np.log(spaced).mean()),
        "stim": effect,
        "sd(1|mouse)": mouse_sd,
        "sd(stim|neuron)": abs(effect) * effect_cv,
    }
    if alpha is not None:
        truth["alpha"] = alpha
    truth["baselines"] = pd.Series(baselines.ravel(), index=neuron, name="baseline")
    truth["effects"] = pd.Series(effects.ravel(), index=neuron, name="effect")
    return data, truth


def _pair(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise OptionError(f"{name}= takes two numbers, lowest and highest, not {shown(value)}.")
    low = number(f"{name}[0]", value[0], 0, open=True)
    return low, number(f"{name}[1]", value[1], low)
