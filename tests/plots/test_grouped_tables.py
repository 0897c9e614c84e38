"""The numbers behind the charts of grouped data, against the fits and against plain calculations."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import bayeszoo as bz
from bayeszoo.plots.densities import density, normal_density
from bayeszoo.plots.fields import levels, plain, rename
from bayeszoo.plots.thinning import grid, thin


def test_data_are_the_rows_used_in_their_own_units(lfp):
    table = lfp.assign(Power=lfp["Power"].where(lfp.index != 3))
    found = bz.plot.data_data(bz.Model("Power ~ stim + (1 | mouse)", table))
    np.testing.assert_array_equal(found["Power"], table["Power"].dropna())
    logs = bz.plot.data_data(bz.Model("log(Power) ~ stim", lfp))
    np.testing.assert_allclose(logs["log(Power)"], np.log(lfp["Power"]))


def test_successes_are_proportions_and_neurons_are_rows():
    data = {"k": [1, 2, 3, 0], "n": [4, 4, 6, 5], "x": [0.0, 1.0, 2.0, 3.0]}
    found = bz.plot.data_data(bz.Model("prop(k, n) ~ x", data, family="binomial"))
    np.testing.assert_allclose(found["prop(k, n)"], [0.25, 0.5, 0.5, 0.0])
    wide = {"y": np.arange(12.0).reshape(6, 2), "x": np.arange(6.0)}
    found = bz.plot.data_data(bz.Model("y ~ x", wide))
    np.testing.assert_array_equal(found["y"], np.arange(12.0))
    assert found["neuron"].tolist() == [0, 1] * 6


def test_forest_and_posterior_agree_with_the_summary(grouped):
    table = bz.plot.forest_data({"a": grouped["lme"], "b": grouped["laplace"]}, "stim")
    assert table["fit"].tolist() == ["a", "b"]
    summary = grouped["lme"].summary().loc["stim[light]"]
    np.testing.assert_allclose(table.iloc[0][["mean", "lower", "upper"]].astype(float),
                               summary[["mean", "lower", "upper"]].astype(float))  # fmt: skip
    curve = bz.plot.posterior_data(grouped["lme"], "stim")
    expected = stats.norm.pdf(curve["value"], summary["mean"], summary["se"])
    np.testing.assert_allclose(curve["density"], expected)
    point = bz.plot.posterior_data(grouped["map"], "stim")
    assert point["kind"].tolist() == ["point"] and point["density"].isna().all()


def test_priors_are_overlaid_as_they_are(lfp):
    model = bz.Model("Power ~ stim", lfp, priors={"stim": bz.Normal(5, 3)})
    table = bz.plot.posterior_data(model.fit("laplace", progress=False), "stim", prior=True)
    prior = table[table["kind"] == "prior"]
    expected = stats.norm.pdf(prior["value"], 5, 3)
    # a kernel density of 2,000 draws: standard error about sqrt(f / (2 sqrt(pi) n h)), h about 0.6
    error = np.sqrt(expected / (2 * np.sqrt(np.pi) * 2000 * 0.6))
    assert (np.abs(prior["density"] - expected) < 5 * error + 0.004).all()


@pytest.mark.parametrize("name", ["norm", "expon", "halfnorm"])
def test_densities_integrate_to_one_and_keep_their_edge(name):
    draws = getattr(stats, name).rvs(size=4000, random_state=0)
    at, height = density(draws)
    assert integrate.trapezoid(height, at) == pytest.approx(1, abs=0.02)
    if name != "norm":
        assert at[0] == draws.min() and height[0] > 0.85 * getattr(stats, name).pdf(0)


def test_normal_densities_follow_the_scale_of_the_estimate():
    for scale in (None, "log", "atanh"):
        at, height = normal_density(0.5, 0.1, scale)
        assert integrate.trapezoid(height, at) == pytest.approx(1, abs=2e-3)
    assert len(density(np.ones(50))[0]) == 0


def test_means_and_slopes_are_those_of_the_fit(grouped, sleep_fit):
    table = bz.plot.means_data(grouped["lme"], facet="mouse")
    expected = grouped["lme"].means(["stim", "mouse"])
    pd.testing.assert_frame_equal(table.drop(columns="fit"), expected)
    line = bz.plot.means_data(sleep_fit)
    summary = sleep_fit.summary()["mean"]
    np.testing.assert_allclose(line["mean"], summary["Intercept"] + summary["Days"] * line["Days"])
    assert line["Days"].min() == 0 and line["Days"].max() == 9
    effects = bz.plot.slopes_data(grouped["lme"], scale="ratio")
    expected = grouped["lme"].contrasts("stim", by="mouse", scale="ratio")
    np.testing.assert_array_equal(effects["mean"], expected["mean"])
    assert effects["contrast"].unique().tolist() == ["light / control"]
    assert bz.plot.slopes_data(sleep_fit, by=[])["mean"].item() == pytest.approx(summary["Days"])


def test_intercepts_stand_beside_raw_means_of_baseline_rows(grouped, lfp):
    table = bz.plot.intercepts_data(grouped["lme"])
    raw = lfp[lfp["stim"] == "control"].groupby("mouse")["Power"].mean()
    np.testing.assert_allclose(table["raw"], raw)
    fit = grouped["lme"]
    summary = fit.summary(groups=True)["mean"]
    own = [summary["Intercept"] + summary[f"1|mouse[{mouse}]"] for mouse in table["mouse"]]
    np.testing.assert_allclose(table["mean"], own)
    found = bz.plot.intercepts_data(grouped["map"])
    summary = grouped["map"].summary(groups=True)["mean"]
    own = [np.exp(summary["Intercept"] + summary[f"1|mouse[{m}]"]) for m in found["mouse"]]
    np.testing.assert_allclose(found["mean"], own)


def test_intercepts_count_exposure_and_fall_back_to_all_rows(counts, count_fit):
    table = bz.plot.intercepts_data(count_fit)
    assert set(table["of"]) == {"all rows"}
    np.testing.assert_allclose(
        table["raw"],
        counts.groupby("neuron")["count"].sum() / counts.groupby("neuron")["exposure"].sum(),
    )
    assert ((table["mean"] > 0.8 * table["raw"]) & (table["mean"] < 1.25 * table["raw"])).all()


def test_shrinkage_starts_at_least_squares_of_each_group(sleep_fit, sleepstudy):
    table = bz.plot.shrinkage_data(sleep_fit)
    slopes = table[table["effect"] == "Days"].set_index("Subject")["alone"]
    for subject, rows in sleepstudy.groupby("Subject", observed=True):
        expected = np.polyfit(rows["Days"], rows["Reaction"], 1)[0]
        assert slopes.loc[subject] == pytest.approx(expected, rel=1e-8)
    moved = table["mean"] - table["population"]
    assert moved.abs().mean() < (table["alone"] - table["population"]).abs().mean()


def test_shrinkage_of_a_gamma_model_starts_at_logs_of_means(grouped, lfp):
    table = bz.plot.shrinkage_data(grouped["map"], names="Intercept").set_index("mouse")
    raw = lfp[lfp["stim"] == "control"].groupby("mouse")["Power"].mean()
    np.testing.assert_allclose(table["alone"], np.log(raw), rtol=1e-6)


def test_groups_that_say_nothing_have_no_estimate_alone():
    y = np.r_[np.zeros(20), np.ones(20), np.tile([0.0, 1.0], 10)]
    data = {"y": y, "g": np.repeat(["none", "all", "half"], 20)}
    fit = bz.Model("y ~ 1 + (1 | g)", data, family="bernoulli").fit("map", progress=False)
    table = bz.plot.shrinkage_data(fit).set_index("g")["alone"]
    assert table.loc[["none", "all"]].isna().all()
    assert table.loc["half"] == pytest.approx(0, abs=1e-8)


def test_predictive_tables_compare_like_with_like(grouped, count_fit, counts):
    table = bz.plot.predictive_data(count_fit, draws=100)
    shares = [((counts["count"] >= a) & (counts["count"] < b)).mean()
              for a, b in zip(table["value"], table["end"], strict=True)]  # fmt: skip
    np.testing.assert_allclose(table["observed"], shares)
    inside = (table["observed"] >= table["lower"]) & (table["observed"] <= table["upper"])
    assert inside.mean() > 0.8  # the model is the one that made the data
    curves = bz.plot.predictive_data(grouped["laplace"], style="ecdf", draws=10)
    observed = curves[curves["kind"] == "observed"]
    assert observed["ecdf"].is_monotonic_increasing and observed["ecdf"].iloc[-1] == 1
    assert curves.loc[curves["kind"] == "drawn", "draw"].nunique() == 10
    along = bz.plot.predictive_data(grouped["map"], x="stim", by="mouse", draws=50)
    assert len(along) == 10 and (along["lower"] < along["upper"]).all()


def test_priors_are_drawn_from_models(lfp):
    model = bz.Model("Power ~ stim", lfp)
    table = bz.plot.predictive_data(model, draws=20)
    assert set(table["kind"]) == {"drawn", "observed"}
    assert "Prior" in bz.plot.predictive(model, draws=20).to_dict()["title"]["text"][0]


def test_names_values_and_order_are_plain():
    assert (plain("C(stim)[b]"), plain("1|mouse")) == ("C_stim__b_", "1_mouse")
    frame, names = rename(pd.DataFrame({"a.b": [1.23456789], "a_b": [np.inf], "c": [None]}))
    assert names == {"a.b": "a_b", "a_b": "a_b_", "c": "c"}
    assert frame["a_b"].item() == 1.23457 and np.isnan(frame["a_b_"].item())
    assert levels(pd.Series(["m10", "m2", "m1"])) == ["m1", "m2", "m10"]
    assert levels(pd.Series(pd.Categorical(["b", "a"], ["b", "a", "z"]))) == ["b", "a"]


def test_thinning_keeps_lines_whole_and_grids_keep_counts():
    frame = pd.DataFrame({"g": np.repeat(np.arange(100), 50), "y": np.arange(5000)})
    kept, note = thin(frame, 1000, by=["g"])
    assert len(kept) == 1000 and (kept.groupby("g").size() == 50).all() and "20 of 100" in note
    few, note = thin(frame.iloc[:10], 1000)
    assert len(few) == 10 and note == ""
    cells, _ = grid([0.0, 0.0, 1.0, np.nan], [0.0, 0.0, 2.0, 1.0])
    assert sorted(cells["count"]) == [1, 2]
