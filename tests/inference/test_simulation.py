"""Simulated responses: each bin follows from the simulated bins before it, for every kind of term."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.backend import Draws
from bayeszoo.inference.backends import find_backend

BINS = 1400  # more than one call of the compiled program
TINY = 1e-9


def with_values(fit, **values):
    """A fit with other values of its natural parameters."""
    natural = {name: np.array(array, dtype=float) for name, array in fit.draws.natural.items()}
    for name, value in values.items():
        natural[name] = np.broadcast_to(np.asarray(value, float), natural[name].shape).copy()
    return bz.Fit(fit.model, fit.backend, replace(fit.draws, natural=natural), fit.info)


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "time": np.arange(BINS) * 0.01,
            "x": rng.normal(size=BINS),
            "z": rng.normal(size=BINS),
            "state": np.where(np.arange(BINS) // 50 % 2, "on", "off"),
            "trial": np.arange(BINS) // 200,
        }
    )
    y = np.zeros(BINS)
    for i in range(1, BINS):
        y[i] = 0.5 * y[i - 1] + data["x"][i] + rng.normal()
    return data.assign(y=y)


FORMULAS = (
    "y ~ x + conv(y, bspline(4, 8))",
    "y ~ x + lag(y, 2) + lag(y, k=1)",
    "y ~ x + lag(y) + conv(y, bspline(4, 8), lag=3)",
    "y ~ x + conv(x, bspline(4, 6)) + conv(y, bspline(4, 8)) + conv(y, history(2), lag=12)",
    "y ~ x + conv(y, bspline(4, 8), by=trial)",
    "y ~ x + conv(y, bspline(4, 8), by=trial, pad='zero')",
    "y ~ x + state * conv(y, bspline(4, 8))",
    "y ~ x + z:conv(y, bspline(4, 8)) + state:conv(y, bspline(4, 8)):z",
)


@pytest.mark.parametrize("formula", FORMULAS)
def test_without_noise_each_bin_is_predicted_from_those_before(series, formula):
    """The prediction from the simulated series is the series itself, one bin ahead everywhere."""
    fit = with_values(bz.fit(formula, series, method="map", progress=False), sigma=TINY)
    simulated = fit.simulate(draws=2, seed=3)
    assert np.isfinite(simulated).all() and simulated.std() > 0.03
    fed = series.copy()
    fed.loc[simulated["obs"].to_numpy(), "y"] = simulated[0, 1].to_numpy()
    predicted = fit.predict(fed).sel(obs=simulated["obs"])[0, 0]
    np.testing.assert_allclose(simulated[0, 1], predicted, atol=1e-7)


def test_group_effects_of_the_past(series):
    formula = "y ~ x + lag(y) + (0 + lag(y) + conv(y, history(2), lag=2) || trial)"
    fit = with_values(bz.fit(formula, series, method="lme", draws=5, progress=False), sigma=TINY)
    simulated = fit.simulate(draws=5, seed=1)
    for draw in (0, 4):
        fed = series.copy()
        fed.loc[simulated["obs"].to_numpy(), "y"] = simulated[0, draw].to_numpy()
        predicted = fit.predict(fed).sel(obs=simulated["obs"])[0, draw]
        np.testing.assert_allclose(simulated[0, draw], predicted, atol=1e-7)


@pytest.mark.parametrize(
    "formula", ["y ~ x + conv(y, bspline(4, 8))", "y ~ state * conv(y, history(3))"]
)
def test_all_neurons_feed_each_other(series, formula):
    rng = np.random.default_rng(2)
    data = {name: series[name].to_numpy() for name in ("time", "x", "state")}
    data["y"] = rng.normal(size=(BINS, 3))
    fit = with_values(bz.fit(formula, data, method="map", progress=False), sigma=TINY)
    rows = fit.simulate(seed=5)
    assert rows.dims == ("chain", "draw", "obs", "neuron")
    fed = data["y"].copy()
    fed[rows["obs"].to_numpy()] = rows[0, 0].to_numpy()
    predicted = fit.predict(data | {"y": fed}).sel(obs=rows["obs"])[0, 0]
    np.testing.assert_allclose(rows[0, 0], predicted, atol=1e-7)


def test_pooled_coupling(series):
    """Every neuron's own deviation from common coupling, at values that nobody fitted."""
    rng = np.random.default_rng(3)
    data = {name: series[name].to_numpy() for name in ("time", "x")}
    data["y"] = rng.normal(size=(BINS, 3))
    model = bz.Model("y ~ x + conv(y, history(2)) + (0 + conv(y, history(2)) || neuron)", data)
    natural = {
        "mu.coefficients": 0.1 * rng.normal(size=6),
        "mu.neurons": rng.normal(size=(2, 3)),
        "mu.group0.sd": np.ones(6),
        "mu.group0.effects": 0.1 * rng.normal(size=(3, 6)),
        "sigma": np.full(3, TINY),
    }
    draws = Draws({name: array[None, None] for name, array in natural.items()})
    fit = bz.Fit(model, find_backend("map"), draws, {"settings": {}})
    rows = fit.simulate()
    fed = data["y"].copy()
    fed[rows["obs"].to_numpy()] = rows[0, 0].to_numpy()
    predicted = fit.predict(data | {"y": fed}).sel(obs=rows["obs"])[0, 0]
    np.testing.assert_allclose(rows[0, 0], predicted, atol=1e-7)


@pytest.fixture(scope="module")
def coupled():
    data, truth = bz.datasets.population(3, 6000, seed=3)
    coupling = truth["formula"].split(" + ")[-1]
    model = bz.Model(truth["formula"], data, family="poisson", mask={coupling: truth["mask"]})
    return data, truth, model.fit("map", progress=False)


