"""Generalised linear models against statsmodels on the same design, and against R's glm."""

import dataclasses
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import bayeszoo as bz
from bayeszoo.errors import FitError
from bayeszoo.zoo.families import find_family

REFERENCE = Path(__file__).parents[2] / "reference"
VALUES = pd.read_csv(REFERENCE / "values.csv")
CASES = {
    "counts_glm": ("glm_poisson", "poisson"),
    "proportion_glm": ("glm_binomial", "binomial"),
    "binary_glm": ("glm_bernoulli", "bernoulli"),
    "positive_glm": ("glm_gamma", "gamma"),
}


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(7)
    n = 160
    frame = pd.DataFrame({"x": generator.normal(size=n), "t": generator.uniform(0.5, 3, n)})
    mean = np.exp(0.4 + 0.3 * frame.x)
    frame["count"] = generator.poisson(mean * frame.t)
    frame["positive"] = mean * generator.gamma(4, 0.25, n)
    frame["wald"] = generator.wald(mean, 5.0)
    frame["real"] = mean + generator.normal(0, 0.3, n)
    frame["trials"] = generator.integers(1, 9, n)
    frame["hits"] = generator.binomial(frame.trials, 1 / (1 + np.exp(-0.5 * frame.x)))
    frame["yes"] = generator.binomial(1, 1 / (1 + np.exp(-frame.x)))
    frame["w"] = generator.integers(0, 4, n)
    frame["g"] = generator.choice(list("ab"), n)
    frame["se"] = generator.uniform(0.3, 1, n)
    return frame


def fit(formula, table, family, link=None, **options):
    return bz.Model(formula, table, family=family, link=link).fit("glm", progress=False, **options)


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_r(case):
    method, family = CASES[case]
    part = VALUES[(VALUES.case == case) & (VALUES.method == method)]
    data = pd.read_csv(REFERENCE / part.data.iloc[0])
    found = fit(
        part.formula.iloc[0], data.astype({"group": str} if "group" in data else {}), family
    )
    summary = found.summary()
    for row in part.itertuples():
        if row.quantity in ("estimate", "se"):
            column = {"estimate": "mean", "se": "se"}[row.quantity]
            assert summary.loc[row.term, column] == pytest.approx(row.value, rel=1e-6)
        elif row.quantity == "deviance":
            assert found.result.deviance == pytest.approx(row.value, rel=1e-9)
        elif row.quantity == "dispersion":
            assert 1 / summary.loc["alpha", "mean"] == pytest.approx(row.value, rel=1e-6)
        elif row.quantity == "loglik" and family != "gamma":  # R inserts another dispersion there
            assert found.result.llf == pytest.approx(row.value, rel=1e-9)
    assert found.diagnose() == []


links = sm.families.links
DIRECT = [
    ("count", "poisson", "log", sm.families.Poisson()),
    ("positive", "gamma", "log", sm.families.Gamma(links.Log())),
    ("positive", "gamma", "identity", sm.families.Gamma(links.Identity())),
    ("wald", "inverse_gaussian", "log", sm.families.InverseGaussian(links.Log())),
    ("real", "normal", "identity", sm.families.Gaussian()),
    ("real", "normal", "log", sm.families.Gaussian(links.Log())),
    ("yes", "bernoulli", "logit", sm.families.Binomial()),
    ("yes", "bernoulli", "probit", sm.families.Binomial(links.Probit())),
    ("yes", "bernoulli", "cloglog", sm.families.Binomial(links.CLogLog())),
]


