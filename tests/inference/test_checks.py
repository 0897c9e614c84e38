"""Predictive checks, posterior predictive draws, and the leave-one-out PIT."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeszoo as bz
from bayeszoo.inference.idata import load_arviz
from bayeszoo.inference.psis import leave_one_out, smoothed_weights

ROWS = 300
COLUMNS = ["statistic", "observed", "mean", "lower", "upper", "p"]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(40)
    mouse = np.repeat(np.arange(6), ROWS // 6)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=ROWS),
            "mouse": [f"m{j}" for j in mouse],
            "day": np.tile([1, 2], ROWS // 2),
        }
    )
    table["y"] = 1 + table["x"] + rng.normal(size=6)[mouse] + rng.normal(size=ROWS)
    table["n"] = rng.poisson(np.exp(0.5 + 0.3 * table["x"]))
    return table


@pytest.fixture(scope="module")
def fit(table):
    return bz.fit("y ~ x + (1 | mouse)", table, method="laplace", progress=False)


@pytest.fixture(scope="module")
def counts(table):
    return bz.fit("n ~ x", table, family="poisson", method="laplace", progress=False)


def test_the_table_is_what_replicated_data_say_by_hand(fit, table):
    found = fit.checks(statistics=["mean", "sd", "max"], seed=3).set_index("statistic")
    new = fit.predict(kind="response", seed=3).to_numpy()[0]
    for name, by_hand in {"mean": np.mean, "sd": np.std, "max": np.max}.items():
        drawn = by_hand(new, axis=1)
        row = found.loc[name]
        assert row["observed"] == pytest.approx(by_hand(table["y"].to_numpy()))
        assert row["mean"] == pytest.approx(drawn.mean())
        np.testing.assert_allclose([row["lower"], row["upper"]], np.quantile(drawn, [0.025, 0.975]))
        assert row["p"] == pytest.approx(np.mean(drawn > row["observed"]))
    pd.testing.assert_frame_equal(fit.checks(seed=3), fit.checks(seed=3))
    assert list(fit.checks()) == COLUMNS


def test_groups_are_those_of_the_columns(fit, table):
    found = fit.checks(by=["mouse", "day"], statistics="mean", draws=50)
    assert list(found) == ["mouse", "day", *COLUMNS] and len(found) == 12
    by_hand = table.groupby(["mouse", "day"])["y"].mean().reset_index()
    np.testing.assert_allclose(found["observed"], by_hand["y"])
    assert list(found["mouse"]) == list(by_hand["mouse"])
    assert list(found["day"]) == list(by_hand["day"])
    alone = fit.checks(by="day", statistics="mean", draws=50)
    assert list(alone["day"]) == [1, 2]


def test_own_statistics_and_ties(counts, table):
    own = {"first": lambda y: y[0], "zeros": lambda y: np.mean(y == 0)}
    found = counts.checks(statistics=own).set_index("statistic")
    new = counts.predict(kind="response").to_numpy()[0]
    first = table["n"].iloc[0]
    middle = np.mean(new[:, 0] > first) + np.mean(new[:, 0] == first) / 2
    assert found.loc["first", "p"] == pytest.approx(middle)
    built_in = counts.checks(statistics=["zeros"]).set_index("statistic")
    assert built_in.loc["zeros", "p"] == pytest.approx(found.loc["zeros", "p"])
    with pytest.raises(bz.BayeszooError, match="one number"):
        counts.checks(statistics={"range": lambda y: y[:2]}, draws=2)


def test_a_wrong_family_is_seen_and_a_right_one_is_not(table):
    rng = np.random.default_rng(41)
    data = table.assign(n=rng.negative_binomial(1.0, 0.2, ROWS))
    poisson, negative = (
        bz.fit("n ~ 1", data, family=f, method="laplace", progress=False)
        .checks()
        .set_index("statistic")
        for f in ("poisson", "negative_binomial")
    )
    assert poisson.loc["dispersion", "p"] < 0.01 and poisson.loc["zeros", "p"] < 0.01
    assert poisson.loc["mean", "p"] == pytest.approx(0.5, abs=0.1)
    assert negative["p"].between(0.01, 0.99).all()


def test_posterior_p_values_of_true_models_are_not_extreme():
    """The p of the mean is near 1/2 by construction; that of the skewness is about uniform."""
    rng = np.random.default_rng(42)
    values = []
    for _ in range(40):
        data = {"y": rng.normal(size=60)}
        found = bz.fit("y ~ 1", data, method="laplace", progress=False).checks(
            statistics=["skewness"], draws=400
        )
        values.append(found["p"].iloc[0])
    assert stats.kstest(values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("method", "note"), [("map", "one estimate"), ("lme", "estimator")])
def test_other_methods_say_how_they_draw(table, method, note):
    other = bz.fit("y ~ x + (1 | mouse)", table, method=method, progress=False)
    found = other.checks(by="mouse", statistics=["mean"])
    assert note in found.attrs["note"] and found["p"].between(0.05, 0.95).all()
    assert (found["upper"] > found["lower"]).all()


def test_populations_are_checked_by_neuron_and_own_history_is_kept():
    data, truth = bz.datasets.population(neurons=3, bins=1_500)
    fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
    found = fit.checks(by="neuron", statistics=["mean", "zeros"], draws=100)
    y = fit.model.design.response["y"]
    assert list(found["neuron"]) == list(np.repeat(fit.model.spec.schema.neurons.labels, 2))
    np.testing.assert_allclose(found["observed"][::2], y.mean(axis=0))
    assert found["p"].between(0.01, 0.99).all()
    whole = fit.checks(statistics="mean", draws=100)
    assert whole["observed"].item() == pytest.approx(y.mean())
    pit = fit.posterior_predictive(draws=20)
    assert pit["spikes"].dims == ("chain", "draw", "obs", "neuron")


def test_prior_checks(table):
    priors = {"Intercept": bz.Normal(0, 1), "x": bz.Normal(0, 1), "sigma": bz.Exponential(1)}
    model = bz.Model("y ~ x", table, priors=priors)
    found = model.checks(draws=300, seed=1)
    new = model.prior_predictive(draws=300, seed=1).prior_predictive["y"].to_numpy()[0]
    row = found.set_index("statistic").loc["sd"]
    assert row["mean"] == pytest.approx(new.std(axis=1).mean())
    again = model.fit("map", progress=False).checks(draws=300, seed=1, prior=True)
    pd.testing.assert_frame_equal(found, again)
    far = bz.Model("y ~ x", table, priors=priors | {"Intercept": bz.Normal(100, 1)}).checks()
    assert far.set_index("statistic").loc["mean", "p"] == 1.0


@pytest.mark.parametrize("name", ["fit", "counts"])
def test_posterior_predictive_joins_the_result(request, name):
    fit = request.getfixturevalue(name)
    group = fit.posterior_predictive(seed=2)
    response = fit.model.spec.schema.response
    assert "posterior_predictive" in fit.idata.groups()
    assert group[response].dims == ("chain", "draw", "obs")
    np.testing.assert_array_equal(group[response], fit.predict(kind="response", seed=2))
    assert group[response].dtype == fit.idata.observed_data[response].dtype
    assert (group[response].dtype.kind == "i") == (name == "counts")
    assert fit.posterior_predictive(draws=7).sizes["draw"] == 7
    assert fit.idata.posterior_predictive.sizes["draw"] == 7


def test_smoothed_weights_give_the_estimate_of_leave_one_out():
    rng = np.random.default_rng(43)
    logs = rng.normal(-1.0, 0.7, (20, 800))
    weights = smoothed_weights(logs, 60)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    by_weights = np.log(np.sum(weights * np.exp(logs), axis=1))
    np.testing.assert_allclose(by_weights, leave_one_out(logs.copy(), 60)[0], rtol=1e-12)


def test_loo_pit_is_that_of_arviz(fit):
    fit.posterior_predictive(seed=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = load_arviz().loo_pit(fit.idata, y="y")
    np.testing.assert_allclose(fit.loo_pit(seed=5), theirs, atol=1e-12)


@pytest.mark.parametrize("family", ["normal", "gamma", "poisson", "bernoulli"])
def test_loo_pit_is_uniform_under_the_truth(family):
    """Kolmogorov-Smirnov over 1,200 rows, false alarms at 0.1%."""
    rng = np.random.default_rng(44)
    x = rng.normal(size=1200)
    eta = 0.3 + 0.4 * x
    y = {
        "normal": rng.normal(eta, 1.0),
        "gamma": rng.gamma(3.0, np.exp(eta) / 3),
        "poisson": rng.poisson(np.exp(eta)),
        "bernoulli": rng.random(1200) < 1 / (1 + np.exp(-eta)),
    }[family]
    data = {"x": x, "y": np.asarray(y, dtype=float)}
    fit = bz.fit("y ~ x", data, family=family, method="laplace", progress=False)
    assert stats.kstest(fit.loo_pit(), "uniform").pvalue > 1e-3


def test_loo_pit_shows_a_wrong_family():
    rng = np.random.default_rng(45)
    data = {"y": rng.standard_t(2, 600)}
    normal, student = (
        bz.fit("y ~ 1", data, family=family, method="laplace", progress=False)
        for family in ("normal", "student")
    )
    assert stats.kstest(normal.loo_pit(), "uniform").pvalue < 1e-6
    assert stats.kstest(student.loo_pit(), "uniform").pvalue > 1e-3


def test_loo_pit_in_blocks_is_uniform_too_and_has_coordinates(fit, table):
    from bayeszoo.inference.pit import loo_pit

    found = loo_pit(fit, block=20_000)
    assert found.dims == ("obs",) and list(found["obs"]) == list(range(ROWS))
    assert stats.kstest(found, "uniform").pvalue > 1e-3


def test_censored_responses_are_refused():
    rng = np.random.default_rng(46)
    data = {"t": rng.exponential(1.0, 50), "s": (rng.random(50) < 0.2).astype(int)}
    fit = bz.fit("censored(t, s) ~ 1", data, family="gamma", method="laplace", progress=False)
    for question in (fit.checks, fit.loo_pit):
        with pytest.raises(bz.BayeszooError, match="censored"):
            question()
