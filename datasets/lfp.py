"""Simulated power of the local field potential: mice with unlike baselines, with and without light."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError, shown
from .arguments import names, number, whole


def lfp(
    mice: int = 10,
    trials: int = 60,
    effect: float = 0.3,
    seed: int = 0,
    *,
    baseline: float = 10.0,
    baseline_sd: float = 0.8,
    effect_cv: float = 0.3,
    correlation: float = 0.0,
    alpha: float = 5.0,
    samples: int | None = None,
    trial_sd: float | None = None,
    labels: tuple[str, str] | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Simulates band power of the local field potential in stimulated and control trials.

    Power ~ Gamma(mean mu, shape alpha),  log mu = log(baseline) + baseline_sd z[mouse] + s[mouse] stim
    s[mouse] = effect (1 + effect_cv w[mouse]),  (z, w) standard normal with the given correlation

    so `Power ~ stim + (1 + stim | mouse)` with family `gamma` is the true model. With `effect=0`
    every mouse's effect is exactly 0. With `samples=` a trial is measured several times,

    log mu = ... + trial_sd u[trial],  u standard normal

    and the true model has `(1 | mouse:trial)` as well.

    Args:
        mice: number of mice, at least 2.
        trials: trials per mouse, at least 2; half of them, in random order, are stimulated.
        effect: mean effect of the stimulation, as a log ratio (0.3 is a ratio of 1.35).
        seed: the same seed gives the same data.
        baseline: power of the median mouse without stimulation, in uV^2.
        baseline_sd: standard deviation over mice of the log baseline; 0.8 makes ten mice differ
            about tenfold.
        effect_cv: standard deviation over mice of the effect, relative to its mean.
        correlation: between a mouse's log baseline and its relative effect; negative values give
            mice of high baseline smaller effects.
        alpha: shape of the gamma noise; its coefficient of variation is 1 / sqrt(alpha).
        samples: samples of the power per trial, with noise of their own; None for one per trial.
        trial_sd: standard deviation over trials of the log power that a trial's samples share; 0.5
            if not given. Only with samples.
        labels: names of control and stimulated trials, in place of 0 and 1.

    Returns:
        A table with columns `Power` (uV^2), `stim` (0 or 1, or the labels as ordered categories),
        `mouse` and `trial`, one row per trial (with samples one per sample, and a column `sample`);
        and the truth: parameters by their printed names (`Intercept`, `stim`, `sd(1|mouse)`,
        `sd(stim|mouse)`, `corr(mouse)[Intercept,stim]` where both vary, `sd(1|mouse:trial)` with
        samples, `alpha`), and for each mouse `baselines` (uV^2) and `effects` (log ratios).

    Raises:
        OptionError: an argument is out of range, or trial_sd= is given without samples=.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lfp(mice=3, trials=4)
        >>> data.shape, truth["stim"]
        ((12, 4), 0.3)
    """
    mice, trials, seed = whole("mice", mice, 2), whole("trials", trials, 2), whole("seed", seed, 0)
    effect = number("effect", effect, -math.inf)
    baseline, alpha = (
        number("baseline", baseline, 0, open=True),
        number("alpha", alpha, 0, open=True),
    )
    baseline_sd, effect_cv = (
        number("baseline_sd", baseline_sd, 0),
        number("effect_cv", effect_cv, 0),
    )
    correlation = number("correlation", correlation, -1, 1)
    if labels is not None and not _two_names(labels):
        raise OptionError(f"labels= takes two different names, not {shown(labels)}.")

    if samples is None and trial_sd is not None:
        raise OptionError(
            "trial_sd= is about several samples of each trial; give samples= as well."
        )
    repeats = 1 if samples is None else whole("samples", samples, 1)
    shared = 0.5 if trial_sd is None else number("trial_sd", trial_sd, 0)

    rng = np.random.default_rng(seed)
    z, v = rng.standard_normal((2, mice))
    w = correlation * z + math.sqrt(1 - correlation**2) * v
    effects = effect * (1 + effect_cv * w)
    baselines = baseline * np.exp(baseline_sd * z)
    stim = rng.permuted(np.tile(np.arange(trials) % 2, (mice, 1)), axis=1)
    mean = baselines[:, None] * np.exp(effects[:, None] * stim)
    if samples is not None:
        mean = mean * np.exp(shared * rng.standard_normal(mean.shape))
    power = mean[..., None] * rng.gamma(alpha, 1 / alpha, size=(*mean.shape, repeats))

    mouse = names("m", mice)
    data = pd.DataFrame(
        {
            "Power": power.ravel(),
            "stim": np.repeat(stim.ravel(), repeats),
            "mouse": np.repeat(mouse, trials * repeats),
            "trial": np.tile(np.repeat(np.arange(trials), repeats), mice),
        }
    )
    if samples is not None:
        data["sample"] = np.tile(np.arange(repeats), mice * trials)
    suffix = ""
    if labels is not None:
        data["stim"] = pd.Categorical.from_codes(data["stim"], categories=list(labels))
        suffix = f"[{labels[1]}]"
    truth: dict[str, Any] = {
        "Intercept": math.log(baseline),
        f"stim{suffix}": effect,
        "sd(1|mouse)": baseline_sd,
        f"sd(stim|mouse){suffix}": abs(effect) * effect_cv,
    }
    if effect * effect_cv * baseline_sd != 0:
        truth[f"corr(mouse)[Intercept,stim{suffix}]"] = correlation * math.copysign(1, effect)
    if samples is not None:
        truth["sd(1|mouse:trial)"] = shared
    truth["alpha"] = alpha
    truth["baselines"] = pd.Series(baselines, index=mouse, name="baseline")
    truth["effects"] = pd.Series(effects, index=mouse, name="effect")
    return data, truth


def _two_names(labels: Any) -> bool:
    listed = isinstance(labels, tuple | list) and all(isinstance(label, str) for label in labels)
    return listed and len(labels) == len(set(labels)) == 2
