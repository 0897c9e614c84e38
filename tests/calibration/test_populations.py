"""Coverage of masked populations, and what pooling over neurons is worth, on simulated recordings.

`make slow` runs all of it; the ordinary suite runs Laplace's method on fewer recordings.
"""

import os

import numpy as np
import pytest
from scipy import stats

import bayeszoo as bz

REPEATS, PROB, FALSE_ALARM = 20, 0.9, 1e-4
OPTIONS = {"nuts": {"chains": 2, "tune": 300, "draws": 500}, "laplace": {}}


def recording(seed):
    data, truth = bz.datasets.population(
        neurons=5, bins=2_500, seed=seed, basis=3, window=12, rate=12.0, coupling=0.7
    )
    stim, coupling = truth["formula"].removeprefix("spikes ~ ").split(" + ")
    model = bz.Model(truth["formula"], data, family="poisson", mask={coupling: truth["mask"]})
    return model, truth, stim, coupling


def covered(fit, truth, stim, coupling):
    """How many intervals of free parameters hold the truth, and how many there are."""
    posterior = fit.idata.posterior
    tails = [(1 - PROB) / 2, (1 + PROB) / 2]
    true = {
        "Intercept": truth["Intercept"],
        stim: truth["stim"],
        coupling: np.asarray(truth["coupling"]).reshape(-1, 5),
    }
    inside = total = 0
    for name, value in true.items():
        value = np.asarray(value)
        drawn = posterior[name].values.reshape(-1, *value.shape)
        low, high = np.quantile(drawn, tails, axis=0)
        free = np.ones(value.shape, dtype=bool)
        if name == coupling:
            free = np.repeat(np.asarray(truth["mask"], dtype=bool), 3, axis=0)
            assert (drawn[:, ~free] == 0).all()
        inside += int(((low < value) & (value < high))[free].sum())
        total += int(free.sum())
    return inside, total


@pytest.mark.parametrize("method", [pytest.param("nuts", marks=pytest.mark.slow), "laplace"])
def test_intervals_of_a_masked_population_cover(method):
    inside = total = 0
    for seed in range(REPEATS):
        model, *known = recording(seed)
        fit = model.fit(method, seed=seed, progress=False, **OPTIONS[method])
        one, all_of_it = covered(fit, *known)
        inside, total = inside + one, total + all_of_it
    path = os.environ.get("BAYESZOO_RESULTS")
    if path:
        with open(path, "a") as file:
            file.write(f"masked population by {method},none,{inside},{total}\n")
    low, high = stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], total, PROB)
    assert low <= inside <= high, f"{inside} of {total} intervals cover"
