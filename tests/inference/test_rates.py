"""Rates: the mean per bin over the width of a bin, wherever that width is known from."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

WIDTH = 0.02


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    return pd.DataFrame(
        {
            "time": np.tile(np.arange(200) * WIDTH, 3),  # three trials, each from 0
            "trial": np.repeat([1, 2, 3], 200),
            "x": x,
            "y": rng.poisson(np.exp(0.3 * x - 1)),
        }
    )


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ conv(x, bspline(4, 5), by=trial)"])
def test_the_mean_over_the_width_of_a_bin(data, formula):
    fit = bz.fit(formula, data, family="poisson", method="map", progress=False)
    rates = fit.rates()
    np.testing.assert_allclose(rates, fit.predict() / WIDTH, rtol=1e-12)
    assert rates.name == "rate" and rates.attrs["units"] == "Hz"
    assert rates.coords["time"].dims == ("obs",)
    new = fit.rates(data.iloc[:200])
    np.testing.assert_allclose(new, fit.predict(data.iloc[:200]) / WIDTH, rtol=1e-12)


def test_a_fitted_rate_is_count_over_duration(data):
    fit = bz.fit(
        "y ~ x", data, family="poisson", method="map", progress=False,
        priors={"Intercept": bz.Flat(), "x": bz.Flat()},
    )  # fmt: skip
    assert fit.rates().mean().item() == pytest.approx(data["y"].sum() / (600 * WIDTH), rel=1e-6)


def test_without_a_time_axis_it_says_what_to_add(data):
    plain = data.drop(columns="time")
    fit = bz.fit("y ~ x", plain, family="poisson", method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match="Add a column `time`"):
        fit.rates()
    np.testing.assert_allclose(fit.rates(data), fit.predict(data) / WIDTH, rtol=1e-12)


def test_other_responses_have_no_rate(data):
    fit = bz.fit("x ~ y", data, method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match="`normal` is for real numbers"):
        fit.rates()
