import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.datasets.temporal import causal, raised_cos_log

PULSES = [slice(2_500, 8_500), slice(11_000, 17_000), slice(19_500, 25_500)]


def features(x, n, window):
    """The past of x in the basis: column i is sum_j basis[j, i] x[t - 1 - j]."""
    return np.stack([causal(x, column) for column in raised_cos_log(n, window).T], axis=1)


def poisson_regression(X, y, offset=0.0):
    """Newton's method from the mean rate; returns the estimate and its Fisher information."""
    scale = np.abs(X).max(axis=0)
    Z = X / scale
    beta = np.zeros(Z.shape[1])
    beta[0] = np.log(y.mean()) - np.mean(offset)
    for _ in range(100):
        mean = np.exp(Z @ beta + offset)
        information = Z.T @ (mean[:, None] * Z)
        step = np.linalg.solve(information, Z.T @ (y - mean))
        beta = beta + step * min(1, 1 / np.abs(Z @ step).max())
    assert np.abs(Z @ step).max() < 1e-6
    return beta / scale, information * np.outer(scale, scale)


def test_basis_has_the_reference_values():
    """NeMoS 0.2.8: `RaisedCosineLogConv(8, 200).set_kernel().kernel_`."""
    basis = raised_cos_log(8, 200)
    sums = [2.793, 5.586, 8.755, 13.554, 20.977, 32.469, 50.258, 77.792]
    np.testing.assert_allclose(basis.sum(axis=0), sums, atol=5e-4)
    assert list(basis.argmax(axis=0)) == [0, 2, 6, 11, 19, 31, 51, 81]


def test_causal_is_strictly_past():
    x, kernel = np.array([1.0, 0, 0, 2, 0]), np.array([10.0, 1.0])
    np.testing.assert_array_equal(causal(x, kernel), [0, 10, 1, 0, 20])
    np.testing.assert_array_equal(causal(x, kernel, lag=0), [10, 1, 0, 20, 2])
    np.testing.assert_array_equal(causal(x[:1], np.ones(9)), [0])


@pytest.mark.parametrize("refractory", [False, True])
def test_same_seed_same_data(refractory):
    one, _ = bz.datasets.current_injection(3, refractory=refractory, pulse=1.0)
    two, _ = bz.datasets.current_injection(3, refractory=refractory, pulse=1.0)
    other, _ = bz.datasets.current_injection(4, refractory=refractory, pulse=1.0)
    pd.testing.assert_frame_equal(one, two)
    assert not one["spikes"].equals(other["spikes"])
    assert not one["current"].equals(other["current"])


def test_pulses_rise_and_pauses_are_silent():
    data, truth = bz.datasets.current_injection()
    assert list(data.columns) == ["time", "current", "spikes"]
    assert len(data) == 28_000
    np.testing.assert_allclose(data["time"], np.arange(28_000) / 1000)
    in_pulse = np.zeros(28_000, dtype=bool)
    for pulse, size in zip(PULSES, (115, 135, 150), strict=True):
        in_pulse[pulse] = True
        assert data["current"][pulse].mean() == pytest.approx(size, rel=0.05)
        assert data["current"][pulse].std() == pytest.approx(0.4 * size, rel=0.1)
    assert (data["current"][~in_pulse] == 0).all()
    assert data["current"][in_pulse].nunique() == in_pulse.sum()
    assert truth["unit"] == "pA"


