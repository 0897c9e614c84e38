"""bz.compare: ArviZ's numbers and layout, what wins, what is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.comparison.elpd import Predicted, elpd_table
from bayeszoo.inference.comparison.plans import fold_plans
from bayeszoo.inference.idata import load_arviz

ROWS = 60
COLUMNS = ["rank", "elpd_loo", "p_loo", "elpd_diff", "weight", "se", "dse", "warning", "scale"]


def quick(formula, data, method="laplace", **options):
    return bz.fit(formula, data, method=method, progress=False, **options)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=ROWS), "g": np.repeat(list("abcdef"), ROWS // 6)})
    effects = rng.normal(size=6)[pd.factorize(table["g"])[0]]
    table["y"] = 1 + 0.5 * table["x"] + 0.7 * effects + 0.8 * rng.normal(size=ROWS)
    table["pos"] = np.exp(table["y"])
    table["count"] = rng.poisson(2.0, ROWS)
    return table


@pytest.fixture(scope="module")
def fits(data):
    formulas = {"full": "y ~ x + (1 | g)", "line": "y ~ x", "mean": "y ~ 1"}
    return {name: quick(formula, data) for name, formula in formulas.items()}


@pytest.fixture(scope="module")
def classical(data):
    methods = {"y ~ 1": "ols", "y ~ x": "ols", "y ~ x + (1 | g)": "lme"}
    return {formula: quick(formula, data, method) for formula, method in methods.items()}


def by_hand(results, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_arviz().compare(results, **options)


@pytest.mark.parametrize("scale", ["log", "negative_log", "deviance"])
@pytest.mark.parametrize("method", ["stacking", "bb-pseudo-bma", "pseudo-bma"])
def test_agrees_with_arviz_by_hand(fits, scale, method):
    found = bz.compare(fits, by="loo", scale=scale, method=method, seed=5)
    results = {name: fit.loo(scale=scale) for name, fit in fits.items()}
    expected = by_hand(results, method=method, scale=scale, seed=5)
    assert list(found.columns) == COLUMNS == list(expected.columns)
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-10, check_exact=False)
    assert found.attrs["notes"] == []


def test_waic_agrees_with_arviz_by_hand(fits):
    found = bz.compare(fits, by="waic")
    expected = by_hand({name: fit.waic() for name, fit in fits.items()})
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-10, check_exact=False)
    assert (
        any("where WAIC fails" in note for note in found.attrs["notes"])
        == expected["warning"].any()
    )


def test_by_default_loo_for_posteriors_and_aic_for_likelihoods(fits, classical):
    assert "elpd_loo" in bz.compare(fits)
    assert "aic" in bz.compare(classical)


def test_several_fits_are_named_by_formula_and_family(fits, data):
    student = quick("y ~ x", data, family="student")
    table = bz.compare([fits["line"], student, fits["line"]])
    assert set(table.index) == {
        "y ~ x [normal, laplace] (1)",
        "y ~ x [student, laplace]",
        "y ~ x [normal, laplace] (3)",
    }


def test_prefers_the_family_that_made_the_data():
    rng = np.random.default_rng(7)
    x = rng.normal(size=200)
    heavy = {"x": x, "y": x + rng.standard_t(2, size=200)}
    table = bz.compare({f: quick("y ~ x", heavy, family=f) for f in ("normal", "student")})
    assert table.index[0] == "student"
    assert table["elpd_diff"].iloc[1] > 2 * table["dse"].iloc[1]
    skewed = {"x": x, "y": rng.gamma(1.5, np.exp(1 + 0.5 * x) / 1.5)}
    table = bz.compare({f: quick("y ~ x", skewed, family=f) for f in ("normal", "gamma")})
    assert table.index[0] == "gamma"
    assert table["elpd_diff"].iloc[1] > 2 * table["dse"].iloc[1]


@pytest.mark.parametrize("scale", ["log", "deviance"])
@pytest.mark.parametrize("level", [-2000.0, 2000.0])
def test_weights_of_extreme_densities_are_finite(level, scale):
    """exp(-2000) is 0 in ArviZ; weights and differences do not depend on the level."""
    rng = np.random.default_rng(1)
    each = {name: rng.normal(size=30) for name in "abc"}
    plain, far = (
        elpd_table(
            {n: Predicted(e + shift, 1.0, False, 100) for n, e in each.items()},
            "kfold",
            scale,
            "stacking",
            0,
        )
        for shift in (0.0, level)
    )
    for column in ("rank", "weight", "elpd_diff", "dse", "se"):
        np.testing.assert_allclose(far[column], plain[column], rtol=1e-6, atol=1e-6)
    factor = 1 if scale == "log" else -2
    np.testing.assert_allclose(far["elpd_kfold"] - plain["elpd_kfold"], factor * 30 * level)


def test_impossible_rows_are_named():
    found = {
        n: Predicted(np.array([0.0, v]), 1.0, False, 10) for n, v in (("a", 0), ("b", -np.inf))
    }
    with pytest.raises(bz.BayeszooError, match=r"`b` gives 1 of 2 .* number 1"):
        elpd_table(found, "kfold", "log", "stacking", 0)


def test_information_criteria_by_hand(classical):
    table = bz.compare(classical, by="aic")
    llf = {f: classical[f].result.llf for f in ("y ~ 1", "y ~ x")}
    for formula, parameters in (("y ~ 1", 2), ("y ~ x", 3)):
        assert table.loc[formula, "parameters"] == parameters
        assert table.loc[formula, "aic"] == pytest.approx(
            2 * parameters - 2 * llf[formula], rel=1e-10
        )
    assert list(table["rank"]) == [0, 1, 2] and table["delta"].iloc[0] == 0
    weight = np.exp(-table["delta"] / 2)
    np.testing.assert_allclose(table["weight"], weight / weight.sum(), rtol=1e-12)
    bic = bz.compare(classical, by="bic")
    expected = 3 * np.log(ROWS) - 2 * llf["y ~ x"]
    assert bic.loc["y ~ x", "bic"] == pytest.approx(expected, rel=1e-10)


def test_restricted_likelihoods_are_refitted_where_they_must(classical, data):
    table = bz.compare(classical, by="aic")
    ml = quick("y ~ x + (1 | g)", data, "lme", reml=False)
    assert table.loc["y ~ x + (1 | g)", "log_likelihood"] == pytest.approx(ml.draws.log_likelihood)
    assert "reml=False" in table.attrs["notes"][0]
    alike = [quick(f, data, "lme") for f in ("y ~ x + (1 | g)", "y ~ x + (x | g)")]
    table = bz.compare(alike)
    assert table.attrs["notes"] == []
    assert table["log_likelihood"].max() == pytest.approx(
        max(f.draws.log_likelihood for f in alike)
    )


def test_likelihood_ratios_of_nested_fits(classical, data):
    table = bz.compare(classical, by="lr")
    ml = quick("y ~ x + (1 | g)", data, "lme", reml=False)
    expected = bz.likelihood_ratio(classical["y ~ 1"], classical["y ~ x"], ml)
    np.testing.assert_allclose(table["p_value"], expected["p_value"])
    assert list(table["smaller"]) == ["y ~ 1", "y ~ x"]


def test_k_fold_compares_any_methods(fits, classical):
    mixed = {"bayes": fits["line"], "ols": classical["y ~ x"], "mean": classical["y ~ 1"]}
    table = bz.compare(mixed, by="kfold", progress=False)
    assert list(table.columns) == [c.replace("loo", "kfold") for c in COLUMNS]
    assert table.index[2] == "mean"
    assert abs(table.loc["bayes", "elpd_kfold"] - table.loc["ols", "elpd_kfold"]) < 1


def test_the_folds_of_temporal_models_are_blocks_with_a_gap():
    rng = np.random.default_rng(0)
    series = {"s": rng.normal(size=90), "n": rng.poisson(1.0, 90)}
    model = bz.Model("n ~ conv(s, bspline(4, 10), pad='zero')", series, family="poisson")
    plans = fold_plans([model, bz.Model("n ~ s", series, family="poisson")], 3, None, 0)
    assert [list(p.scored[[0, -1]]) for p in plans] == [[0, 29], [30, 59], [60, 89]]
    assert list(np.flatnonzero(~plans[1].trained)) == list(range(20, 70))


def test_random_folds_share_every_group_out(fits):
    group = fits["full"].model.design.predictors["mu"].groups[0].index
    for seed in range(3):
        plans = fold_plans([fits["full"].model, fits["line"].model], 5, None, seed)
        for plan in plans:
            assert np.bincount(group[plan.scored]).tolist() == [2] * 6
            assert np.array_equal(np.flatnonzero(~plan.trained), plan.scored)


def test_bad_pareto_k_is_said_with_its_remedy(data):
    far = data.assign(
        x=data["x"].where(data.index != 7, 9.0), y=data["y"].where(data.index != 7, -9)
    )
    fits = {f: quick(f, far) for f in ("y ~ x", "y ~ 1")}
    table = bz.compare(fits)
    assert table["warning"].any()
    (note, *_) = table.attrs["notes"]
    assert "row 7" in note and "refit=True" in note and "kfold" in note
    mended = bz.compare(fits, refit=True)
    assert not mended["warning"].any()
    assert "replaced the estimates" in " ".join(mended.attrs["notes"])


def test_densities_and_probabilities_are_told_apart(data):
    fits = {f: quick("count ~ x", data, family=f) for f in ("poisson", "normal")}
    (note,) = [n for n in bz.compare(fits).attrs["notes"] if "density per unit" in n]
    assert "`normal`" in note.split("density")[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.assign(x=d["x"].where(d.index != 9)), "lacks 1 (first: row 9); `x`"),
        (lambda d: d.assign(y=d["y"].where(d.index != 9, 0.5)), "1 of 60 rows; first: row 9"),
        (lambda d: d.iloc[:50], "60 and; 50 rows"),
    ],
)
def test_other_data_are_refused(data, classical, change, words):
    other = quick("y ~ x", change(data), "ols")
    with pytest.raises(bz.BayeszooError) as caught:
        bz.compare({"a": classical["y ~ 1"], "b": other})
    assert all(word in str(caught.value) for word in words.split("; ")), str(caught.value)


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        ("y", "pos", "different responses"),
        ("y", "abs(y)", "one-to-one"),
        ("pos", "weighted(pos, count)", "weights"),
    ],
)
def test_other_responses_are_refused(data, left, right, words):
    with pytest.raises(bz.BayeszooError, match=words):
        bz.compare([quick(f"{response} ~ x", data, "ols") for response in (left, right)])


def test_what_the_methods_do_not_allow_is_refused(fits, classical, data):
    one, two = fits["line"], classical["y ~ x"]
    point = quick("y ~ x", data, "map")
    for group, by, words in (
        ([one, two], None, "kfold"),
        ([one, two], "aic", "maximised likelihoods"),
        ([one, one], "aic", "is Bayesian"),
        ([one, point], "loo", "one estimate"),
        ([one], "loo", "two fits"),
        ([one, one], "group:gg", "Nearest: `g`"),
        ([one, one], "loo0", "Nearest: `loo`"),
    ):
        with pytest.raises(bz.BayeszooError, match=words):
            bz.compare(group, by)
    with pytest.raises(bz.BayeszooError, match="moves draws of the posterior itself"):
        bz.compare([one, one], moment_match=True)
