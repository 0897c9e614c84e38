"""Reference grids, averages over rows, groups, and second dimensions."""

import time

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.evaluate import flatten


def _draws(fit, **columns):
    """Predicted means of the population at some values, (sample, obs)."""
    rows = max(len(values) for values in columns.values())
    table = pd.DataFrame({name: np.resize(values, rows) for name, values in columns.items()})
    for name, filler in {"mouse": "m1", "neuron": "m1_1"}.items():
        if name not in table:
            table[name] = filler
    return fit.predict(table, groups="population").to_numpy().reshape(-1, rows)


def test_a_grid_weighs_the_other_levels_equally(unbalanced, counts):
    x = unbalanced["x"].mean()
    found = counts.means("g", prob=0.8)
    for i, level in enumerate("abc"):
        wanted = _draws(counts, g=[level], h=["u", "v"], x=[x]).mean(axis=1)
        row = found.loc[i]
        assert row["g"] == level
        np.testing.assert_allclose(row["mean"], wanted.mean(), rtol=1e-12)
        np.testing.assert_allclose(row["sd"], wanted.std(ddof=1), rtol=1e-12)
        np.testing.assert_allclose(
            row[["lower", "upper"]].to_list(), np.quantile(wanted, [0.1, 0.9]), rtol=1e-12
        )
    total = counts.means()
    assert len(total) == 1
    np.testing.assert_allclose(total["mean"][0], found["mean"].mean(), rtol=1e-12)


def test_rows_are_set_counterfactually(unbalanced, counts):
    found = counts.means("g", average="rows")
    for i, level in enumerate("abc"):
        table = unbalanced.assign(g=level)
        wanted = counts.predict(table, groups="population").mean("obs").to_numpy()
        np.testing.assert_allclose(found.loc[i, "mean"], wanted.mean(), rtol=1e-12)
    fitted = counts.means("g", average="rows", groups="fitted")
    wanted = counts.predict(unbalanced.assign(g="b")).mean("obs").to_numpy()
    np.testing.assert_allclose(fitted.loc[1, "mean"], wanted.mean(), rtol=1e-12)
    np.testing.assert_allclose(fitted.loc[1, "sd"], wanted.std(ddof=1), rtol=1e-12)


def test_groups_take_the_combinations_that_occur_with_their_effects(unbalanced, counts):
    found = counts.means(["mouse", "neuron"], at={"h": "u", "g": "a", "x": 1})
    pairs = unbalanced[["mouse", "neuron"]].drop_duplicates().sort_values(["mouse", "neuron"])
    assert found[["mouse", "neuron"]].to_numpy().tolist() == pairs.to_numpy().tolist()
    table = pairs.assign(h="u", g="a", x=1.0)
    wanted = counts.predict(table).mean(("chain", "draw"))
    np.testing.assert_allclose(found["mean"], wanted, rtol=1e-12)
    mice = counts.means("mouse", at={"h": "u", "g": "a", "x": 1}, groups="fitted")
    np.testing.assert_allclose(
        mice["mean"], found.groupby("mouse")["mean"].mean().to_numpy(), rtol=1e-12
    )
    flat = counts.means("mouse", groups="population")
    assert np.ptp(flat["mean"]) < 1e-12


def test_new_groups_are_integrated_exactly(unbalanced, counts):
    flat = flatten(counts.draws.natural)
    variance = (flat["mu.group0.sd"] ** 2 + flat["mu.group1.sd"] ** 2)[:, 0]
    plain = _draws(counts, g=["b"], h=["u"], x=[1.0])[:, 0]
    found = counts.means(at={"g": "b", "h": "u", "x": 1}, groups="new")
    np.testing.assert_allclose(found["mean"][0], (plain * np.exp(variance / 2)).mean(), rtol=1e-10)
    difference = counts.contrasts("g", scale="ratio", at={"h": "u"}, groups="new")
    np.testing.assert_allclose(
        difference["mean"],
        counts.contrasts("g", scale="ratio", at={"h": "u"})["mean"],
        rtol=1e-9,
    )


