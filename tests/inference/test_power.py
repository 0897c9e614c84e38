"""Simulation studies: scores and curves by hand, honest methods, and arguments that do not fit."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.power import power
from bayeszoo.inference.power_study import PowerStudy

OLS = {"formula": "log(Power) ~ stim", "method": "ols", "draws": 2}
LME = {"formula": "log(Power) ~ stim + (1 | mouse)", "method": "lme", "draws": 2}


def study(null, scores, effect=1.0):
    rows = [("a", 0.0, i, s) for i, s in enumerate(null)]
    rows += [("a", effect, i, s) for i, s in enumerate(scores)]
    table = pd.DataFrame(rows, columns=["method", "effect", "dataset", "score"])
    return PowerStudy(table.assign(p=np.exp(-table["score"])), {})


def test_the_curve_by_hand():
    curve = study([1.0, 2.0], [2.0, 3.0]).roc()
    assert curve["threshold"].tolist() == [np.inf, 3.0, 2.0, 1.0]
    assert curve["false_positive"].tolist() == [0.0, 0.0, 0.5, 1.0]
    assert curve["true_positive"].tolist() == [0.0, 0.5, 1.0, 1.0]
    assert curve["method"].unique() == ["a"] and curve["effect"].unique() == [1.0]


def test_the_area_is_that_below_the_curve_with_ties_and_failures():
    rng = np.random.default_rng(0)
    null, scores = rng.integers(0, 6, 40).astype(float), rng.integers(2, 9, 50).astype(float)
    null[3] = scores[4] = scores[5] = np.nan
    found = study(null, scores)
    curve = found.roc()
    area = np.trapezoid(curve["true_positive"], curve["false_positive"])
    assert found.auc()["a", 1.0] == pytest.approx(area, rel=1e-12)
    assert curve.iloc[-1][["false_positive", "true_positive"]].tolist() == [1.0, 1.0]


def test_power_counts_p_below_the_level():
    found = study([0.0, 1.0, 4.0], [4.0, 5.0, np.nan], 0.5)
    table = found.power(alpha=0.05)
    assert table.loc["a"].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert table.columns.tolist() == [0.0, 0.5]
    with pytest.raises(bz.BayeszooError, match="alpha"):
        found.power(2)


@pytest.fixture(scope="module")
def recordings():
    return power(
        bz.datasets.lfp,
        {"lme": LME, "ols": OLS},
        n=40,
        effects=[0, 0.25],
        mice=6,
        trials=20,
        progress=False,
    )


def test_all_methods_see_the_same_data_and_estimates_are_their_own(recordings):
    table = recordings.table
    assert table.groupby(["method", "effect"]).size().unique() == [40]
    wide = table.pivot(index=["effect", "dataset"], columns="method", values="estimate")
    # balanced data: the same estimate, but its error is smaller where mice are modelled
    np.testing.assert_allclose(wide["lme"], wide["ols"], atol=1e-6)
    scores = table.pivot(index=["effect", "dataset"], columns="method", values="score")
    assert (scores["lme"] > scores["ols"]).mean() > 0.9
    assert (table["lower"] < table["estimate"]).all() and not recordings.errors
    one = table[(table["method"] == "ols") & (table["effect"] == 0.25)].iloc[7]
    data, _ = bz.datasets.lfp(mice=6, trials=20, effect=0.25, seed=_seed(1, 7))
    alone = bz.fit(data=data, progress=False, **OLS).summary().loc["stim"]
    assert one["estimate"] == pytest.approx(alone["mean"])
    assert one["score"] == pytest.approx(abs(alone["statistic"]))
    assert one["p"] == pytest.approx(alone["p_value"])


def _seed(effect, i):
    from bayeszoo.inference.many import derived_seed

    return derived_seed(0, effect, i)


def test_the_better_method_wins_and_keeps_its_level(recordings):
    auc = recordings.auc()
    assert auc["lme", 0.25] > 0.9 and auc["lme", 0.25] > auc["ols", 0.25]
    found = recordings.power()
    assert found.loc["lme", 0.25] > found.loc["ols", 0.25]
    assert found.loc["lme", 0.0] <= 0.2  # 8 of 40; P < 1e-4 at 0.05


def test_bayesian_scores_and_lists_of_methods():
    def simulator(e, s):  # by position, and no truth
        x = np.random.default_rng(s).normal(size=(2, 30))
        return {"x": x[0], "y": e * x[0] + x[1]}

    methods = [
        {"formula": "y ~ x", "method": "laplace", "draws": 200},
        {"formula": "y ~ x", "method": "ols"},
    ]
    found = power(simulator, methods, n=3, effects=[3.0], progress=False)
    assert found.table["method"].unique().tolist() == ["laplace", "ols"]
    strong = found.table[found.table["effect"] == 3.0].set_index(["method", "dataset"])
    assert (strong.loc["laplace", "p"] == 0).all() and (strong["score"] > 5).all()
    ratio = strong.loc["laplace", "score"] / strong.loc["ols", "score"]
    assert ((ratio > 0.8) & (ratio < 1.25)).all()
    twice = power(simulator, [methods[1], methods[1]], n=2, effects=[3.0], progress=False)
    assert twice.table["method"].unique().tolist() == ["ols", "ols #2"]


def test_failed_fits_are_kept_as_failures():
    def simulator(effect, seed, rows=8):
        data = {"x": np.arange(rows) * 1.0, "y": np.random.default_rng(seed).gamma(2.0, size=rows)}
        if seed % 2 or effect:
            return data
        return {**data, "y": -data["y"]}

    gamma = {"formula": "y ~ x", "family": "gamma", "method": "laplace", "draws": 20}
    found = power(simulator, {"gamma": gamma}, n=6, effects=[1.0], progress=False, rows=9)
    lost = found.table["score"].isna()
    assert 0 < lost.sum() < 6 and not lost[found.table["effect"] == 1.0].any()
    assert {key[2] for key in found.errors} == set(found.table["dataset"][lost])
    assert found.power().loc["gamma"].notna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": {}}, "takes a mapping"),
        ({"methods": {"a": {"method": "ols"}}}, "each with a formula"),
        ({"methods": 3}, "takes a mapping"),
        ({"methods": {"m": {"formula": "Power ~ stim"}}}, "estimate without spread"),
        ({"methods": {"m": {**OLS, "method": "olss"}}}, "Nearest: `ols`"),
        ({"methods": {"m": {**OLS, "term": "stmi"}}}, "Nearest: `stim`"),
        ({"methods": {"m": {**OLS, "formula": "Power ~ stim + trial"}}}, "say with term="),
        ({"methods": {"m": {**OLS, "formula": "Power ~ 1"}}}, "0 coefficients"),
        ({"effects": [0.0]}, "one of them not 0"),
        ({"effects": [1.0, 1.0]}, "different"),
        ({"n": 1}, "n= takes"),
        ({"mices": 3}, "mices"),
    ],
)
def test_what_does_not_fit(change, message):
    given = {"methods": {"ols": OLS}, "n": 2, "mice": 3, "trials": 4, "progress": False, **change}
    with pytest.raises((bz.BayeszooError, TypeError), match=message):
        power(bz.datasets.lfp, **given)
