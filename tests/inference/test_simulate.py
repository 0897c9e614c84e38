"""Data sets from given parameter values, for populations and for responses that feed back."""

import numpy as np
import pytest

import bayeszoo as bz

TERM = "conv(spikes, raised_cos_log(3, 10))"
DATA, TRUTH = bz.datasets.population(neurons=3, bins=4000, seed=0, basis=3, window=10, rate=15.0)


def test_a_population_is_simulated_from_its_truth_and_fits_back():
    model = bz.Model(TRUTH["formula"], DATA, family="poisson", mask={TERM: TRUTH["mask"]})
    stim = TRUTH["formula"].split(" + ")[0].removeprefix("spikes ~ ")
    values = {
        "Intercept": TRUTH["Intercept"],
        stim: TRUTH["stim"],
        TERM: np.asarray(TRUTH["coupling"]).reshape(-1, 3),
    }
    new = model.simulate(values, seed=4)
    assert new["spikes"].shape == (4000 - 10, 3) and not np.array_equal(
        new["spikes"], DATA["spikes"].values[10:]
    )
    again = model.simulate(values, seed=4)
    np.testing.assert_array_equal(new["spikes"], again["spikes"])
    refit = bz.Model(TRUTH["formula"], new, family="poisson", mask={TERM: TRUTH["mask"]})
    fit = refit.fit("laplace", seed=1, progress=False).idata.posterior
    for name, true in values.items():
        drawn = fit[name].values.reshape(-1, *np.shape(true))
        free = drawn.std(axis=0) > 0
        z = (drawn.mean(axis=0) - true)[free] / drawn.std(axis=0)[free]
        assert np.abs(z).max() < 4.5


def test_self_excitation_that_runs_away_is_stopped():
    data = {"spikes": np.random.default_rng(0).poisson(0.3, 500).astype(float)}
    model = bz.Model(f"spikes ~ {TERM}", data, family="poisson")
    with pytest.raises(bz.BayeszooError, match="runs away"):
        model.simulate({"Intercept": 0.0, TERM: 2.0})


def test_tables_are_simulated_as_before():
    model = bz.Model("y ~ x", {"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 4.0]})
    new = model.simulate({"Intercept": 1.0, "x": 2.0, "sigma": 1e-9})
    np.testing.assert_allclose(new["y"], [1.0, 3.0, 5.0, 9.0], atol=1e-6)
