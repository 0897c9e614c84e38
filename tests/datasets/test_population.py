import time

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.datasets.temporal import causal, raised_cos_log


def poisson_regression(X, y):
    """Newton's method from the mean rate; returns the estimate and its Fisher information."""
    beta = np.zeros(X.shape[1])
    beta[0] = np.log(y.mean())
    for _ in range(30):
        mean = np.exp(X @ beta)
        information = X.T @ (mean[:, None] * X)
        step = np.linalg.solve(information, X.T @ (y - mean))
        beta = beta + step * min(1, 2 / np.abs(X @ step).max())
    assert np.abs(step).max() < 1e-7
    return beta, information


def features(x, basis=5, window=20):
    return np.stack([causal(x, kernel) for kernel in raised_cos_log(basis, window).T], axis=1)


def others(mask):
    return mask & ~np.eye(len(mask), dtype=bool)


def test_same_seed_same_data():
    one, _ = bz.datasets.population(bins=2_000, seed=3)
    two, _ = bz.datasets.population(bins=2_000, seed=3)
    other, _ = bz.datasets.population(bins=2_000, seed=4)
    assert one.identical(two)
    assert not one["spikes"].equals(other["spikes"])


def test_dimensions_and_coordinates():
    data, truth = bz.datasets.population(neurons=4, bins=300, trials=3, basis=6, window=30)
    assert data["spikes"].dims == ("time", "neuron")
    assert data["stim"].dims == data["trial"].dims == ("time",)
    assert dict(data.sizes) == {"time": 900, "neuron": 4}
    assert list(data["neuron"].values) == ["n01", "n02", "n03", "n04"]
    np.testing.assert_allclose(data["time"], np.arange(900) * 0.01)
    assert data["time"].attrs["units"] == "s"
    np.testing.assert_array_equal(data["trial"], np.repeat([0, 1, 2], 300))
    shapes = {
        "Intercept": (4,),
        "stim": (6, 4),
        "stim_mean": (6,),
        "stim_kernel": (30, 4),
        "coupling": (4, 6, 4),
        "coupling_kernel": (4, 30, 4),
        "mask": (4, 4),
        "rate": (900, 4),
    }
    assert {name: truth[name].shape for name in shapes} == shapes
    assert (truth["basis"], truth["window"]) == (6, 30)
    kernels = raised_cos_log(6, 30)
    np.testing.assert_allclose(truth["stim_kernel"], kernels @ truth["stim"])
    for weights, kernel in zip(truth["coupling"], truth["coupling_kernel"], strict=True):
        np.testing.assert_allclose(kernel, kernels @ weights)


def test_formula():
    conv = "raised_cos_log(5, 20)"
    cases = [
        ({}, f"spikes ~ conv(stim, {conv}) + conv(spikes, {conv})"),
        ({"coupling": 0.0}, f"spikes ~ conv(stim, {conv})"),
        ({"stimuli": 0.0, "trials": 2}, f"spikes ~ conv(spikes, {conv}, by=trial)"),
        ({"stimuli": 0.0, "coupling": 0.0}, "spikes ~ 1"),
    ]
    for options, formula in cases:
        assert bz.datasets.population(bins=50, **options)[1]["formula"] == formula


@pytest.mark.parametrize("trials", [1, 3])
def test_rate_is_the_equation_within_each_trial(trials):
    """The rate of every bin, computed again from the table by the definition, trial by trial."""
    data, truth = bz.datasets.population(3, 200, 1, trials=trials, connected=0.7, rate=20.0)
    spikes, stim, trial = (data[name].values for name in ("spikes", "stim", "trial"))
    assert spikes.sum() > 50 * trials
    for t in range(200 * trials):
        lags = [j for j in range(20) if t - 1 - j >= 0 and trial[t - 1 - j] == trial[t]]
        log_mean = truth["Intercept"].copy()
        for j in lags:
            log_mean += truth["stim_kernel"][j] * stim[t - 1 - j]
            log_mean += spikes[t - 1 - j] @ truth["coupling_kernel"][:, j]
        np.testing.assert_allclose(truth["rate"][t], np.exp(log_mean) / 0.01, rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"trials": 20, "bins": 1_000}, {"coupling": 0.0}])
def test_counts_agree_with_the_rate(options):
    """Counts minus their expectations given the past are a martingale: sums have known variance."""
    data, truth = bz.datasets.population(seed=2, **options)
    mean = truth["rate"] * 0.01
    z = (data["spikes"].values - mean).sum(axis=0) / np.sqrt(mean.sum(axis=0))
    assert np.abs(z).max() < 4
    chi2 = ((data["spikes"].values - mean) ** 2 / mean).mean()
    assert chi2 == pytest.approx(1, abs=0.05)


def test_regression_recovers_the_truth():
    data, truth = bz.datasets.population(seed=0)
    spikes = data["spikes"].values
    constant, driven = np.ones((len(spikes), 1)), features(data["stim"].values)
    past = [features(source.astype(float)) for source in spikes.T]
    distance, parameters = 0.0, 0
    for n in range(5):
        sources = np.flatnonzero(truth["mask"][:, n])
        X = np.hstack([constant, driven, *(past[s] for s in sources)])
        beta, information = poisson_regression(X, spikes[:, n])
        known = [truth["coupling"][s, :, n] for s in sources]
        error = beta - np.concatenate([truth["Intercept"][[n]], truth["stim"][:, n], *known])
        z = error / np.sqrt(np.diag(np.linalg.inv(information)))
        assert np.abs(z).max() < 4
        distance += error @ information @ error
        parameters += len(error)
    assert abs(distance - parameters) < 4 * np.sqrt(2 * parameters)


