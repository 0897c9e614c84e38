"""Frequentist answers against hand calculations, statsmodels and R."""

import numpy as np
import pytest

import bayeszoo as bz


def _design(fit, unbalanced):
    """Rows of the design averaged by hand: equal weight to h, x at its mean."""
    names = list(fit.result.params.index)
    x = unbalanced["x"].mean()
    rows = []
    for g in "abc":
        value = {"Intercept": 1.0, "x": x, "h[v]": 0.5, f"g[{g}]": 1.0, f"g:x[{g}]": x}
        rows.append([value.get(name, 0.0) for name in names])
    return np.array(rows)


@pytest.mark.parametrize("options", [{}, {"robust": "HC3"}], ids=["plain", "HC3"])
def test_least_squares_agrees_with_averaged_rows_of_the_design(unbalanced, options):
    fit = bz.fit("y ~ g * x + h", unbalanced, method="ols", progress=False, **options)
    rows = _design(fit, unbalanced)
    found = fit.means("g", prob=0.9)
    test = fit.result.t_test(rows)
    assert found["g"].tolist() == ["a", "b", "c"]
    for column, wanted in {
        "mean": test.effect,
        "se": test.sd.ravel(),
        "sd": test.sd.ravel(),
        "statistic": test.tvalue.ravel(),
        "p_value": test.pvalue,
    }.items():
        np.testing.assert_allclose(found[column], wanted, rtol=1e-9, atol=1e-14)
    ends = test.conf_int(alpha=0.1)
    np.testing.assert_allclose(found[["lower", "upper"]], ends, rtol=1e-9)
    assert (found["df"] == len(unbalanced) - rows.shape[1]).all()
    pairs = fit.contrasts("g", against="pairwise")
    assert pairs["contrast"].tolist() == ["b - a", "c - a", "c - b"]
    test = fit.result.t_test(np.array([rows[1] - rows[0], rows[2] - rows[0], rows[2] - rows[1]]))
    np.testing.assert_allclose(pairs["mean"], test.effect, rtol=1e-9)
    np.testing.assert_allclose(pairs["se"], test.sd.ravel(), rtol=1e-9)
    np.testing.assert_allclose(pairs["p_value"], test.pvalue, rtol=1e-8)
    np.testing.assert_allclose(
        2 * (1 - pairs["p_direction"]), pairs["p_value"], rtol=1e-8, atol=1e-15
    )


def test_slopes_of_least_squares_are_sums_of_coefficients(unbalanced):
    fit = bz.fit("y ~ g * x + h", unbalanced, method="ols", progress=False)
    names = list(fit.result.params.index)
    rows = np.array([[1.0 * (n in ("x", f"g:x[{g}]")) for n in names] for g in "abc"])
    test = fit.result.t_test(rows)
    for average in ("grid", "rows"):
        found = fit.slopes("x", "g", average=average)
        np.testing.assert_allclose(found["mean"], test.effect, rtol=1e-9)
        np.testing.assert_allclose(found["se"], test.sd.ravel(), rtol=1e-9)
    share = unbalanced["g"].value_counts(normalize=True)[list("abc")].to_numpy()
    overall = fit.slopes("x", average="rows")
    np.testing.assert_allclose(overall["mean"], share @ test.effect, rtol=1e-9)
    np.testing.assert_allclose(overall["se"], fit.result.t_test(share @ rows).sd.ravel(), rtol=1e-9)


