"""Likelihood ratio tests: against R's anova, by simulation at the boundary, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeszoo as bz
from bayeszoo.errors import FitError, OptionError
from bayeszoo.inference.likelihood_ratio import likelihood_ratio

ROOT = Path(__file__).parents[2]
SLEEP = pd.read_csv(ROOT / "datasets" / "tables" / "sleepstudy.csv").astype({"Subject": str})


def fit(formula, table=SLEEP, method="lme", family="normal", **options):
    if method == "lme":
        options = {"reml": False, "draws": 10, **options}
    return bz.Model(formula, table, family=family).fit(method, progress=False, **options)


def test_agrees_with_anova_of_lme4():
    # R 4.2.2, lme4 1.1-31: anova(a, b, c, d) of fits with REML = FALSE
    fits = [
        fit(f"Reaction ~ Days{further}")
        for further in (
            " + (1 | Subject)",
            " + (Days || Subject)",
            " + (Days | Subject)",
            " + I(Days**2) + (Days | Subject)",
        )
    ]
    table = likelihood_ratio(*fits)
    np.testing.assert_allclose(
        table["statistic"], [42.0753878606, 0.0639106556, 1.6577499304], rtol=1e-6
    )
    np.testing.assert_allclose(
        table["p_value_plain"], [8.78215851e-11, 8.00418464e-01, 1.97907398e-01], rtol=1e-6
    )
    np.testing.assert_allclose(
        table["log_likelihood"], [-876.001628, -875.969672, -875.140797], rtol=1e-8
    )
    assert list(table["parameters_smaller"]) == [4, 5, 6]
    assert list(table["parameters"]) == [5, 6, 7]
    # the first step adds a variance, the second a covariance, the third a coefficient
    np.testing.assert_allclose(table["p_value"] / table["p_value_plain"], [0.5, 1, 1])
    assert list(table["smaller"]) == [f.model.spec.schema.formula.text for f in fits[:3]]


def test_a_variance_with_its_covariance_is_a_mixture():
    small, large = fit("Reaction ~ 1 + (1 | Subject)"), fit("Reaction ~ 1 + (Days | Subject)")
    row = likelihood_ratio(small, large).iloc[0]
    assert row["df"] == 2
    tails = [stats.chi2.sf(row["statistic"], df) for df in (1, 2)]
    assert row["p_value"] == pytest.approx(np.mean(tails))
    assert row["distribution"] == "(chi2(1) + chi2(2)) / 2"


def test_restricted_likelihoods_of_the_same_coefficients():
    # R: logLik(lmer(...)) are -871.814135979 and -893.232542697
    small = fit("Reaction ~ Days + (1 | Subject)", reml=True)
    large = fit("Reaction ~ Days + (Days | Subject)", reml=True)
    row = likelihood_ratio(small, large).iloc[0]
    assert row["statistic"] == pytest.approx(2 * (893.232542697 - 871.814135979), rel=1e-8)


def test_several_new_variances_leave_the_plain_p_value():
    table = SLEEP.assign(half=(SLEEP.Days > 4).astype(str))
    row = likelihood_ratio(
        fit("Reaction ~ 1", table, "ols"), fit("Reaction ~ 1 + (1 | Subject) + (1 | half)", table)
    ).iloc[0]
    assert row["df"] == 2
    assert row["p_value"] == row["p_value_plain"]


def test_the_mixture_holds_its_level():
    """Without any spread half of all statistics are 0 and the other half chi2(1)."""
    generator = np.random.default_rng(8)
    g = np.repeat(np.arange(30), 6)
    p_values = []
    for _ in range(200):
        table = pd.DataFrame({"y": generator.normal(size=180), "g": g.astype(str)})
        pair = fit("y ~ 1", table, "ols"), fit("y ~ 1 + (1 | g)", table)
        p_values.append(likelihood_ratio(*pair)["p_value"].iloc[0])
    p_values = np.array(p_values)
    small = int((p_values < 0.2).sum())
    assert stats.binomtest(small, 200, 0.2).pvalue > 1e-3
    assert stats.binomtest(int((p_values == 1).sum()), 200, 0.5).pvalue > 1e-3


def test_least_squares_and_generalised_linear_models():
    # R: logLik(lm(Reaction ~ Days, sleepstudy)) = -950.1465282
    small = fit("Reaction ~ 1", method="ols")
    large = fit("Reaction ~ Days", method="ols")
    assert large.draws.log_likelihood == pytest.approx(-950.1465282, rel=1e-9)
    assert large.draws.parameters == 3
    by_glm = fit("Reaction ~ Days", method="glm")
    assert by_glm.draws.log_likelihood == pytest.approx(large.draws.log_likelihood, rel=1e-10)
    row = likelihood_ratio(small, by_glm).iloc[0]
    expected = 2 * (large.draws.log_likelihood - small.draws.log_likelihood)
    assert row["statistic"] == pytest.approx(expected, rel=1e-8)


def test_a_free_dispersion_is_at_its_maximum():
    generator = np.random.default_rng(4)
    x = generator.normal(size=80)
    y = generator.gamma(3.0, np.exp(0.5 + 0.3 * x) / 3.0)
    found = fit("y ~ x", {"y": y, "x": x}, "glm", "gamma", draws=10)
    mean = np.exp(found.draws.table.loc["Intercept", "estimate"] + x * found.result.params["x"])

    def log_likelihood(shape):
        return stats.gamma.logpdf(y, shape, scale=mean / shape).sum()

    shapes = np.linspace(1, 8, 7001)
    best = max(log_likelihood(shape) for shape in shapes)
    assert found.draws.log_likelihood == pytest.approx(best, abs=1e-4)
    assert found.draws.log_likelihood >= best


def test_known_errors_and_weights_in_least_squares():
    generator = np.random.default_rng(6)
    table = pd.DataFrame({"y": generator.normal(size=30), "e": generator.uniform(0.5, 2, 30)})
    table["w"] = generator.integers(1, 4, 30)
    known = fit("measured(y, e) ~ 1", table, "ols")
    mean = known.draws.table.loc["Intercept", "estimate"]
    expected = stats.norm.logpdf(table.y, mean, table.e).sum()
    assert known.draws.log_likelihood == pytest.approx(expected, rel=1e-10)
    assert known.draws.parameters == 1
    by_glm = fit("measured(y, e) ~ 1", table, "glm")
    assert by_glm.draws.log_likelihood == pytest.approx(expected, rel=1e-10)
    weighted = fit("weighted(y, w) ~ 1", table, "ols")
    repeated = fit("y ~ 1", table.loc[np.repeat(table.index, table.w)], "ols")
    assert weighted.draws.log_likelihood == pytest.approx(repeated.draws.log_likelihood, rel=1e-10)


def test_contrasts_of_one_factor_are_nested_whatever_their_coding():
    table = SLEEP.assign(level=np.where(SLEEP.Days > 6, "c", np.where(SLEEP.Days > 3, "b", "a")))
    table["late"] = (table["level"] == "c").astype(float)
    row = likelihood_ratio(
        fit("Reaction ~ late", table, "ols"), fit("Reaction ~ level", table, "ols")
    ).iloc[0]
    assert row["df"] == 1


SUBJECTS = " + (1 | Subject)"


@pytest.mark.parametrize(
    ("small", "large", "words"),
    [
        (("Reaction ~ Days + (Days | Subject)", {}), ("Reaction ~ Days" + SUBJECTS, {}), "smaller"),
        (
            ("Reaction ~ Days + (Days | Subject)", {}),
            ("Reaction ~ Days + (Days || Subject)", {}),
            "correlations",
        ),
        (("Reaction ~ Days" + SUBJECTS, {}), ("Reaction ~ 1" + SUBJECTS, {}), "`Days`"),
        (("Reaction ~ Days" + SUBJECTS, {}), ("Reaction ~ Days" + SUBJECTS, {}), "same model"),
        (
            ("Reaction ~ 1" + SUBJECTS, {"reml": True}),
            ("Reaction ~ Days" + SUBJECTS, {"reml": True}),
            "reml=False",
        ),
        (
            ("Reaction ~ Days", {"method": "ols"}),
            ("Reaction ~ Days" + SUBJECTS, {"reml": True}),
            "reml=False",
        ),
        (("log(Reaction) ~ Days" + SUBJECTS, {}), ("Reaction ~ Days" + SUBJECTS, {}), "response"),
        (
            ("Reaction ~ Days", {"method": "glm", "family": "gamma"}),
            ("Reaction ~ Days" + SUBJECTS, {}),
            "family",
        ),
        (("Reaction ~ 1" + SUBJECTS, {}), ("Reaction ~ gap" + SUBJECTS, {}), "170 rows"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_refuses_what_is_not_nested(small, large, words):
    table = SLEEP.assign(gap=SLEEP.Days.where(SLEEP.index >= 10))
    with pytest.raises(OptionError, match=words):
        likelihood_ratio(*(fit(formula, table, **options) for formula, options in (small, large)))


def test_refuses_bayesian_fits_and_takes_saved_ones(tmp_path):
    small = fit("Reaction ~ Days" + SUBJECTS)
    bayesian = fit("Reaction ~ Days + (Days | Subject)", method="map")
    with pytest.raises(FitError, match=r"loo\(\)"):
        likelihood_ratio(small, bayesian)
    small.save(tmp_path / "small.nc")
    loaded = bz.load(tmp_path / "small.nc")
    large = fit("Reaction ~ Days + (Days | Subject)")
    pd.testing.assert_frame_equal(likelihood_ratio(loaded, large), likelihood_ratio(small, large))
    with pytest.raises(OptionError, match="two fits"):
        likelihood_ratio(small)
    with pytest.raises(OptionError, match="takes fits"):
        likelihood_ratio(small, SLEEP)