def test_new_groups_with_slopes_agree_with_draws_of_them(unbalanced):
    fit = bz.fit(
        "on ~ x + (x | mouse)", unbalanced, family="bernoulli", method="laplace", draws=300,
        progress=False,
    )  # fmt: skip
    found = fit.means(at={"x": 3}, groups="new")["mean"][0]
    many = pd.DataFrame({"x": 3.0, "mouse": [f"new{i}" for i in range(400)]})
    drawn = fit.predict(many, groups="new", seed=3).mean("obs").to_numpy().reshape(-1)
    plain = fit.predict(many.assign(mouse="m1"), groups="population").mean("obs").to_numpy()
    error = np.sqrt(fit.predict(many, groups="new", seed=3).var("obs").mean() / 400 / len(drawn))
    assert abs(found - drawn.mean()) < 4 * float(error)
    assert plain.shape == (1, 300)
    step = 1e-4
    ends = [fit.means(at={"x": 3 + s * step}, groups="new")["mean"][0] for s in (-1, 1)]
    slope = fit.slopes("x", at={"x": 3}, groups="new")["mean"][0]
    np.testing.assert_allclose(slope, (ends[1] - ends[0]) / (2 * step), rtol=1e-6)


def test_heavy_tailed_groups_have_no_mean_on_a_log_link(unbalanced):
    fit = bz.fit(
        "k ~ x + student(1 | mouse)", unbalanced, family="poisson", method="map", progress=False
    )
    with pytest.raises(bz.BayeszooError, match="infinite"):
        fit.means(groups="new")
    logit = bz.fit(
        "on ~ x + student(1 | mouse)", unbalanced, family="bernoulli", method="map", progress=False
    )
    assert 0 < logit.means(groups="new")["mean"][0] < 1


def test_a_grouping_column_alone_is_refused_where_its_effects_need_another(unbalanced):
    fit = bz.fit("y ~ x + (1 | mouse:level)", unbalanced, method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match=r"by=\['mouse', 'level'\]"):
        fit.means("mouse")
    assert len(fit.means("mouse", groups="fitted")) == unbalanced["mouse"].nunique()


def test_nested_factors_stand_with_their_own_levels():
    rng = np.random.default_rng(0)
    neuron = np.repeat(np.arange(6), 20)
    table = pd.DataFrame({"mouse": np.array(list("AAABBB"))[neuron], "stim": np.tile([0, 1], 60)})
    table["neuron"] = [f"n{i}" for i in neuron]
    table["y"] = 5.0 * neuron + rng.normal(size=120)
    fit = bz.fit("y ~ 0 + neuron + (1 | mouse)", table, method="map", progress=False)
    found = fit.means("mouse")["mean"]
    each = fit.means(["mouse", "neuron"])
    assert len(each) == 6
    np.testing.assert_allclose(found, each.groupby("mouse")["mean"].mean(), rtol=1e-10)
    assert found[1] - found[0] > 10


def test_baselines_do_not_leak_into_contrasts_per_neuron():
    rng = np.random.default_rng(5)
    neuron = np.repeat(["a", "b", "c"], 60)
    stim = np.tile([0, 1], 90)
    base = pd.Series(neuron).map({"a": 5.0, "b": 10.0, "c": 20.0})
    table = pd.DataFrame({"y": base + rng.normal(size=180), "stim": stim, "neuron": neuron})
    fit = bz.fit("y ~ 0 + neuron + stim:neuron", table, method="laplace", progress=False)
    found = fit.contrasts("stim", by="neuron", prob=0.999)
    assert ((found["lower"] < 0) & (found["upper"] > 0)).all()
    assert found["mean"].abs().max() < 1.0
    assert found["contrast"].eq("1 - 0").all()
    np.testing.assert_allclose(fit.means("neuron")["mean"], [5, 10, 20], atol=0.6)


def test_numbers_truth_values_and_factors_from_numbers(unbalanced):
    fit = bz.fit("y ~ C(level) + on + x", unbalanced, method="ols", progress=False)
    assert fit.means("level")["level"].tolist() == [1, 2, 3]
    assert fit.contrasts("on")["contrast"].tolist() == ["True - False"]
    assert fit.contrasts("level", against=2)["contrast"].tolist() == ["1 - 2", "3 - 2"]
    assert fit.contrasts("level", against="sequential")["contrast"].tolist() == ["2 - 1", "3 - 2"]
    slope = fit.summary().loc["x", "mean"]
    unit = fit.contrasts("x")
    np.testing.assert_allclose(unit["mean"], slope, rtol=1e-10)
    far = fit.contrasts("x", at={"x": [0, 9]})
    assert far["contrast"].tolist() == ["9 - 0"]
    np.testing.assert_allclose(far["mean"], 9 * slope, rtol=1e-10)
    ticks = fit.means("x")["x"].to_numpy()
    assert 4 <= len(ticks) <= 7
    assert unbalanced["x"].min() <= ticks[0] < ticks[-1] <= unbalanced["x"].max()
    two = fit.means(["on", "level"], at={"level": [3, 1]})
    assert two["level"].tolist() == [3, 1, 3, 1]


