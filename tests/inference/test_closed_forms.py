"""Exact answers: a conjugate normal mean, and a linear model under flat priors, by every method."""

import numpy as np
import pytest
from scipy import stats

import bayeszoo as bz

METHODS = ("nuts", "laplace", "svi", "map")


@pytest.fixture(scope="module")
def conjugate():
    rng = np.random.default_rng(3)
    se = rng.uniform(0.5, 2.0, 40)
    data = {"y": rng.normal(1.5, se), "se": se}
    precision = 1 / 0.7**2 + np.sum(1 / se**2)
    mean = (0.4 / 0.7**2 + np.sum(data["y"] / se**2)) / precision
    model = bz.Model("measured(y, se) ~ 1", data, priors={"Intercept": bz.Normal(0.4, 0.7)})
    return model, mean, precision**-0.5


@pytest.mark.parametrize("method", METHODS)
def test_conjugate_normal_mean(conjugate, method):
    model, mean, sd = conjugate
    fit = model.fit(method, seed=1, progress=False)
    row = fit.summary().loc["Intercept"]
    draws = fit.idata.posterior["Intercept"].to_numpy().ravel()
    if method == "map":
        assert abs(row["mean"] - mean) < 1e-6 * sd
        return
    effective = row.get("ess_bulk", draws.size)
    assert abs(row["mean"] - mean) < 4.5 * sd / np.sqrt(effective) + (method == "svi") * 0.05 * sd
    spread = 4.5 / np.sqrt(2 * min(effective, draws.size)) + (method == "svi") * 0.05
    assert abs(row["sd"] / sd - 1) < spread


@pytest.fixture(scope="module")
def linear():
    rng = np.random.default_rng(4)
    n = 60
    x = rng.normal(3.0, 2.0, n)
    y = 2.0 - 0.7 * x + rng.normal(0, 1.3, n)
    design = np.column_stack([np.ones(n), x])
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    rss = np.sum((y - design @ beta) ** 2)
    priors = {"Intercept": bz.Flat(), "slopes": bz.Flat(), "sigma": bz.Flat(low=0)}
    model = bz.Model("y ~ x", {"y": y, "x": x}, priors=priors)
    # p(sigma) = 1: beta is t with n - p - 1 degrees of freedom
    df = n - 3
    scale = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * rss / df)
    return model, beta, scale, df, rss, n


def test_flat_linear_model_by_nuts(linear):
    model, beta, scale, df, _, _ = linear
    fit = model.fit("nuts", seed=2, draws=2000, progress=False)
    table = fit.summary()
    for i, name in enumerate(["Intercept", "x"]):
        row, exact = table.loc[name], stats.t(df, beta[i], scale[i])
        assert abs(row["mean"] - beta[i]) < 4.5 * exact.std() / np.sqrt(row["ess_bulk"])
        draws = fit.idata.posterior[name].to_numpy().ravel()
        below = (draws < exact.ppf(0.1)).mean()
        assert abs(below - 0.1) < 4.5 * np.sqrt(0.09 / row["ess_tail"])


def test_flat_linear_model_by_maximum_likelihood(linear):
    model, beta, _, _, rss, n = linear
    table = model.fit("map", progress=False).summary()
    np.testing.assert_allclose(table["mean"], [*beta, np.sqrt(rss / n)], rtol=1e-6)


@pytest.mark.parametrize("method", ["ols", "glm"])
def test_flat_linear_model_by_least_squares(linear, method):
    model, beta, _, _, rss, n = linear
    table = model.fit(method, progress=False).summary()
    np.testing.assert_allclose(table.loc[["Intercept", "x"], "mean"], beta, rtol=1e-8)
    np.testing.assert_allclose(table.loc["sigma", "mean"], np.sqrt(rss / (n - 2)), rtol=1e-8)


