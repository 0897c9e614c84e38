import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz


def lagged(x, lags):
    """Columns x[t - j], with zeros before the start."""
    return np.stack([np.concatenate([np.zeros(j), x[: len(x) - j]]) for j in range(lags)], axis=1)


def poisson_regression(X, y):
    """Newton's method; returns the estimate and its Fisher information."""
    beta = np.linalg.lstsq(X, np.log(y + 0.1), rcond=None)[0]
    for _ in range(30):
        mean = np.exp(X @ beta)
        information = X.T @ (mean[:, None] * X)
        step = np.linalg.solve(information, X.T @ (y - mean))
        beta = beta + step
    assert np.abs(step).max() < 1e-8
    return beta, information


def test_same_seed_same_data():
    one, _ = bz.datasets.lnp_cell(seed=3)
    two, _ = bz.datasets.lnp_cell(seed=3)
    other, _ = bz.datasets.lnp_cell(seed=4)
    pd.testing.assert_frame_equal(one, two)
    assert not one["spikes"].equals(other["spikes"])


def test_shape_and_time():
    data, truth = bz.datasets.lnp_cell(bins=240, lags=10)
    assert list(data.columns) == ["time", "stim", "spikes"]
    assert len(data) == 240
    np.testing.assert_allclose(data["time"], np.arange(240) / 120)
    assert data["spikes"].dtype.kind == "i"
    assert truth["filter"].shape == (10,)
    assert truth["formula"] == "spikes ~ lags(stim, 10)"


def test_default_filter_is_biphasic_and_of_unit_length():
    _, truth = bz.datasets.lnp_cell(gain=0.9)
    filter = truth["filter"]
    assert np.linalg.norm(filter) == pytest.approx(0.9)
    assert filter[:7].min() > 0 and filter[8:15].max() < 0
    assert filter.max() > 2 * -filter.min()


@pytest.mark.parametrize("gain", [0.0, 0.7, -1.0])
def test_mean_rate(gain):
    """Log rates are Gaussian, so the counts' autocovariance, and their mean's error, are known."""
    bins = 200_000
    data, truth = bz.datasets.lnp_cell(bins=bins, seed=1, rate=30.0, gain=gain)
    mean = 30 / 120
    covariance = np.correlate(truth["filter"], truth["filter"], "full")
    variance = mean + mean**2 * np.expm1(covariance).sum()
    z = (data["spikes"].mean() - mean) / np.sqrt(variance / bins)
    assert abs(z) < 4


@pytest.mark.parametrize("seed", [0, 1])
def test_regression_recovers_the_truth(seed):
    data, truth = bz.datasets.lnp_cell(seed=seed)
    X = np.column_stack([np.ones(len(data)), lagged(data["stim"].to_numpy(), 25)])
    beta, information = poisson_regression(X, data["spikes"].to_numpy())
    error = beta - np.r_[truth["Intercept"], truth["filter"]]
    z = error / np.sqrt(np.diag(np.linalg.inv(information)))
    assert np.abs(z).max() < 4
    assert 26 - 4 * np.sqrt(52) < error @ information @ error < 26 + 4 * np.sqrt(52)
    assert beta[1:8].min() > 0.05  # the filter stands out of the noise


def test_filter_of_the_user():
    weights = [0.0, 0.5, -0.25]
    data, truth = bz.datasets.lnp_cell(50_000, 3, filter=weights, gain=2.0, seed=2)
    np.testing.assert_array_equal(truth["filter"], [0, 1, -0.5])
    assert weights == [0.0, 0.5, -0.25]
    X = np.column_stack([np.ones(len(data)), lagged(data["stim"].to_numpy(), 3)])
    beta, information = poisson_regression(X, data["spikes"].to_numpy())
    z = (beta[1:] - truth["filter"]) / np.sqrt(np.diag(np.linalg.inv(information)))[1:]
    assert np.abs(z).max() < 4


def test_null_is_exactly_null():
    data, truth = bz.datasets.lnp_cell(gain=0.0, seed=5)
    reversed_filter, _ = bz.datasets.lnp_cell(gain=0.0, seed=5, filter=np.ones(25))
    assert (truth["filter"] == 0).all()
    assert truth["Intercept"] == pytest.approx(np.log(20 / 120))
    pd.testing.assert_frame_equal(data, reversed_filter)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bins": 0}, "bins= takes a whole number"),
        ({"lags": 2.5}, "lags= takes a whole number"),
        ({"seed": -1}, "seed= takes"),
        ({"rate": 0}, "rate= takes a finite number above 0"),
        ({"rate": 1e5}, "rate= .* at most 5000"),
        ({"bin_width": "8 ms"}, "bin_width= takes a finite number"),
        ({"gain": np.nan}, "gain= takes a finite number"),
        ({"gain": 50}, "standard deviation .* = 50; above 3"),
        ({"gain": 1e300, "filter": np.full(25, 1e300)}, "Lower gain="),
        ({"gain": 3.0, "rate": 3_000.0}, "runs away.*Lower gain= or rate="),
        ({"filter": [1.0, 2.0]}, r"filter= has shape \(2,\), but lags=25"),
        ({"filter": [np.inf] * 25}, "filter= holds 25 values that are not finite"),
        ({"filter": "biphasic"}, "filter= takes 25 numbers"),
    ],
)
def test_refuses(options, words):
    with pytest.raises(bz.BayeszooError, match=words):
        bz.datasets.lnp_cell(**options)
