"""Time rescaling: uniform under the truth, for families of counts; small p-values where it fails."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeszoo as bz

NAMES = ["uniform", "rescaled", "lower", "upper"]


def at_truth(model, values):
    """A fit whose parameters are the true ones."""
    fit = model.fit("map", progress=False)
    natural = {name: np.asarray(value, float)[None, None] for name, value in values.items()}
    return bz.Fit(model, fit.backend, replace(fit.draws, natural=natural), fit.info)


def p_values(model, values, simulate, count=60):
    """The p-values of data sets that the true model made."""
    fit = at_truth(model, values)
    rng = np.random.default_rng(5)
    data = model.table.columns
    frames = (dict(data) | {"y": simulate(rng)} for _ in range(count))
    return np.array([fit.rescaling(frame, seed=i).p_value for i, frame in enumerate(frames)])


N = 400
X = np.linspace(-1, 1, N)
SIMULATORS = {
    # family: intercept, slope, further parameters, response
    "poisson": (0.6, 0.8, {}, lambda rng, eta: rng.poisson(np.exp(eta))),
    "bernoulli": (-1.0, 1.0, {}, lambda rng, eta: (rng.random(N) < 1 / (1 + np.exp(-eta))) * 1),
    "negative_binomial": (
        0.5,
        0.7,
        {"alpha": 1.5},
        lambda rng, eta: rng.negative_binomial(1.5, 1.5 / (1.5 + np.exp(eta))),
    ),
}


@pytest.mark.parametrize("family", SIMULATORS)
def test_p_values_of_the_truth_are_uniform(family):
    intercept, slope, more, draw = SIMULATORS[family]
    eta = intercept + slope * X
    y = draw(np.random.default_rng(1), eta)
    model = bz.Model("y ~ x", {"x": X, "y": y}, family=family)
    values = {"mu.coefficients": [intercept, slope], **more}
    found = p_values(model, values, lambda rng: draw(rng, eta))
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert found.min() > 1e-4
    wrong = p_values(model, values, lambda rng: draw(rng, eta[::-1]))
    assert np.median(wrong) < 0.05


def test_many_short_trials_of_the_truth_pass():
    """Five events per trial: intervals that the end of a trial cuts off must not be lost."""
    trials, bins = 150, 10
    data = {
        "trial": np.repeat(np.arange(trials), bins),
        "x": np.random.default_rng(1).normal(size=trials * bins),
        "y": np.zeros(trials * bins, int),
    }
    data["y"][0] = 1
    formula = "y ~ conv(x, bspline(4, 5), by=trial)"
    model = bz.Model(formula, data, family="poisson")
    values = {"mu.coefficients": [-0.2, 0.3, -0.4, 0.2, 0.5]}
    fit = at_truth(model, values)
    mean = fit.predict()[0, 0].to_numpy()
    assert len(mean) == trials * (bins - 5)
    rng = np.random.default_rng(2)
    found = []
    for seed in range(60):
        counts = np.zeros(trials * bins, int)
        counts[model.design.rows] = rng.poisson(mean)
        counts[np.setdiff1d(np.arange(trials * bins), model.design.rows)] = 7  # must not count
        found.append(fit.rescaling(data | {"y": counts}, seed=seed).p_value)
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_by_hand_with_one_event_per_bin():
    """Haslinger, Pipa and Brown: sums of -log(1 - p), and a random part of the event's own bin."""
    y = np.array([0, 1, 0, 0, 1, 1, 0])
    fit = at_truth(
        bz.Model("y ~ x", {"x": X[:7], "y": y}, family="bernoulli"),
        {"mu.coefficients": [-0.5, 1.0]},
    )
    p = 1 / (1 + np.exp(0.5 - X[:7]))
    q = -np.log1p(-p)
    draws = np.random.default_rng(9).random(3)
    part = [-np.log(1 - r * (1 - np.exp(-q[t]))) for r, t in zip(draws, (1, 4, 5), strict=True)]
    zeta = np.array([q[0] + part[0], q[2] + q[3] + part[1], part[2]])
    result = fit.rescaling(seed=9)
    assert result.n == 3
    np.testing.assert_allclose(result.quantiles["rescaled"], np.sort(1 - np.exp(-zeta)), rtol=1e-9)
    np.testing.assert_allclose(result.quantiles["uniform"], [1 / 6, 0.5, 5 / 6], rtol=1e-12)
    expected = stats.kstest(1 - np.exp(-zeta), "uniform")
    assert result.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert result.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    assert stats.kstwo.cdf(result.band, 3) == pytest.approx(0.95, abs=1e-6)


@pytest.fixture(scope="module")
def refractory():
    return bz.datasets.current_injection(seed=1, refractory=True)


def test_a_refractory_cell_needs_its_history(refractory):
    data, truth = refractory
    fits = {
        formula: bz.fit(formula, data, family="poisson", method="map", progress=False)
        for formula in (truth["formula"], "spikes ~ conv(current, raised_cos_log(8, 200))")
    }
    full, lacking = (fit.rescaling(seed=3) for fit in fits.values())
    assert full.p_value > 0.05 and full.statistic < full.band
    assert lacking.p_value < 0.01 and lacking.statistic > lacking.band
    short = lacking.quantiles["rescaled"] < 0.05  # too few short intervals
    assert short.mean() < 0.03
    again = fits[truth["formula"]].rescaling(seed=3)
    pd.testing.assert_frame_equal(again.quantiles, full.quantiles)
    other = fits[truth["formula"]].rescaling(seed=4)
    assert other.statistic != full.statistic


def test_every_neuron_on_its_own():
    data, truth = bz.datasets.population(3, 6000, seed=4, trials=2)
    fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
    result = fit.rescaling()
    names = list(data["neuron"].to_numpy())
    used = data["spikes"].to_numpy()[fit.model.design.rows]
    assert result.n.index.tolist() == names and result.n.tolist() == used.sum(axis=0).tolist()
    assert (result.p_value > 0.05).all() and (result.statistic < result.band).all()
    assert list(result.quantiles) == ["neuron", *NAMES]
    assert result.quantiles.groupby("neuron").size().tolist() == result.n.tolist()


def test_a_silent_neuron_has_no_test():
    rng = np.random.default_rng(0)
    y = np.column_stack([rng.poisson(0.5, 200), np.zeros(200, int)])
    data = {"x": rng.normal(size=200), "y": y}
    fit = bz.fit("y ~ x", data, family="poisson", method="map", progress=False)
    result = fit.rescaling()
    assert result.n.tolist() == [y.sum(), 0]
    assert np.isnan(result.p_value[1]) and result.p_value[0] > 0.01


def test_clear_refusals(sleepstudy):
    normal = bz.fit("Reaction ~ Days", sleepstudy, method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match="`normal` is for real numbers"):
        normal.rescaling()
    data = {"x": X, "y": np.zeros(N, int)}
    silent = bz.fit("y ~ x", data, family="poisson", method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match="is 0 in all 400 rows"):
        silent.rescaling()