def test_simulated_spikes_follow_the_fitted_model(coupled):
    data, _, fit = coupled
    draws = fit.simulate(draws=8, seed=2)
    assert dict(draws.sizes) == {"chain": 1, "draw": 8, "obs": 5980, "neuron": 3}
    assert draws.coords["time"].dims == ("obs",)
    rate, spread = draws.mean("obs").mean("draw")[0], draws.mean("obs").std("draw")[0]
    observed = data["spikes"].to_numpy()[20:].mean(axis=0)
    assert (np.abs(rate.to_numpy() - observed) < 5 * spread.to_numpy()).all()
    spikes = data["spikes"].to_numpy().copy()
    passed = []
    for draw in range(8):
        spikes[20:] = draws[0, draw].to_numpy()
        passed.append(fit.rescaling(data.assign(spikes=(("time", "neuron"), spikes))).p_value)
    assert np.min(passed) > 1e-3 and np.median(passed) > 0.2


def test_seeds_and_draws(coupled):
    _, _, fit = coupled
    one, again, other = (fit.simulate(draws=2, seed=s).to_numpy() for s in (4, 4, 5))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any() and (one[0, 0] != one[0, 1]).any()
    assert set(np.unique(one)) <= set(range(20))


def test_the_first_window_of_the_data_is_the_first_history(series):
    formula = "y ~ x + conv(y, bspline(4, 8))"
    fit = with_values(bz.fit(formula, series, method="map", progress=False), sigma=TINY)
    loud = series.copy()
    loud.loc[:7, "y"] += 10
    plain, changed = (fit.simulate(data)[0, 0].to_numpy() for data in (series, loud))
    assert np.isnan(plain[:8]).all() and np.isfinite(plain[8:]).all()
    first = fit.predict(loud)[0, 0, 8].item() - fit.predict(series)[0, 0, 8].item()
    assert first == pytest.approx(changed[8] - plain[8], abs=1e-6) and abs(first) > 0.1


@pytest.mark.parametrize("blank", [False, True])
def test_without_a_response_in_the_data_history_is_zero_at_first(series, blank):
    formula = "y ~ x + lag(y, 3) + conv(y, bspline(4, 8))"
    fit = with_values(bz.fit(formula, series, method="map", progress=False), sigma=TINY)
    new = series.drop(columns="y").iloc[:300]
    new = new.assign(y=np.nan) if blank else new
    simulated = fit.simulate(new)[0, 0].to_numpy()
    intercept, slope = (fit.idata.posterior[name].item() for name in ("Intercept", "x"))
    assert simulated[0] == pytest.approx(intercept + slope * new["x"][0], abs=1e-7)
    predicted = fit.predict(new.assign(y=simulated))[0, 0].to_numpy()
    np.testing.assert_allclose(simulated[8:], predicted[8:], atol=1e-7)


def test_other_formulas_are_predicted_responses(series):
    fit = bz.fit("y ~ x", series, method="ols", draws=50, progress=False)
    expected = fit.predict(kind="response", draws=3, seed=7)
    np.testing.assert_array_equal(fit.simulate(draws=3, seed=7), expected)
    mode = bz.fit("y ~ x", series, method="map", progress=False).simulate(draws=40)
    assert mode.sizes["draw"] == 40 and mode.std("draw").mean() > 0.5


@pytest.mark.parametrize("family", ["bernoulli", "binomial", "negative_binomial"])
def test_families_draw_within_their_support(series, family):
    rng = np.random.default_rng(6)
    data = series.assign(y=rng.integers(0, 2, BINS), n=1 + np.arange(BINS) % 3)
    response = "prop(y, n)" if family == "binomial" else "y"
    fit = bz.fit(
        f"{response} ~ x + conv(y, history(3))", data, family=family, method="map", progress=False
    )
    simulated = fit.simulate(draws=4, seed=2)
    values = simulated.to_numpy()
    assert (values == np.floor(values)).all() and values.min() == 0
    if family != "negative_binomial":
        assert (values <= (data["n"].to_numpy()[3:] if family == "binomial" else 1)).all()
    assert abs(values.mean() - data["y"].mean()) < 0.1


def test_runaway_stops_and_says_where(coupled):
    data, _, fit = coupled
    values = np.array(fit.draws.natural["mu.neurons"], dtype=float)
    values[..., 6:, 1] = 0.3  # all past spikes excite the second neuron
    wild = with_values(fit, **{"mu.neurons": values})
    with pytest.raises(
        bz.BayeszooError, match=r"runs away: at row \d+ \(\d.* s\), neuron n02"
    ) as info:
        wild.simulate()
    limit = 1000 * int(data["spikes"].max())
    for words in (f"above the limit of {limit} (1,000 times", "prior", "refractory history"):
        assert words in str(info.value)
    assert isinstance(info.value, RuntimeError)


def test_clear_refusals(series):
    def refuse(formula, match):
        fit = bz.fit(formula, series, method="map", progress=False)
        with pytest.raises(bz.BayeszooError, match=match):
            fit.simulate()

    refuse("y ~ conv(y > 0, bspline(4, 8))", "not through `conv")
    refuse("y ~ I(lag(y) * 2)", "not through `I")
    refuse("y ~ conv(y, bspline(4, 8)):lag(y)", "multiplies the past of the response by itself")
    refuse("exp(y / 10) ~ x + lag(y)", "computed from its column")
    fit = bz.fit("y ~ x + lag(y)", series, method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match="draws= takes a whole number"):
        fit.simulate(draws=0)
    with pytest.raises(bz.BayeszooError, match="no column `x`"):
        fit.simulate(series.drop(columns="x"))