def test_mask_is_respected():
    """Where the mask is False a source adds nothing; where it is True its effect can be found."""
    data, truth = bz.datasets.population(6, 40_000, seed=1)
    mask = truth["mask"]
    assert mask.diagonal().all()
    assert 0 < others(mask).sum() < 30
    np.testing.assert_array_equal((truth["coupling"] != 0).any(axis=1), mask)
    np.testing.assert_array_equal((truth["coupling_kernel"] != 0).any(axis=1), mask)
    spikes, residual = data["spikes"].values, data["spikes"].values / 0.01 - truth["rate"]
    for source, neuron in np.argwhere(~mask):
        before = spikes[:-1, source] > 0
        z = residual[1:, neuron][before].sum() / np.sqrt(
            truth["rate"][1:, neuron][before].sum() / 0.01
        )
        assert abs(z) < 4
    for source, neuron in np.argwhere(others(mask)):
        without = truth["rate"][1:, neuron] / np.exp(
            causal(spikes[:, source].astype(float), truth["coupling_kernel"][source, :, neuron])[1:]
        )
        before = spikes[:-1, source] > 0
        excess = spikes[1:, neuron][before].sum() - without[before].sum() * 0.01
        sign = np.sign(truth["coupling"][source, 0, neuron])
        assert sign * excess / np.sqrt(without[before].sum() * 0.01) > 1


def test_own_spikes_suppress():
    _, truth = bz.datasets.population(bins=10)
    own = np.arange(5)
    kernels = truth["coupling_kernel"][own, :, own]
    assert kernels[:, 0].max() < -1
    assert (kernels <= 0).all()
    alone, _ = bz.datasets.population(1, 50_000, rate=30.0, stimuli=0.0)
    spikes = alone["spikes"].values[:, 0] > 0
    assert spikes[1:][spikes[:-1]].mean() < 0.4 * spikes.mean()


def test_connections_are_as_frequent_as_asked():
    for connected in (0.0, 0.2, 1.0):
        _, truth = bz.datasets.population(60, 2, connected=connected)
        pairs = 60 * 59
        error = np.sqrt(connected * (1 - connected) / pairs)
        assert abs(others(truth["mask"]).sum() / pairs - connected) <= 4 * error


def test_kernels_vary_around_the_population_mean():
    neurons = 500
    _, truth = bz.datasets.population(neurons, 1, connected=0.0, stimuli=0.8, stimuli_cv=0.5)
    mean, sd = truth["stim_mean"], truth["stim_sd"]
    assert np.linalg.norm(raised_cos_log(5, 20) @ mean) == pytest.approx(0.8)
    assert sd == pytest.approx(0.5 * np.sqrt(np.mean(mean**2)))
    error = sd / np.sqrt(neurons)
    assert np.abs(truth["stim"].mean(axis=1) - mean).max() < 4 * error
    np.testing.assert_allclose(truth["stim"].std(axis=1), sd, rtol=4 / np.sqrt(2 * neurons))
    _, same = bz.datasets.population(3, 10, stimuli_cv=0.0)
    np.testing.assert_array_equal(same["stim"], np.repeat(same["stim_mean"][:, None], 3, axis=1))


def test_null_is_exactly_null():
    data, truth = bz.datasets.population(bins=500, seed=5, coupling=0.0, stimuli=0.0)
    for name in ("stim", "stim_kernel", "stim_mean", "coupling", "coupling_kernel"):
        assert (truth[name] == 0).all()
    assert truth["stim_sd"] == 0
    assert not truth["mask"].any()
    expected = np.tile(np.exp(truth["Intercept"]) / 0.01, (500, 1))
    np.testing.assert_allclose(truth["rate"], expected)
    assert data["spikes"].values.sum() > 0


@pytest.mark.parametrize("options", [{}, {"neurons": 40, "bins": 2_000}, {"connected": 1.0}])
def test_is_stable(options):
    for seed in range(5):
        _, truth = bz.datasets.population(**({"bins": 3_000} | options), seed=seed)
        assert truth["rate"].max() < 3_000
        assert 3 < truth["rate"].mean() < 25


def test_is_fast():
    start = time.process_time()
    bz.datasets.population()
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"neurons": 0}, "neurons= takes a whole number"),
        ({"bins": 1e4}, "bins= takes a whole number"),
        ({"seed": "a"}, "seed= takes a whole number"),
        ({"trials": 0}, "trials= takes a whole number of at least 1"),
        ({"stimuli": np.nan}, "stimuli= takes a finite number"),
        ({"stimuli_cv": -1}, "stimuli_cv= takes"),
        ({"coupling": -0.5}, "coupling= takes a finite number of at least 0"),
        ({"connected": 1.2}, "connected= .* at most 1, not 1.2"),
        ({"rate": 0}, "rate= takes a finite number above 0"),
        ({"rate_sd": True}, "rate_sd= takes"),
        ({"basis": 1}, "basis= takes a whole number of at least 2"),
        ({"window": 4}, "window= takes a whole number of at least 5"),
        ({"bin_width": 0}, "bin_width= takes"),
        ({"coupling": 40.0}, "runs away: after .* above 5,000 Hz. Lower coupling="),
        ({"coupling": 1e6, "seed": 1}, "runs away: .* Hz, and no neuron"),
    ],
)
def test_refuses(options, words):
    with pytest.raises(bz.BayeszooError, match=words):
        bz.datasets.population(**options)
