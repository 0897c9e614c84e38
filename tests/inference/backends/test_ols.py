"""Least squares against statsmodels on the same design, and against R's lm and sandwich."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import bayeszoo as bz
from bayeszoo.errors import FitError, OptionError

REFERENCE = Path(__file__).parents[2] / "reference"
VALUES = pd.read_csv(REFERENCE / "values.csv")


def values(case, method):
    return VALUES[(VALUES.case == case) & (VALUES.method == method)]


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(3)
    n = 90
    frame = pd.DataFrame({"x": generator.normal(size=n), "g": generator.choice(list("abc"), n)})
    frame["y"] = 1 + 2 * frame.x + generator.normal(size=n) * (1 + 0.5 * (frame.g == "b"))
    frame["w"] = generator.integers(0, 4, n)
    frame["se"] = generator.uniform(0.5, 2, n)
    frame["status"] = "none"
    return frame


def design(table):
    return np.column_stack([np.ones(len(table)), table.x, table.g == "b", table.g == "c"]).astype(
        float
    )


def fit(formula, table, method="ols", **options):
    return bz.Model(formula, table).fit(method, progress=False, **options)


@pytest.mark.parametrize(("method", "robust"), [("lm", None), ("lm_hc3", "HC3")])
def test_agrees_with_r(method, robust):
    part = values("heteroscedastic", method)
    data = pd.read_csv(REFERENCE / part.data.iloc[0])
    found = fit(part.formula.iloc[0], data, robust=robust)
    summary = found.summary()
    for row in part.itertuples():
        column = {"estimate": "mean", "se": "se", "sigma": "mean"}.get(row.quantity)
        if column is not None:
            assert summary.loc[row.term, column] == pytest.approx(row.value, rel=1e-10)
        if row.quantity == "loglik":
            assert found.result.llf == pytest.approx(row.value, rel=1e-10)


@pytest.mark.parametrize("robust", [None, "HC0", "HC1", "HC2", "HC3"])
def test_agrees_with_statsmodels(table, robust):
    summary = fit("y ~ x + g", table, robust=robust).summary(prob=0.9)
    direct = sm.OLS(table.y.to_numpy(), design(table)).fit(
        cov_type=robust or "nonrobust", use_t=True
    )
    rows = summary.loc[["Intercept", "x", "g[b]", "g[c]"]]
    np.testing.assert_allclose(rows["mean"], direct.params, rtol=1e-10)
    np.testing.assert_allclose(rows["se"], direct.bse, rtol=1e-10)
    np.testing.assert_allclose(rows["statistic"], direct.tvalues, rtol=1e-9)
    np.testing.assert_allclose(rows["p_value"], direct.pvalues, rtol=1e-7, atol=1e-300)
    np.testing.assert_allclose(rows[["lower", "upper"]], direct.conf_int(0.1), rtol=1e-9)
    assert summary.loc["sigma", "mean"] == pytest.approx(np.sqrt(direct.scale))
    assert np.isnan(summary.loc["sigma", "p_value"])
    assert (summary["lower"] < summary["upper"]).all()


def test_robust_is_applied(table):
    plain, robust = (
        fit("y ~ x + g", table).summary(),
        fit("y ~ x + g", table, robust="HC3").summary(),
    )
    assert (plain["mean"] == robust["mean"]).all()
    assert not np.isclose(plain.loc["g[b]", "se"], robust.loc["g[b]", "se"], rtol=0.02)


@pytest.mark.parametrize("robust", [None, "HC1", "HC3"])
def test_a_weight_is_a_number_of_rows(table, robust):
    weighted = fit("weighted(y, w) ~ x + g", table, robust=robust)
    repeated = fit("y ~ x + g", table.loc[np.repeat(table.index, table.w)], robust=robust)
    columns = ["mean", "se", "lower", "upper", "p_value"]
    np.testing.assert_allclose(
        weighted.summary()[columns], repeated.summary()[columns], rtol=1e-8, atol=1e-15
    )
    np.testing.assert_allclose(weighted.result.bse, repeated.result.bse, rtol=1e-10)


def test_known_standard_errors(table):
    summary = fit("measured(y, se) ~ x + g", table).summary()
    x, w = design(table), 1 / table.se.to_numpy() ** 2
    covariance = np.linalg.inv(x.T @ (w[:, None] * x))
    np.testing.assert_allclose(summary["mean"], covariance @ x.T @ (w * table.y), rtol=1e-10)
    np.testing.assert_allclose(summary["se"], np.sqrt(np.diag(covariance)), rtol=1e-10)
    assert "sigma" not in summary.index


def test_offset_is_subtracted(table):
    moved = fit("y ~ x + offset(5 * x)", table).summary()
    plain = fit("y ~ x", table).summary()
    assert moved.loc["x", "mean"] == pytest.approx(plain.loc["x", "mean"] - 5)
    assert moved.loc["x", "se"] == pytest.approx(plain.loc["x", "se"])


@pytest.mark.parametrize("robust", [None, "HC3"])
def test_predictors_far_from_zero_keep_their_digits(table, robust):
    far = table.assign(x=table.x + 1e7)
    near, moved = (fit("y ~ x + g", t, robust=robust).summary() for t in (table, far))
    assert moved.loc["x", "mean"] == pytest.approx(near.loc["x", "mean"], rel=1e-7)
    assert moved.loc["x", "se"] == pytest.approx(near.loc["x", "se"], rel=1e-7)
    assert moved.loc["sigma", "mean"] == pytest.approx(near.loc["sigma", "mean"], rel=1e-9)


def test_draws_follow_the_estimator(table):
    found = fit("y ~ x + g", table, draws=20_000)
    exact = found.draws.table
    drawn = found.draws.natural["mu.coefficients"][0]
    rows = exact.loc[["Intercept", "x", "g[b]", "g[c]"]]
    z = (drawn.mean(0) - rows["estimate"]) / (rows["se"] / np.sqrt(len(drawn)))
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(drawn.std(0), rows["se"], rtol=4.5 / np.sqrt(2 * len(drawn)))
    np.testing.assert_allclose(
        np.corrcoef(drawn.T)[0, 1:],
        [-0.07, -0.5, -0.5],
        atol=1.0,  # only that they are correlations; the covariance is compared below
    )
    np.testing.assert_allclose(
        np.cov(drawn.T), found.result.cov_params(), atol=0.03 * rows["se"].max() ** 2
    )
    assert (found.draws.natural["sigma"] > 0).all()
    again = fit("y ~ x + g", table, draws=20_000)
    assert (again.draws.natural["mu.coefficients"] == found.draws.natural["mu.coefficients"]).all()


def test_predicts(table):
    found = fit("y ~ x + g", table)
    new = pd.DataFrame({"x": [0.0, 1.0], "g": ["a", "b"]})
    predicted = found.predict(new)
    assert predicted.dims == ("chain", "draw", "obs")
    direct = found.result.predict(np.array([[1, 0, 0, 0], [1, 1, 1, 0]]))
    error = predicted.std("draw").to_numpy()[0] / np.sqrt(predicted.sizes["draw"])
    assert (np.abs(predicted.mean("draw").to_numpy()[0] - direct) < 5 * error).all()
    assert found.predict(new, kind="response").shape == (1, 1000, 2)


def test_a_missing_value_drops_its_row(table):
    hole = table.copy()
    hole.loc[5, "x"] = np.nan
    expected = fit("y ~ x + g", table.drop(index=5)).summary()
    pd.testing.assert_frame_equal(fit("y ~ x + g", hole).summary(), expected)


def test_no_rest_of_the_response_is_noted(table):
    found = fit("y ~ x", table.assign(y=3 + 2 * table.x))
    assert any("exactly" in finding for finding in found.diagnose())


def test_priors_are_not_used(table):
    found = bz.Model("y ~ x", table, priors={"x": bz.Normal(0, 1)}).fit("ols", progress=False)
    assert any("`x`" in finding and "no priors" in finding for finding in found.diagnose())
    assert found.summary().loc["x", "mean"] == fit("y ~ x", table).summary().loc["x", "mean"]


@pytest.mark.parametrize(
    ("formula", "options", "words"),
    [
        ("y ~ x + (1 | g)", {}, '"lme"'),
        ("y ~ x\nsigma ~ x", {}, "`sigma`"),
        ("censored(y, status) ~ x", {}, "censored"),
        ("y ~ 0", {}, "at least one coefficient"),
        ("exp(y) ~ x", {"family": "gamma"}, '"glm"'),
        ("y ~ x", {"link": "log"}, "identity"),
    ],
)
def test_refuses(table, formula, options, words):
    with pytest.raises(FitError, match=words):
        bz.Model(formula, table, **options).fit("ols", progress=False)


def test_refuses_more_coefficients_than_rows(table):
    with pytest.raises(FitError, match="more rows than coefficients"):
        fit("y ~ x", table.iloc[:2])


@pytest.mark.parametrize("robust", ["hc3", "HC4", True, 3])
def test_refuses_unknown_robust(table, robust):
    with pytest.raises(OptionError, match="robust="):
        fit("y ~ x", table, robust=robust)