def test_ratios_with_log_link_are_exponentials_of_coefficients(unbalanced):
    fit = bz.fit("k ~ g + x", unbalanced, family="poisson", method="glm", progress=False)
    found, table = fit.contrasts("g", scale="ratio"), fit.summary().loc[["g[b]", "g[c]"]]
    for column in ("mean", "lower", "upper"):
        np.testing.assert_allclose(found[column], np.exp(table[column]), rtol=1e-9)
    np.testing.assert_allclose(found["statistic"], table["statistic"], rtol=1e-9)
    np.testing.assert_allclose(found["p_value"], table["p_value"], rtol=1e-8)
    np.testing.assert_allclose(found["se"], found["mean"] * table["se"].to_numpy(), rtol=1e-9)
    half = fit.contrasts("g", scale="ratio", rope=(0.8, 1.25))["p_rope"]
    from scipy import stats

    log, se = table["mean"].to_numpy(), table["se"].to_numpy()
    wanted = stats.norm.cdf(np.log(1.25), log, se) - stats.norm.cdf(np.log(0.8), log, se)
    np.testing.assert_allclose(half, wanted, rtol=1e-8)


def test_means_of_a_glm_follow_the_delta_method(unbalanced):
    fit = bz.fit("k ~ g + x", unbalanced, family="poisson", method="glm", progress=False)
    found = fit.means("g", average="rows")
    beta, covariance = fit.result.params.to_numpy(), fit.result.cov_params().to_numpy()
    for level, row in zip("abc", found.itertuples(), strict=True):
        ones = np.ones(len(unbalanced))
        matrix = np.stack(
            [ones, ones * (level == "b"), ones * (level == "c"), unbalanced["x"]], axis=1
        )
        mu = np.exp(matrix @ beta)
        gradient = (mu[:, None] * matrix).mean(axis=0)
        np.testing.assert_allclose(row.mean, mu.mean(), rtol=1e-9)
        np.testing.assert_allclose(row.se, np.sqrt(gradient @ covariance @ gradient), rtol=1e-9)
    slope = fit.slopes("x", average="rows")
    matrix = np.stack(
        [np.ones(len(unbalanced)), *(unbalanced["g"] == g for g in "bc"), unbalanced["x"]], axis=1
    ).astype(float)
    mu = np.exp(matrix @ beta)
    gradient = (mu[:, None] * beta[3] * matrix).mean(axis=0) + mu.mean() * np.eye(4)[3]
    np.testing.assert_allclose(slope["mean"], mu.mean() * beta[3], rtol=1e-9)
    np.testing.assert_allclose(slope["se"], np.sqrt(gradient @ covariance @ gradient), rtol=1e-9)


@pytest.fixture(scope="module")
def gaps(sleepstudy):
    """Sleep study with days missing, most in some subjects."""
    place = np.arange(1, len(sleepstudy) + 1)
    subject = np.unique(sleepstudy["Subject"], return_inverse=True)[1] + 1
    return sleepstudy[(place % 7 != 0) & ~((subject > 12) & (sleepstudy["Days"] > 5))]


def test_mixed_models_agree_with_lmertest(gaps):
    # R 4, lme4, lmerTest: contest(lmer(Reaction ~ Days + (Days | Subject), d), L, joint = FALSE)
    fit = bz.fit("Reaction ~ Days + (Days | Subject)", gaps, method="lme", progress=False)
    found = [
        fit.means("Days", at={"Days": [0, 9]}),
        fit.contrasts("Days", at={"Days": [0, 9]}),
        fit.means(),
    ]
    rows = np.concatenate([table[["mean", "se", "df"]].to_numpy() for table in found])
    wanted = [
        [251.53639758, 6.455325021, 17.27964742],
        [348.43074874, 16.961313388, 17.90359811],
        [96.89435116, 17.156838355, 17.15687516],
        [295.08261510, 8.910608675, 17.52455881],
    ]
    np.testing.assert_allclose(rows, wanted, rtol=2e-6)
    # g <- lmer(Reaction ~ poly(Days, 2, raw = TRUE) + (1 | Subject), d); L = (1, 2, 4), (0, 5, 45)
    fit = bz.fit("Reaction ~ Days + I(Days**2) + (1 | Subject)", gaps, method="lme", progress=False)
    found = [fit.means(at={"Days": 2}), fit.contrasts("Days", at={"Days": [2, 7]})]
    rows = np.concatenate([table[["mean", "se", "df"]].to_numpy() for table in found])
    wanted = [
        [272.98787221, 9.513442462, 19.44950206],
        [50.02255352, 5.478633694, 117.49354337],
    ]
    np.testing.assert_allclose(rows, wanted, rtol=1e-5)


