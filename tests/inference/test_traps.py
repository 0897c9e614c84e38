"""Mistakes that other packages make on this kind of data, each as a test of ours."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

LOG_FAMILIES = {
    "gamma": lambda rng, mu: rng.gamma(4, mu / 4),
    "exponential": lambda rng, mu: rng.exponential(mu),
    "lognormal": lambda rng, mu: mu * np.exp(rng.normal(-0.125, 0.5, mu.shape)),
    "inverse_gaussian": lambda rng, mu: rng.wald(mu, 20.0),
    "poisson": lambda rng, mu: rng.poisson(mu),
    "negative_binomial": lambda rng, mu: rng.poisson(mu * rng.gamma(3, 1 / 3, mu.shape)),
    "zero_inflated_poisson": lambda rng, mu: rng.poisson(mu) * (rng.random(mu.shape) < 0.7),
}


@pytest.mark.parametrize("family", sorted(LOG_FAMILIES))
def test_a_doubled_mean_is_a_ratio_of_two(family):
    rng = np.random.default_rng(11)
    stim = np.tile([0.0, 1.0], 1500)
    y = LOG_FAMILIES[family](rng, 5.0 * 2.0**stim).astype(float)
    row = bz.fit(
        "y ~ stim", {"y": y, "stim": stim}, family=family, method="laplace", progress=False
    )
    slope = row.summary().loc["stim"]
    assert abs(slope["mean"] - np.log(2)) < 4 * slope["sd"]
    assert slope["sd"] < 0.1


def test_neurons_with_different_baselines_and_no_effect():
    rng = np.random.default_rng(1)
    neuron = np.repeat(["a", "b", "c"], 80)
    baseline = np.repeat([5.0, 10.0, 20.0], 80)
    df = pd.DataFrame({"neuron": neuron, "stim": np.tile([0, 1], 120)})
    df["isi"] = baseline + rng.normal(0, 1, 240)
    fit = bz.fit("isi ~ 0 + neuron + stim:neuron", df, progress=False, seed=2)
    table = fit.summary(prob=0.999)
    slopes = table[table.index.str.contains("stim")]
    assert len(slopes) == 3
    assert (slopes["lower"] < 0).all() and (slopes["upper"] > 0).all()
    np.testing.assert_allclose(table["mean"].iloc[:3], [5, 10, 20], atol=0.5)


def test_group_effects_are_deviations_in_natural_units():
    rng = np.random.default_rng(2)
    mouse = np.repeat(np.arange(8), 50)
    df = pd.DataFrame({"mouse": mouse, "y": 100.0 + 30.0 * (mouse - 3.5) + rng.normal(0, 1, 400)})
    table = bz.fit("y ~ 1 + (1 | mouse)", df, progress=False).summary(groups=True)
    level = table.loc["Intercept", "mean"]
    effects = table.loc[[f"1|mouse[{j}]" for j in range(8)], "mean"].to_numpy()
    np.testing.assert_allclose(level + effects, df.groupby("mouse")["y"].mean(), atol=0.6)


def test_one_missing_cell_leaves_other_mice_alone():
    rng = np.random.default_rng(3)
    df = pd.DataFrame(
        {"mouse": np.repeat([f"m{j}" for j in range(10)], 40), "stim": np.tile([0, 1], 200)}
    )
    slope = np.repeat(rng.normal(1.0, 0.4, 10), 40)
    df["y"] = 5.0 + slope * df["stim"] + rng.normal(0, 0.5, 400)
    cut = df[~((df["mouse"] == "m3") & (df["stim"] == 1))]
    effects = []
    for data in (df, cut):
        table = bz.fit("y ~ stim + (1 + stim | mouse)", data, method="map", progress=False).summary(
            groups=True
        )
        rows = [f"stim|mouse[m{j}]" for j in range(10) if j != 3]
        effects.append(table.loc["stim", "mean"] + table.loc[rows, "mean"].to_numpy())
    np.testing.assert_allclose(effects[0], effects[1], atol=0.1)


def test_shifting_a_predictor_changes_neither_priors_nor_slopes():
    rng = np.random.default_rng(4)
    df = pd.DataFrame({"g": np.repeat(np.arange(6), 30), "year": rng.normal(0, 5, 180)})
    df["y"] = 3.0 + 0.5 * df["year"] + rng.normal(0, 1, 180)
    shifted = df.assign(year=df["year"] + 2000)
    models = [bz.Model("y ~ year + (1 | g)", data) for data in (df, shifted)]
    first, second = (model.prior_table()["prior"] for model in models)
    assert list(first) == list(second)
    a, b = (m.fit("map", progress=False).summary()["mean"] for m in models)
    np.testing.assert_allclose(a["year"], b["year"], rtol=1e-4)
    np.testing.assert_allclose(a["sigma"], b["sigma"], rtol=1e-4)
    np.testing.assert_allclose(a["Intercept"], b["Intercept"] + 2000 * b["year"], atol=1e-2)


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_do_not_matter(unit):
    rng = np.random.default_rng(5)
    x = rng.normal(2.0, 1.0, 80)
    y = 1.0 + 2.0 * x + rng.normal(0, 0.5, 80)
    plain = bz.fit("y ~ x", {"y": y, "x": x}, method="map", progress=False)
    scaled = bz.fit("y ~ x", {"y": y * unit, "x": x / unit}, method="map", progress=False)
    assert plain.draws.converged and scaled.draws.converged
    a, b = plain.summary()["mean"], scaled.summary()["mean"]
    np.testing.assert_allclose(b["x"], a["x"] * unit**2, rtol=1e-5)
    np.testing.assert_allclose(b["sigma"], a["sigma"] * unit, rtol=1e-5)


def test_student_is_preferred_on_heavy_tails():
    rng = np.random.default_rng(6)
    data = {"y": 1.0 + rng.standard_t(2, 300), "x": rng.normal(size=300)}
    normal, student = (
        bz.fit("y ~ x", data, family=family, method="laplace", progress=False)
        for family in ("normal", "student")
    )
    assert student.loo().elpd_loo > normal.loo().elpd_loo + 10
    assert "x" in student.summary().index


def test_one_bar_is_correlated_and_two_bars_are_not():
    rng = np.random.default_rng(7)
    df = pd.DataFrame({"g": np.repeat(list("abcdef"), 20), "x": rng.normal(size=120)})
    df["y"] = rng.normal(size=120)
    assert "corr(g)" in bz.Model("y ~ x + (x | g)", df).prior_table().index
    assert "corr(g)" not in bz.Model("y ~ x + (x || g)", df).prior_table().index


def test_every_new_group_gets_its_own_draw(sleepstudy):
    fit = bz.fit("Reaction ~ 1 + (1 | Subject)", sleepstudy, progress=False, seed=1)
    new = fit.predict({"Subject": [1, 1, 2]}, groups="new").to_numpy().reshape(-1, 3)
    np.testing.assert_array_equal(new[:, 0], new[:, 1])
    effects = new - fit.predict({"Subject": [1, 1, 2]}, groups="population").to_numpy().reshape(
        -1, 3
    )
    assert abs(np.corrcoef(effects[:, 0], effects[:, 2])[0, 1]) < 4.5 / np.sqrt(len(effects))


def test_two_offsets_predict():
    rng = np.random.default_rng(8)
    df = pd.DataFrame({"t": rng.uniform(1, 3, 200), "u": rng.uniform(1, 3, 200)})
    df["n"] = rng.poisson(2.0 * df["t"] * df["u"])
    fit = bz.fit(
        "n ~ 1 + offset(log(t)) + offset(log(u))",
        df,
        family="poisson",
        method="laplace",
        progress=False,
    )
    mean = fit.predict({"t": [1.0], "u": [2.0]}).mean().item()
    assert abs(mean - 4.0) < 0.4


def test_odd_columns_work():
    rng = np.random.default_rng(9)
    n = 120
    df = pd.DataFrame(
        {
            "firing rate, Hz": rng.gamma(3, 2, n),
            "x": rng.normal(size=n),
            "was stimulated": rng.random(n) > 0.5,
            "C": pd.Categorical(rng.choice(["lo", "hi"], n), categories=["lo", "hi", "never"]),
            "day": np.repeat([1, 2, 3, 4], n // 4),
        },
        index=np.zeros(n, dtype=int),
    )
    before = df.copy(deep=True)
    formula = "`firing rate, Hz` ~ x + `was stimulated` + `C` + (1 | day)"
    fit = bz.fit(formula, df, family="gamma", method="map", progress=False)
    expected = ["Intercept", "x", "was stimulated", "C[hi]", "sd(1|day)", "alpha"]
    assert list(fit.summary().index) == expected
    assert list(fit.idata.posterior["C_dim"].values) == ["hi"]
    assert list(fit.idata.posterior["day"].values) == [1, 2, 3, 4]
    pd.testing.assert_frame_equal(df, before)
