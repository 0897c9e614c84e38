import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz


def test_same_seed_same_data():
    one, _ = bz.datasets.spikes(seed=3)
    two, _ = bz.datasets.spikes(seed=3)
    other, _ = bz.datasets.spikes(seed=4)
    pd.testing.assert_frame_equal(one, two)
    assert not one["count"].equals(other["count"])


def test_one_row_per_neuron_and_trial():
    data, truth = bz.datasets.spikes(mice=3, neurons=5, trials=8)
    assert len(data) == 3 * 5 * 8
    assert not data.duplicated(["neuron", "trial"]).any()
    assert (data.groupby("neuron")["mouse"].nunique() == 1).all()
    assert list(truth["baselines"].index) == list(data["neuron"].unique())
    assert (data.groupby(["mouse", "trial"])[["stim", "duration"]].nunique() == 1).all(axis=None)
    assert data["duration"].between(0.5, 1.5).all()


def test_rate_is_count_over_duration():
    data, _ = bz.datasets.spikes()
    np.testing.assert_array_equal(data["rate"], data["count"] / data["duration"])
    assert np.isfinite(data["rate"]).all()


def test_rates_are_spaced_evenly_on_the_log_scale():
    _, truth = bz.datasets.spikes(mice=2, neurons=4, rates=(0.5, 32.0), mouse_sd=0.0)
    np.testing.assert_allclose(truth["baselines"][:4], [0.5, 2, 8, 32])
    assert truth["Intercept"] == pytest.approx(np.log(4))


@pytest.mark.parametrize("alpha", [None, 3.0])
def test_moments_recover_each_neuron(alpha):
    """Totals are Poisson, or have the extra variance mean^2 / alpha per trial."""
    data, truth = bz.datasets.spikes(mice=2, neurons=4, trials=8_000, seed=1, alpha=alpha)
    data["mean"] = truth["baselines"][data["neuron"]].to_numpy() * data["duration"]
    data["mean"] *= np.exp(truth["effects"][data["neuron"]].to_numpy() * data["stim"])
    data["variance"] = data["mean"] + (0 if alpha is None else data["mean"] ** 2 / alpha)
    data["square"] = (data["count"] - data["mean"]) ** 2
    cells = data.groupby(["neuron", "stim"])[["count", "mean", "variance", "square"]].sum()
    z = (cells["count"] - cells["mean"]) / np.sqrt(cells["variance"])
    assert np.abs(z).max() < 4
    np.testing.assert_allclose(cells["square"], cells["variance"], rtol=0.15)


def test_population_effect():
    _, truth = bz.datasets.spikes(mice=100, neurons=100, trials=2, effect=-0.4)
    error = truth["sd(stim|neuron)"] / 100
    assert abs(truth["effects"].mean() - truth["stim"]) < 4 * error


def test_null_is_exactly_null():
    data, truth = bz.datasets.spikes(effect=0.0, seed=5)
    assert (truth["effects"] == 0).all()
    assert truth["stim"] == 0
    assert truth["sd(stim|neuron)"] == 0
    stimulated, control = data[data["stim"] == 1], data[data["stim"] == 0]
    totals = [part["count"].sum() / part["duration"].sum() for part in (stimulated, control)]
    assert totals[0] != totals[1]  # noise remains


@pytest.mark.parametrize(
    "options",
    [
        {"mice": 1},
        {"neurons": True},
        {"trials": 0},
        {"effect": "0.3"},
        {"rates": (0, 10)},
        {"rates": (10, 1)},
        {"duration": 1.0},
        {"alpha": -1},
    ],
)
def test_refuses(options):
    with pytest.raises(bz.BayeszooError, match=next(iter(options))):
        bz.datasets.spikes(**options)