@pytest.mark.parametrize("method", ["laplace", "svi"])
def test_flat_linear_model_approximately(linear, method):
    model, beta, scale, _, _, _ = linear
    table = model.fit(method, seed=1, progress=False).summary()
    for i, name in enumerate(["Intercept", "x"]):
        assert abs(table.loc[name, "mean"] - beta[i]) < 0.2 * scale[i]
        assert abs(table.loc[name, "sd"] / scale[i] - 1) < 0.15


@pytest.mark.parametrize("method", ["nuts", "map", "laplace"])
def test_explicit_intercept_prior_is_about_all_predictors_at_zero(method):
    rng = np.random.default_rng(5)
    x = rng.normal(10.0, 2.0, 30)
    se = np.full(30, 1.5)
    y = rng.normal(3.0 + 0.2 * x, se)
    model = bz.Model(
        "measured(y, se) ~ x",
        {"y": y, "x": x, "se": se},
        priors={"Intercept": bz.Normal(0.0, 0.5), "x": bz.Normal(0.0, 1.0)},
    )
    design = np.column_stack([np.ones(30), x])
    precision = np.diag([1 / 0.25, 1.0]) + design.T @ design / 1.5**2
    covariance = np.linalg.inv(precision)
    mean = covariance @ (design.T @ y / 1.5**2)
    table = model.fit(method, seed=1, progress=False).summary()
    error = 0 if method == "map" else 4.5 / np.sqrt(table.get("ess_bulk", 1000.0))
    sd = np.sqrt(np.diag(covariance))
    assert (np.abs(table["mean"] - mean) < error * sd + 1e-6 * sd).all()
    if method != "map":
        assert (np.abs(table["sd"] / sd - 1) < error).all()


def test_bounded_slope_prior_against_quadrature():
    rng = np.random.default_rng(6)
    x = rng.normal(size=25)
    se = np.full(25, 2.0)
    y = rng.normal(0.1 * x, se)
    priors = {"x": bz.Exponential(2.0)}
    fit = bz.fit(
        "measured(y, se) ~ 0 + x", {"y": y, "x": x, "se": se}, priors=priors, seed=3, progress=False
    )
    grid = np.linspace(0, 6, 20_001)
    log = -2 * grid - 0.5 * np.sum((y - grid[:, None] * x) ** 2, axis=1) / 4
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ grid
    sd = np.sqrt(weight @ (grid - mean) ** 2)
    row = fit.summary().loc["x"]
    assert abs(row["mean"] - mean) < 4.5 * sd / np.sqrt(row["ess_bulk"])
    assert abs(row["sd"] / sd - 1) < 6 / np.sqrt(row["ess_bulk"])


def test_eight_schools_against_quadrature():
    y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
    se = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
    priors = {"Intercept": bz.Normal(0, 5), "sd(1|school)": bz.HalfCauchy(5)}
    data = {"y": y, "se": se, "school": list("ABCDEFGH")}
    grid = np.linspace(1e-3, 200, 200_001)
    variance = se**2 + grid[:, None] ** 2
    precision = np.sum(1 / variance, axis=1) + 1 / 25
    mean_given = np.sum(y / variance, axis=1) / precision
    log = (
        -0.5 * np.sum(np.log(variance), axis=1)
        - 0.5 * np.log(precision)
        - 0.5 * np.sum(y**2 / variance, axis=1)
        + 0.5 * precision * mean_given**2
        - np.log1p((grid / 5) ** 2)
    )
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    tau, mu = weight @ grid, weight @ mean_given
    for marginalize in (True, False):
        fit = bz.fit(
            "measured(y, se) ~ 1 + (1 | school)",
            data,
            priors=priors,
            seed=4,
            draws=4000,
            marginalize=marginalize,
            target_accept=0.95,
            progress=False,
        )
        table = fit.summary()
        error = table["sd"] / np.sqrt(table["ess_bulk"])
        assert abs(table.loc["Intercept", "mean"] - mu) < 4.5 * error["Intercept"]
        assert abs(table.loc["sd(1|school)", "mean"] - tau) < 4.5 * error["sd(1|school)"]
