"""Linear mixed models against lme4, a dense normal density, and statsmodels' MixedLM."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import bayeszoo as bz
from bayeszoo.errors import FitError, LevelError, OptionError

REFERENCE = Path(__file__).parents[2] / "reference"
TABLES = Path(__file__).parents[3] / "datasets" / "tables"
VALUES = pd.read_csv(REFERENCE / "values.csv")
CASES = sorted(VALUES.loc[VALUES.method.str.startswith("lme"), "case"].unique())


def fit(formula, table, **options):
    return bz.Model(formula, table).fit("lme", progress=False, **options)


def read(name):
    path = TABLES / name if (TABLES / name).exists() else REFERENCE / name
    frame = pd.read_csv(path)
    return frame.astype({"Subject": str}) if "Subject" in frame else frame


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(5)
    groups, size = 25, 12
    g = np.repeat(np.arange(groups), size)
    b = generator.normal(size=(groups, 2)) * [2.0, 0.7]
    frame = pd.DataFrame({"x": generator.normal(size=len(g)), "g": g.astype(str)})
    frame["h"] = np.tile(np.arange(size), groups).astype(str)
    frame["y"] = 5 + b[g, 0] + (1 + b[g, 1]) * frame.x + generator.normal(size=len(g))
    frame["w"] = generator.integers(0, 4, len(g))
    return frame


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", ["lme_reml", "lme_ml"])
def test_agrees_with_lme4(case, method):
    part = VALUES[(VALUES.case == case) & (VALUES.method == method)]
    found = fit(part.formula.iloc[0], read(part.data.iloc[0]), reml=method == "lme_reml")
    summary = found.summary(groups=True)
    assert found.diagnose() == []
    for row in part.itertuples():
        if row.quantity == "loglik":
            assert found.result.llf == pytest.approx(row.value, rel=1e-9)
        elif row.quantity == "reml_criterion":
            assert -2 * found.result.llf == pytest.approx(row.value, rel=1e-9)
        else:
            column = "se" if row.quantity == "se" else "mean"
            # correlations near 0 lose digits
            assert summary.loc[row.term, column] == pytest.approx(row.value, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(
    "formula", ["y ~ x + (1 | g)", "y ~ x + (1 + x | g)", "y ~ x + (1 | g) + (1 | h)"]
)
def test_statsmodels_is_the_result_where_it_can_be(table, formula):
    found = fit(formula, table)
    assert type(found.result).__module__.startswith("statsmodels")
    summary = found.summary()
    np.testing.assert_allclose(
        found.result.fe_params, summary.loc[["Intercept", "x"], "mean"], rtol=1e-5
    )
    np.testing.assert_allclose(
        found.result.bse_fe, summary.loc[["Intercept", "x"], "se"], rtol=1e-2
    )  # statsmodels takes the observed information, lme4 the expected one
    assert found.result.scale**0.5 == pytest.approx(summary.loc["sigma", "mean"], rel=1e-4)


def test_correlated_crossed_effects_have_a_result_of_our_own(table):
    found = fit("y ~ x + (1 + x | g) + (1 | h)", table)
    assert list(found.result.params.index) == ["Intercept", "x"]
    assert found.result.bse["x"] == pytest.approx(found.summary().loc["x", "se"])
    assert found.result.converged


def test_errors_of_variances_agree_with_a_dense_density(table):
    found = fit("y ~ x + (1 + x | g)", table, reml=False)
    exact = found.draws.table
    names = ["Intercept", "x", "sd(1|g)", "sd(x|g)", "corr(g)[Intercept,x]", "sigma"]
    x = np.column_stack([np.ones(len(table)), table.x])
    y = table.y.to_numpy()
    parts = [np.flatnonzero(table.g == g) for g in table.g.unique()]

    def deviance(p):
        sd, corr, sigma = np.exp(p[2:4]), np.tanh(p[4]), np.exp(p[5])
        covariance = np.outer(sd, sd) * [[1, corr], [corr, 1]]
        return -sum(
            stats.multivariate_normal.logpdf(
                y[i], x[i] @ p[:2], x[i] @ covariance @ x[i].T + sigma**2 * np.eye(len(i))
            )
            for i in parts
        )

    estimate = exact.loc[names, "estimate"].to_numpy()
    best = np.array(
        [*estimate[:2], *np.log(estimate[2:4]), np.arctanh(estimate[4]), np.log(estimate[5])]
    )
    assert -deviance(best) == pytest.approx(found.result.llf, rel=1e-10)
    step, unit = 1e-4, np.eye(6)
    hessian = np.array(
        [
            [
                sum(
                    s * t * deviance(best + step * (s * unit[i] + t * unit[j]))
                    for s in (1, -1)
                    for t in (1, -1)
                )
                / (4 * step**2)
                for j in range(6)
            ]
            for i in range(6)
        ]
    )
    se = np.sqrt(np.diag(np.linalg.inv(hessian)))
    outward = np.array([1, 1, *estimate[2:4], 1 - estimate[4] ** 2, estimate[5]])
    np.testing.assert_allclose(exact.loc[names[2:], "se"], (se * outward)[2:], rtol=2e-3)
    # those of coefficients are given the variances, as lme4's are
    np.testing.assert_allclose(exact.loc[names[:2], "se"], se[:2], rtol=2e-2)


def test_group_effects_are_blups(table):
    found = fit("y ~ x + (1 | g)", table)
    row = found.draws.table
    sd, sigma = row.loc["sd(1|g)", "estimate"], row.loc["sigma", "estimate"]
    z = pd.get_dummies(table.g, dtype=float)[table.g.unique()].to_numpy()
    x = np.column_stack([np.ones(len(table)), table.x])
    equations = np.block([[x.T @ x, x.T @ z], [z.T @ x, z.T @ z + (sigma / sd) ** 2 * np.eye(25)]])
    inverse = np.linalg.inv(equations)
    solved = inverse @ np.concatenate([x.T @ table.y, z.T @ table.y])
    names = [f"1|g[{g}]" for g in table.g.unique()]
    np.testing.assert_allclose(row.loc[names, "estimate"], solved[2:], rtol=1e-6)
    np.testing.assert_allclose(
        row.loc[names, "se"], sigma * np.sqrt(np.diag(inverse)[2:]), rtol=1e-6
    )
    predicted = found.predict().to_numpy()[0]
    both = np.column_stack([x, z])
    error = sigma * np.sqrt(np.einsum("ij,jk,ik->i", both, inverse, both))
    np.testing.assert_allclose(predicted.std(axis=0), error, rtol=0.15)
    bias = (predicted.mean(axis=0) - both @ solved) / (error / np.sqrt(len(predicted)))
    assert np.abs(bias).max() < 4.5


@pytest.mark.parametrize("formula", ["{} ~ x + (1 + x | g)", "{} ~ x + (1 + x || g) + (1 | h)"])
@pytest.mark.parametrize("reml", [True, False])
def test_a_weight_is_a_number_of_rows(table, formula, reml):
    weighted = fit(formula.format("weighted(y, w)"), table, reml=reml)
    repeated = fit(formula.format("y"), table.loc[np.repeat(table.index, table.w)], reml=reml)
    np.testing.assert_allclose(
        weighted.summary()[["mean", "se"]], repeated.summary()[["mean", "se"]], rtol=1e-5, atol=1e-6
    )
    assert weighted.result.llf == pytest.approx(repeated.result.llf, rel=1e-9)


def test_meta_analysis():
    generator = np.random.default_rng(2)
    se = generator.uniform(0.1, 0.5, 20)
    effect = generator.normal(0.5, 0.6, 20) + se * generator.normal(size=20)
    data = {"effect": effect, "se": se, "study": [f"s{i}" for i in range(20)]}
    found = fit("measured(effect, se) ~ 1 + (1 | study)", data, reml=False)

    def minus(tau):
        deviation = np.hypot(se, tau)
        mean = np.average(effect, weights=deviation**-2)
        return -stats.norm.logpdf(effect, mean, deviation).sum()

    best = optimize.minimize_scalar(minus, bounds=(0, 3), method="bounded", options={"xatol": 1e-9})
    summary = found.summary()
    assert summary.loc["sd(1|study)", "mean"] == pytest.approx(best.x, rel=1e-6)
    assert found.result.llf == pytest.approx(-best.fun, rel=1e-10)
    assert "sigma" not in summary.index


def test_predictors_far_from_zero_change_nothing(table):
    near = fit("y ~ x + (1 + x | g)", table)
    far = fit("y ~ year + (1 + year | g)", table.assign(year=table.x + 2000))
    assert far.diagnose() == []
    a, b = near.summary(), far.summary()
    for names in [("x", "year"), ("sd(x|g)", "sd(year|g)"), ("sigma", "sigma")]:
        assert a.loc[names[0], "mean"] == pytest.approx(b.loc[names[1], "mean"], rel=1e-6)
        assert a.loc[names[0], "se"] == pytest.approx(b.loc[names[1], "se"], rel=1e-4)
    np.testing.assert_allclose(near.predict(), far.predict(), rtol=1e-6)


def test_units_change_nothing(table):
    small = fit("y ~ x + (1 + x | g)", table).summary()
    large = fit("y ~ x + (1 + x | g)", table.assign(y=table.y * 1e9 + 1e12)).summary()
    for name in ("x", "sd(1|g)", "sd(x|g)", "sigma"):
        assert large.loc[name, "mean"] == pytest.approx(1e9 * small.loc[name, "mean"], rel=1e-5)


def test_no_spread_between_groups_is_a_boundary(table):
    generator = np.random.default_rng(0)
    flat = table.assign(y=generator.normal(size=len(table)))
    flat["y"] -= flat.groupby("g").y.transform("mean")
    for formula in ("y ~ x + (1 | g)", "y ~ x + (1 | g) + (1 | h)"):
        found = fit(formula, flat)
        row = found.summary().loc["sd(1|g)"]
        assert row["mean"] == 0 and np.isnan(row["se"])
        assert any("`sd(1|g)`" in f and "boundary" in f for f in found.diagnose())
        assert not any("`sd(1|h)`" in f and "sd(1|g)" not in f for f in found.diagnose())
        assert (found.draws.natural["mu.group0.sd"] == 0).all()
        assert (found.draws.natural["mu.group0.effects"] == 0).all()
        assert np.isfinite(found.predict().to_numpy()).all()
    direct = bz.Model("y ~ x", flat).fit("ols", progress=False).summary()
    alone = fit("y ~ x + (1 | g)", flat).summary()
    np.testing.assert_allclose(alone.loc[["x"], ["mean", "se"]], direct.loc[["x"], ["mean", "se"]])


def test_a_singular_correlation_is_noted_and_predicts():
    generator = np.random.default_rng(4)
    g = np.repeat(np.arange(8), 6)
    x = np.tile(np.arange(6.0), 8)
    # intercepts and slopes on one line
    b = generator.normal(size=8)
    y = b[g] * (1 + 0.5 * x) + generator.normal(size=48)
    data = {"y": y, "x": x, "g": g.astype(str)}
    for seed in range(1, 20):
        data["y"] = b[g] * (1 + 0.5 * x) + np.random.default_rng(seed).normal(size=48)
        found = fit("y ~ x + (1 + x | g)", data)
        if abs(found.summary().loc["corr(g)[Intercept,x]", "mean"]) == 1:
            break
    assert any("`corr(g)`" in finding for finding in found.diagnose())
    new = found.predict({"x": [0.0, 1.0], "g": ["new", "new"]}, groups="new")
    assert np.isfinite(new.to_numpy()).all()


def test_draws_follow_the_estimator(table):
    found = fit("y ~ x + (1 + x | g)", table, draws=20_000)
    exact, natural = found.draws.table, found.draws.natural
    drawn = natural["mu.coefficients"][0]
    rows = exact.loc[["Intercept", "x"]]
    z = (drawn.mean(0) - rows["estimate"]) / (rows["se"] / np.sqrt(len(drawn)))
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(drawn.std(0), rows["se"], rtol=0.03)
    rows = exact.loc[["sd(1|g)", "sd(x|g)"]]
    logs = np.log(natural["mu.group0.sd"][0])
    np.testing.assert_allclose(logs.std(0), rows["se"] / rows["estimate"], rtol=0.03)
    row = exact.loc["corr(g)[Intercept,x]"]
    turned = np.arctanh(natural["mu.group0.corr"][0, :, 0, 1])
    assert turned.std() == pytest.approx(row["se"] / (1 - row["estimate"] ** 2), rel=0.03)
    assert natural["mu.group0.effects"].shape == (1, 20_000, 25, 2)


def test_drawn_correlation_matrices_are_valid():
    data = read("factor_slope.csv")
    found = fit("y ~ stim + (1 + stim | mouse)", data, draws=4000)
    corr = found.draws.natural["mu.group0.corr"][0]
    assert np.linalg.eigvalsh(corr).min() > -1e-10
    np.testing.assert_allclose(np.diagonal(corr, axis1=1, axis2=2), 1)
    few = data[data.mouse.isin(data.mouse.unique()[:4])]  # wide errors
    corr = fit("y ~ stim + (1 + stim | mouse)", few).draws.natural["mu.group0.corr"][0]
    assert np.linalg.eigvalsh(corr).min() > -1e-10


def test_intervals_are_ordered_and_one_empty_cell_is_harmless(table):
    on = np.arange(len(table)) % 2
    effect = np.random.default_rng(1).normal(1, 1.5, 25)[table.g.astype(int)]
    cells = table.assign(stim=np.where(on, "on", "off"), y=table.y + on * effect)
    full = fit("y ~ stim + (1 + stim | g)", cells).summary()
    cut = cells[~((cells.g == "3") & (cells.stim == "on"))]
    found = fit("y ~ stim + (1 + stim | g)", cut)
    part = found.summary(groups=True)
    assert (part["lower"] <= part["upper"]).all()
    assert part.loc["stim[on]", "mean"] == pytest.approx(full.loc["stim[on]", "mean"], abs=0.2)
    assert np.isfinite(part["mean"]).all()


def test_predicts_fitted_new_and_no_groups(table):
    found = fit("y ~ x + (1 + x | g)", table)
    new = pd.DataFrame({"x": [0.5, 0.5], "g": ["3", "3"]})
    fitted = found.predict(new).std("draw").to_numpy().max()
    population = found.predict(new, groups="population").std("draw").to_numpy().max()
    unseen = found.predict(new.assign(g="z"), groups="new").std("draw").to_numpy().max()
    assert fitted < unseen and population < unseen
    with pytest.raises(LevelError):
        found.predict(new.assign(g="z"))


def test_no_common_coefficients(table):
    found = fit("y ~ 0 + (1 | g)", table)
    assert list(found.summary().index) == ["sd(1|g)", "sigma"]


@pytest.mark.parametrize(
    ("formula", "options", "words"),
    [
        ("y ~ x", {}, '"ols"'),
        ("y ~ x + student(1 | g)", {}, "normal group effects"),
        ("y ~ x + (1 | g)\nsigma ~ x", {}, "`sigma`"),
        ("y ~ x + (1 | g)", {"family": "student"}, "nuts"),
        ("exp(y / 10) ~ x + (1 | g)", {"family": "gamma"}, "laplace"),
        ("y ~ x + (1 | g)", {"link": "log"}, "identity"),
    ],
)
def test_refuses(table, formula, options, words):
    with pytest.raises(FitError, match=words):
        bz.Model(formula, table, **options).fit("lme", progress=False)


def test_refuses_a_response_without_noise(table):
    with pytest.raises(FitError, match="no noise"):
        fit("y ~ x + (1 | g)", table.assign(y=2 * table.x + table.g.astype(float)))


def test_little_noise_is_no_trouble(table):
    generator = np.random.default_rng(2)
    large = 1e3 * generator.normal(size=25)[table.g.astype(int)]
    found = fit("y ~ x + (1 | g)", table.assign(y=large + generator.normal(size=len(table))))
    summary = found.summary()
    assert found.diagnose() == []
    assert summary.loc["sigma", "mean"] == pytest.approx(1, rel=0.15)
    means = pd.Series(large).groupby(table.g).mean()
    assert summary.loc["sd(1|g)", "mean"] == pytest.approx(means.std(), rel=1e-3)


def test_refuses_a_reml_that_is_no_truth_value(table):
    with pytest.raises(OptionError, match="reml="):
        fit("y ~ x + (1 | g)", table, reml="yes")