def test_fitted_effects_that_cancel_leave_exact_comparisons(gaps):
    fit = bz.fit("Reaction ~ Days + (1 | Subject)", gaps, method="lme", progress=False)
    whole = fit.contrasts("Days").drop(columns="contrast")
    each = fit.contrasts("Days", by="Subject")
    assert len(each) == gaps["Subject"].nunique()
    np.testing.assert_allclose(each[whole.columns], np.tile(whole, (len(each), 1)), rtol=1e-9)
    table = fit.summary(groups=True)
    means = fit.means("Subject", at={"Days": 0})
    modes = table.loc[[f"1|Subject[{level}]" for level in means["Subject"]], "mean"].to_numpy()
    np.testing.assert_allclose(means["mean"], table.loc["Intercept", "mean"] + modes, rtol=1e-9)
    drawn = fit.predict({"Days": np.zeros(len(means)), "Subject": means["Subject"]})
    np.testing.assert_allclose(means["se"], drawn.std(("chain", "draw"), ddof=1), rtol=1e-9)


def test_estimators_survive_saving(gaps, tmp_path):
    fit = bz.fit("Reaction ~ Days + (Days | Subject)", gaps, method="lme", progress=False)
    fit.save(tmp_path / "fit.nc")
    again = bz.load(tmp_path / "fit.nc")
    for ask in (lambda f: f.means("Days"), lambda f: f.contrasts("Days", at={"Days": [0, 9]})):
        np.testing.assert_allclose(
            ask(again).select_dtypes("number"), ask(fit).select_dtypes("number"), rtol=1e-12
        )
    assert "estimator" not in again.idata.groups()


def test_satterthwaite_of_unit_vectors_is_that_of_the_summary(gaps):
    fit = bz.fit("Reaction ~ Days + (Days | Subject)", gaps, method="lme", progress=False)
    estimator = fit.draws.estimator
    np.testing.assert_allclose(
        estimator.degrees_of_freedom(np.eye(2)),
        fit.draws.table.loc[["Intercept", "Days"], "df"],
        rtol=1e-12,
    )
    normal = bz.fit(
        "Reaction ~ Days + (Days | Subject)", gaps, method="lme", df="normal", progress=False
    )
    assert np.isinf(normal.means()["df"]).all()


def test_statsmodels_engine_hands_over_its_own_covariance(gaps):
    fit = bz.fit(
        "Reaction ~ Days + (1 | Subject)", gaps, method="lme", engine="statsmodels", progress=False
    )
    np.testing.assert_allclose(
        fit.slopes("Days")[["mean", "se"]].to_numpy()[0],
        fit.summary().loc["Days", ["mean", "se"]].to_numpy(float),
        rtol=1e-9,
    )


def test_glmm_population_means_are_those_of_its_coefficients(unbalanced):
    fit = bz.fit("k ~ x + (1 | mouse)", unbalanced, family="poisson", method="glmm", progress=False)
    table, found = fit.summary(), fit.means(at={"x": 0})
    np.testing.assert_allclose(
        found[["mean", "lower", "upper"]].to_numpy()[0],
        np.exp(table.loc["Intercept", ["mean", "lower", "upper"]].to_numpy(float)),
        rtol=1e-8,
    )
    new = fit.means(at={"x": 0}, groups="new")
    wanted = np.exp(table.loc["Intercept", "mean"] + table.loc["sd(1|mouse)", "mean"] ** 2 / 2)
    np.testing.assert_allclose(new["mean"], wanted, rtol=1e-8)
    assert new["se"][0] > 0
