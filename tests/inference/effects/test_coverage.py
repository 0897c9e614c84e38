"""Intervals of contrasts and ratios hold the truth as often as they say."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

SETS = 200


def _covered(fits, ask, truth):
    hits = 0
    for fit in fits:
        row = ask(fit).iloc[0]
        hits += bool(row["lower"] <= truth <= row["upper"])
    return hits


def _require_nominal(hits, prob):
    """Within 3.5 binomial standard errors of the nominal rate."""
    error = np.sqrt(prob * (1 - prob) / SETS)
    assert abs(hits / SETS - prob) < 3.5 * error, hits / SETS


def _mixed(seed):
    rng = np.random.default_rng([7, seed])
    mouse = np.repeat(np.arange(8), 10)
    stim = np.tile([0, 1], 40)
    slope = 1.0 + 0.8 * rng.normal(size=8)
    y = 3 + rng.normal(size=8)[mouse] + slope[mouse] * stim + rng.normal(size=80)
    return pd.DataFrame({"y": y, "stim": stim, "mouse": mouse.astype(str)})


def test_contrasts_of_mixed_models_cover():
    tables = [_mixed(seed) for seed in range(SETS)]
    fits = bz.fit_many("y ~ stim + (stim | mouse)", tables, method="lme", progress=False)
    _require_nominal(_covered(fits, lambda fit: fit.contrasts("stim", prob=0.9), 1.0), 0.9)


def _counts(seed):
    rng = np.random.default_rng([8, seed])
    g, x = rng.choice(["a", "b"], 60), rng.normal(size=60)
    mean = np.exp(1 + 0.4 * (g == "b") + 0.3 * x)
    return pd.DataFrame({"k": rng.poisson(mean), "g": g, "x": x})


@pytest.mark.parametrize("method", ["glm", "laplace"])
def test_ratios_of_counts_cover(method):
    tables = [_counts(seed) for seed in range(SETS)]
    fits = bz.fit_many("k ~ g + x", tables, family="poisson", method=method, progress=False)
    hits = _covered(fits, lambda fit: fit.contrasts("g", scale="ratio", prob=0.9), np.exp(0.4))
    _require_nominal(hits, 0.9)