@pytest.mark.parametrize("refractory", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_rates_are_those_of_a_cell(refractory, seed):
    data, truth = bz.datasets.current_injection(seed, refractory=refractory)
    spikes, rate = data["spikes"].to_numpy(), truth["rate"]
    assert 9 < rate.mean() < 15
    assert 1000 * np.delete(spikes, np.r_[tuple(PULSES)]).mean() < 2
    means = [rate[pulse].mean() for pulse in PULSES]
    assert means[0] > 7 and means[2] < 31 and (np.diff(means) > 0).all()
    assert spikes.max() <= 4
    expected = rate * 0.001  # the counts minus these are a martingale, also with history
    assert abs(spikes.sum() - expected.sum()) < 4 * np.sqrt(expected.sum())


@pytest.mark.parametrize("refractory", [False, True])
def test_rate_is_the_equation(refractory):
    data, truth = bz.datasets.current_injection(2, refractory=refractory, pulse=0.5, pause=0.2)
    current, spikes = data["current"].to_numpy(), data["spikes"].to_numpy()
    kernel, history = truth["kernel"], truth.get("history_kernel", np.zeros(1))
    np.testing.assert_allclose(kernel, raised_cos_log(8, 200) @ truth["weights"])
    assert ("history_weights" in truth) == ("conv(spikes" in truth["formula"]) == refractory
    for t in range(0, len(data), 37):
        log_mean = truth["Intercept"]
        log_mean += sum(k * current[t - 1 - j] for j, k in enumerate(kernel) if j < t)
        log_mean += sum(h * spikes[t - 1 - j] for j, h in enumerate(history) if j < t)
        assert truth["rate"][t] == pytest.approx(1000 * np.exp(log_mean))


def test_kernel_excites_early_and_adapts_late():
    _, truth = bz.datasets.current_injection()
    kernel = truth["kernel"]
    assert kernel[:40].min() > 0 and kernel[60:190].max() < 0
    assert kernel.max() > 10 * -kernel.min()


@pytest.mark.parametrize("refractory", [False, True])
@pytest.mark.parametrize(("unit", "factor"), [("nA", 1e-3), ("A", 1e-12)])
def test_units_change_numbers_only(unit, factor, refractory):
    data, truth = bz.datasets.current_injection(1, refractory=refractory)
    other, known = bz.datasets.current_injection(1, unit=unit, refractory=refractory)
    assert other["spikes"].equals(data["spikes"])
    np.testing.assert_allclose(other["current"], data["current"] * factor, rtol=1e-14)
    np.testing.assert_allclose(known["weights"], truth["weights"] / factor, rtol=1e-14)
    np.testing.assert_allclose(known["kernel"], truth["kernel"] / factor, rtol=1e-14)
    np.testing.assert_array_equal(known["rate"], truth["rate"])
    assert known["Intercept"] == truth["Intercept"]
    assert known["unit"] == unit


@pytest.mark.parametrize("unit", ["pA", "A"])
def test_regression_recovers_the_truth(unit):
    data, truth = bz.datasets.current_injection(5, unit=unit, pulse=20.0)
    past = features(data["current"].to_numpy(), 8, 200)
    X = np.column_stack([np.ones(len(data)), past])
    beta, information = poisson_regression(X, data["spikes"].to_numpy())
    error = beta - np.r_[truth["Intercept"], truth["weights"]]
    z = error / np.sqrt(np.diag(np.linalg.inv(information)))
    assert np.abs(z).max() < 4
    assert error @ information @ error < 9 + 4 * np.sqrt(18)
    assert np.corrcoef(raised_cos_log(8, 200) @ beta[1:], truth["kernel"])[0, 1] > 0.95


def test_regression_recovers_the_truth_with_history():
    """The weights at the shortest lags lack spikes to learn them from: they enter as known."""
    data, truth = bz.datasets.current_injection(6, refractory=True, pulse=12.0)
    spikes = data["spikes"].to_numpy()
    history = features(spikes.astype(float), 5, 20)
    past = features(data["current"].to_numpy(), 8, 200)
    X = np.column_stack([np.ones(len(data)), past, history[:, 2:]])
    known = history[:, :2] @ truth["history_weights"][:2]
    beta, information = poisson_regression(X, spikes, known)
    error = beta - np.r_[truth["Intercept"], truth["weights"], truth["history_weights"][2:]]
    z = error / np.sqrt(np.diag(np.linalg.inv(information)))
    assert np.abs(z).max() < 4
    assert error @ information @ error < 12 + 4 * np.sqrt(24)


def intervals(spikes):
    """Bins between successive spikes; 0 for two spikes in one bin."""
    return np.diff(np.repeat(np.arange(len(spikes)), spikes))


def test_refractoriness_is_seen_in_the_intervals():
    """Short intervals are rare with history, and the kernel has recovered by 15 ms."""
    shares = {}
    for refractory in (False, True):
        data, truth = bz.datasets.current_injection(7, refractory=refractory, pulse=30.0)
        counts = np.bincount(intervals(data["spikes"].to_numpy()), minlength=60)
        shares[refractory] = counts[1:4].sum() / counts[15:60].sum()
    assert shares[True] < 0.2 * shares[False]
    kernel = truth["history_kernel"]
    assert kernel[:2].max() < -4.5
    assert (np.diff(kernel) > 0).all()
    assert abs(kernel[14:]).max() < 0.1


def test_null_is_exactly_null():
    data, truth = bz.datasets.current_injection(5, gain=0.0, rest=12.0)
    assert (truth["kernel"] == 0).all() and (truth["weights"] == 0).all()
    np.testing.assert_allclose(truth["rate"], 12.0)
    noisier, _ = bz.datasets.current_injection(5, gain=0.0, rest=12.0, noise=1.0)
    assert noisier["spikes"].equals(data["spikes"])
    assert not noisier["current"].equals(data["current"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1.5}, "seed= takes a whole number"),
        ({"unit": "mA"}, 'unit= takes one of "pA", "nA", "A", not \'mA\'. Nearest: `'),
        ({"unit": ["pA"]}, "unit= takes one of"),
        ({"refractory": 5}, "refractory= takes True or False, not 5"),
        ({"gain": np.inf}, "gain= takes a finite number"),
        ({"rest": 0}, "rest= takes a finite number above 0"),
        ({"noise": -0.1}, "noise= takes a finite number of at least 0"),
        ({"pulse": 0}, "pulse= takes a finite number of at least 0.001"),
        ({"pause": "2 s"}, "pause= takes a finite number"),
        ({"gain": 5.0}, "runs away: after 2.*no neuron is simulated above 5,000 Hz. Lower gain="),
        ({"gain": 5.0, "refractory": True}, "runs away: after .* Lower gain="),
    ],
)
def test_refuses(options, words):
    with pytest.raises(bz.BayeszooError, match=words):
        bz.datasets.current_injection(**options)