def test_proportions_are_probabilities_and_offsets_stand_at_their_mean(unbalanced):
    table = unbalanced.assign(n=10 + np.arange(80) % 5)
    table["s"] = np.random.default_rng(0).binomial(table["n"], 0.3)
    fit = bz.fit("prop(s, n) ~ g", table, family="binomial", method="glm", progress=False)
    rate = table.groupby("g")["s"].sum() / table.groupby("g")["n"].sum()
    np.testing.assert_allclose(fit.means("g")["mean"], rate, rtol=1e-8)
    fit = bz.fit(
        "k ~ g + offset(log(exposure))", table, family="poisson", method="glm", progress=False
    )
    at = fit.means("g", at={"exposure": 1})["mean"]
    np.testing.assert_allclose(fit.means("g")["mean"], at * table["exposure"].mean(), rtol=1e-10)


def test_neurons_are_told_apart_or_averaged():
    rng = np.random.default_rng(1)
    stim, x = np.repeat([0, 1], 100), rng.normal(size=200)
    mean = np.exp(0.3 * stim[:, None] + np.array([0.0, 0.5, 1.0])[None])
    data = {"y": rng.poisson(mean), "stim": stim, "x": x}
    fit = bz.fit("y ~ stim + x", data, family="poisson", method="laplace", draws=50, progress=False)
    each, whole = fit.means(["stim", "neuron"]), fit.means("stim")
    assert list(each.columns[:2]) == ["stim", "neuron"]
    np.testing.assert_allclose(
        whole["mean"], each.groupby("stim")["mean"].mean().to_numpy(), rtol=1e-12
    )
    ratios = fit.contrasts("stim", by="neuron", scale="ratio")
    drawn = np.exp(fit.idata.posterior["stim"].to_numpy().reshape(50, 3))
    np.testing.assert_allclose(ratios["mean"], drawn.mean(axis=0), rtol=1e-10)
    pair = fit.contrasts("neuron", at={"neuron": [0, 2]})
    assert pair["contrast"].tolist() == ["2 - 0"]


def test_temporal_models_average_over_their_rows():
    rng = np.random.default_rng(2)
    x, stim = rng.normal(size=300), np.repeat([0, 1], 150)
    data = {"y": rng.poisson(np.exp(0.4 * stim)), "x": x, "stim": stim}
    fit = bz.fit(
        "y ~ stim + conv(x, raised_cos_log(3, 10))", data, family="poisson", method="laplace",
        draws=50, progress=False,
    )  # fmt: skip
    found = fit.means("stim")
    wanted = [
        fit.predict({**data, "stim": np.full(300, s)}).to_numpy()[0][:, 10:].mean() for s in (0, 1)
    ]
    np.testing.assert_allclose(found["mean"], wanted, rtol=1e-10)
    with pytest.raises(bz.BayeszooError, match="kernels"):
        fit.means("x")
    with pytest.raises(bz.BayeszooError, match="kernels"):
        fit.slopes("x")


def test_map_has_means_without_intervals(unbalanced):
    fit = bz.fit("y ~ g", unbalanced, method="map", progress=False)
    found = fit.means("g", rope=(0, 1))
    assert found["mean"].notna().all()
    assert found[["sd", "lower", "upper", "p_positive", "p_rope"]].isna().all().all()


def test_a_hundred_thousand_rows_are_answered_quickly():
    rng = np.random.default_rng(0)
    n = 100_000
    table = pd.DataFrame({"x": rng.normal(size=n), "g": rng.choice(list("abcd"), n)})
    table["m"] = rng.integers(0, 200, n).astype(str)
    table["y"] = table["x"] + rng.normal(size=n)
    fit = bz.fit("y ~ g * x + (1 | m)", table, method="lme", progress=False)
    fit.means("g")
    started = time.process_time()
    fit.means("g")
    fit.contrasts("g", by="m")
    assert time.process_time() - started < 2.0