@pytest.mark.parametrize(("response", "family", "link", "direct"), DIRECT)
def test_agrees_with_statsmodels(table, response, family, link, direct):
    summary = fit(f"{response} ~ x", table, family, link).summary()
    x = sm.add_constant(table.x.to_numpy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of links that allow means outside the range
        result = sm.GLM(table[response].to_numpy(), x, family=direct).fit()
    rows = summary.loc[["Intercept", "x"]]
    np.testing.assert_allclose(rows["mean"], result.params, rtol=1e-5)
    np.testing.assert_allclose(rows["se"], result.bse, rtol=1e-5)
    np.testing.assert_allclose(rows["p_value"], result.pvalues, rtol=1e-3, atol=1e-12)
    np.testing.assert_allclose(rows[["lower", "upper"]], result.conf_int(), rtol=1e-5, atol=1e-7)


def test_scalars_are_the_scale_in_the_familys_words(table):
    for response, family, name, of_scale in [
        ("positive", "gamma", "alpha", lambda s: 1 / s),
        ("wald", "inverse_gaussian", "lam", lambda s: 1 / s),
        ("real", "normal", "sigma", np.sqrt),
    ]:
        found = fit(f"{response} ~ x", table, family)
        row = found.summary().loc[name]
        assert row["mean"] == pytest.approx(of_scale(found.result.scale))
        assert row["lower"] < row["mean"] < row["upper"]
        assert np.isnan(row["p_value"])


def test_families_without_dispersion_have_scale_one(table):
    exponential = dataclasses.replace(find_family("exponential"), glm="Gamma")
    found = fit("positive ~ x", table, exponential)
    x = sm.add_constant(table.x.to_numpy())
    family = sm.families.Gamma(links.Log())
    result = sm.GLM(table.positive.to_numpy(), x, family=family).fit(scale=1.0)
    np.testing.assert_allclose(found.summary()["se"], result.bse, rtol=1e-5)


def test_the_error_of_a_shape_covers_repetitions():
    generator = np.random.default_rng(1)
    found = []
    for _ in range(60):
        y = generator.gamma(4, 0.25, 300)
        row = fit("y ~ 1", {"y": y}, "gamma").draws.table.loc["alpha"]
        found.append((row["estimate"], row["se"]))
    estimates, errors = np.array(found).T
    # the standard deviation of 60 estimates is known to 9 %, and the errors themselves vary
    assert np.median(errors) == pytest.approx(estimates.std(ddof=1), rel=0.4)


def test_offset_is_passed_on(table):
    summary = fit("count ~ x + offset(log(t))", table, "poisson").summary()
    result = sm.GLM(
        table["count"].to_numpy(),
        sm.add_constant(table.x.to_numpy()),
        family=sm.families.Poisson(),
        offset=np.log(table.t.to_numpy()),
    ).fit()
    np.testing.assert_allclose(summary["mean"], result.params, rtol=1e-6)


def test_trials_are_as_many_rows(table):
    together = fit("prop(hits, trials) ~ x", table, "binomial").summary()
    single = table.loc[np.repeat(table.index, table.trials)]
    order = single.groupby(level=0).cumcount()
    single = single.assign(hit=(order < single.hits).astype(int))
    apart = fit("hit ~ x", single, "bernoulli").summary()
    np.testing.assert_allclose(together[["mean", "se"]], apart[["mean", "se"]], rtol=1e-5)


@pytest.mark.parametrize("robust", [None, "HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize(
    ("response", "family"),
    [
        ("{count}", "poisson"),
        ("{positive}", "gamma"),
        ("{yes}", "bernoulli"),
        ("{real}", "normal"),
    ],
)
def test_a_weight_is_a_number_of_rows(table, response, family, robust):
    name = response.strip("{}")
    weighted = fit(f"weighted({name}, w) ~ x", table, family, robust=robust)
    again = table.loc[np.repeat(table.index, table.w)]
    repeated = fit(f"{name} ~ x", again, family, robust=robust)
    np.testing.assert_allclose(
        weighted.summary()[["mean", "se"]], repeated.summary()[["mean", "se"]], rtol=1e-6
    )
    assert weighted.result.llf == pytest.approx(repeated.result.llf)


@pytest.mark.parametrize("robust", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_agrees_with_least_squares(table, robust):
    # statsmodels itself computes HC0 for a GLM, whichever is asked for
    summary = fit("real ~ x", table, "normal", robust=robust)
    direct = sm.OLS(table.real.to_numpy(), sm.add_constant(table.x.to_numpy())).fit(cov_type=robust)
    np.testing.assert_allclose(summary.summary()["se"][["Intercept", "x"]], direct.bse, rtol=1e-8)
    np.testing.assert_allclose(summary.result.bse, direct.bse, rtol=1e-8)


def test_robust_agrees_with_statsmodels_hc0(table):
    summary = fit("prop(hits, trials) ~ x", table, "binomial", robust="HC0").summary()
    y = np.column_stack([table.hits, table.trials - table.hits])
    x = sm.add_constant(table.x.to_numpy())
    result = sm.GLM(y, x, family=sm.families.Binomial()).fit(cov_type="HC0")
    np.testing.assert_allclose(summary["se"], result.bse, rtol=1e-6)


def test_known_standard_errors(table):
    by_glm = fit("measured(real, se) ~ x", table, "normal").summary()
    by_ols = bz.Model("measured(real, se) ~ x", table).fit("ols", progress=False).summary()
    np.testing.assert_allclose(by_glm[["mean", "se"]], by_ols[["mean", "se"]], rtol=1e-8)
    assert "sigma" not in by_glm.index


def test_predictors_far_from_zero_keep_their_digits(table):
    near = fit("count ~ x", table, "poisson").summary()
    moved = fit("count ~ x", table.assign(x=table.x + 1e7), "poisson").summary()
    np.testing.assert_allclose(
        moved.loc["x", ["mean", "se"]].astype(float),
        near.loc["x", ["mean", "se"]].astype(float),
        rtol=1e-6,
    )


def test_draws_follow_the_estimator_and_predict(table):
    found = fit("positive ~ x", table, "gamma", draws=20_000)
    exact = found.draws.table
    drawn = found.draws.natural["mu.coefficients"][0]
    rows = exact.loc[["Intercept", "x"]]
    z = (drawn.mean(0) - rows["estimate"]) / (rows["se"] / np.sqrt(len(drawn)))
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(drawn.std(0), rows["se"], rtol=0.03)
    logs = np.log(found.draws.natural["alpha"][0])
    relative = exact.loc["alpha", "se"] / exact.loc["alpha", "estimate"]
    assert logs.std() == pytest.approx(relative, rel=0.03)
    predicted = found.predict({"x": [0.0, 1.0]}).mean(("chain", "draw")).to_numpy()
    np.testing.assert_allclose(predicted, found.result.predict([[1, 0], [1, 1]]), rtol=0.01)


def test_perfect_prediction_is_noted(table):
    found = fit("yes ~ x", table.assign(yes=(table.x > 0).astype(int)), "bernoulli")
    assert any("separate the outcomes" in finding for finding in found.diagnose())
    found = fit("count ~ g", table.assign(count=np.where(table.g == "b", 0, 3)), "poisson")
    named = [finding for finding in found.diagnose() if "separate" in finding]
    assert any("`g[b]`" in finding and "Intercept" not in finding for finding in named)


def test_no_warning_escapes_the_first_fit():
    # the import of statsmodels puts its own filters before those in force
    code = """
import warnings
import bayeszoo as bz
data = {"x": [float(i) for i in range(12)], "y": [0] * 6 + [1] * 6, "g": list("abc") * 4}
bz.Model("y ~ x", data, family="bernoulli").fit("glm", progress=False)
bz.Model("y ~ x", data).fit("ols", progress=False)
bz.Model("y ~ x + (1 | g)", data).fit("lme", progress=False)
assert not any(f[2].__module__.startswith("statsmodels") for f in warnings.filters)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_mean_outside_the_range_breaks_down_in_words():
    data = {"x": np.arange(8.0), "y": [9.0, 0, 0, 0, 0, 0, 0, 0]}
    with pytest.raises(FitError, match="broke down"):
        fit("y ~ x", data, "poisson", "identity")


@pytest.mark.parametrize(
    ("formula", "family", "words"),
    [
        ("real ~ x", "student", "nuts"),
        ("count ~ x + (1 | g)", "poisson", "no group effects"),
        ("real ~ x + (1 | g)", "normal", '"lme"'),
        ("positive ~ x\nalpha ~ x", "gamma", "`alpha`"),
        ("count ~ 0", "poisson", "at least one coefficient"),
        ("count ~ x", "zero_inflated_poisson", "zero_inflated_poisson"),
    ],
)
def test_refuses(table, formula, family, words):
    with pytest.raises(FitError, match=words):
        fit(formula, table, family)
