"""Held-out blocks: what is trained on what, by hand; leaks; and the choice of a basis."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz


@pytest.fixture(scope="module")
def cell():
    data, truth = bz.datasets.current_injection(seed=1, refractory=True, pulse=1.5, pause=0.3)
    return data, truth["formula"]


def test_every_fold_by_hand(cell):
    """The same as models of a response that is missing in the block and in the gap."""
    data = cell[0].assign(past=cell[0]["spikes"])  # so that history stays where responses go
    formula = "spikes ~ conv(current, raised_cos_log(4, 50)) + conv(past, raised_cos_log(3, 20))"
    table = bz.cross_validate(formula, data, family="poisson", folds=3, kind="cohen")
    assert table.index.tolist() == [1, 2, 3, "mean"]
    used = np.arange(50, len(data))
    for fold, block in enumerate(np.array_split(used, 3), start=1):
        row = table.loc[fold]
        assert (row["start"], row["stop"]) == (block[0], block[-1])
        train = data.copy()
        hidden = range(max(block[0] - 50, 0), min(block[-1] + 51, len(data)))
        train["spikes"] = train["spikes"].where(~train.index.isin(hidden))
        fit = bz.fit(formula, train, family="poisson", method="map", progress=False)
        assert row["train_rows"] == fit.model.design.size
        assert row["test_rows"] == len(block) and row["converged"]
        expected = fit.score("cohen", data, rows=block)
        assert row["score"] == pytest.approx(expected, abs=1e-7)
    assert table.loc["mean", "score"] == pytest.approx(table["score"].iloc[:3].mean())


def test_history_of_the_response_stays_intact(cell):
    """Coupled models train on all rows outside of the block and the gap."""
    data, formula = cell
    table = bz.cross_validate(formula, data, family="poisson", folds=4)
    assert table["train_rows"].iloc[:4].sum() == 3 * (len(data) - 200) - 6 * 200
    without = bz.cross_validate(formula, data, family="poisson", folds=4, gap=0)
    assert without["train_rows"].iloc[:4].sum() == 3 * (len(data) - 200)


def test_training_rows_do_not_depend_on_the_block(cell):
    """Whatever the block holds, the fit of the others is the same, bounds and priors included."""
    data = cell[0][["time", "current", "spikes"]].copy()
    formula = "spikes ~ tuning(current, bspline(5)) + conv(current, raised_cos_log(3, 20))"
    keep = np.ones(len(data), dtype=bool)
    keep[1000:2021] = False
    inside = np.arange(1000, 2000)
    other = data.copy()
    other.loc[inside, "current"] *= 50
    other.loc[inside, "spikes"] = 3
    fits = [
        bz.Model(formula, table, family="poisson", keep=keep).fit("map", progress=False)
        for table in (data, other)
    ]
    for one, two in zip(*(fit.draws.natural.values() for fit in fits), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)
    assert fits[0].model.design.rows.tolist() == [*range(20, 1000), *range(2021, len(data))]


def test_a_memorised_trend_does_not_pass():
    """A flexible function of time predicts neighbours, not another block."""
    rng = np.random.default_rng(0)
    slow = np.cumsum(rng.normal(size=600)) * 0.1
    data = pd.DataFrame({"t": np.arange(600.0), "x": rng.normal(size=600)})
    data["y"] = slow + 0.5 * data["x"] + 0.1 * rng.normal(size=600)
    scores = {
        formula: bz.cross_validate(formula, data, folds=4).loc["mean", "score"]
        for formula in ("y ~ x", "y ~ x + poly(t, 5)")
    }
    assert scores["y ~ x"] > scores["y ~ x + poly(t, 5)"]


def test_populations_masks_and_methods():
    data, truth = bz.datasets.population(2, 2400, seed=1)
    mask = {truth["formula"].split(" + ")[-1]: truth["mask"]}
    table = bz.cross_validate(
        truth["formula"], data, family="poisson", folds=3, kind="deviance", mask=mask
    )
    null = bz.cross_validate("spikes ~ 1", data, family="poisson", folds=3, kind="deviance", gap=20)
    assert table.loc["mean", "score"] < null.loc["mean", "score"]
    options = {"family": "poisson", "folds": 2}
    cell = bz.datasets.lnp_cell(1000)[0]
    by_glm = bz.cross_validate("spikes ~ stim", cell, method="glm", **options)
    flat = {"Intercept": bz.Flat(), "stim": bz.Flat()}
    by_map = bz.cross_validate("spikes ~ stim", cell, priors=flat, **options)
    np.testing.assert_allclose(by_glm["score"], by_map["score"], rtol=1e-6)


def test_groups_of_other_blocks_only(sleepstudy):
    formula = "Reaction ~ Days + (1 | Subject)"
    with pytest.raises(bz.BayeszooError, match="not in training"):
        bz.cross_validate(formula, sleepstudy, folds=6, method="lme")
    table = bz.cross_validate(formula, sleepstudy, folds=6, method="lme", groups="population")
    assert (table["test_rows"].iloc[:6] == 30).all() and (table["train_rows"].iloc[:6] == 150).all()


def test_the_choice_of_a_basis(cell):
    data = cell[0]
    formula = "spikes ~ conv(current, raised_cos_log({n}, 60))"
    prior = {"conv(current, raised_cos_log({n}, 60))": bz.Normal(0, 0.05)}
    options = {"family": "poisson", "folds": 3, "priors": prior}
    table = bz.choose_basis(formula, data, [9, 2, 4], **options)
    assert table.index.tolist() == [9, 2, 4] and table.index.name == "n"
    assert table["best"].sum() == 1 and table["chosen"].sum() == 1
    best = table["score"].idxmax()
    assert table.loc[best, "best"] and table.loc[best, "behind"] == 0
    good = table.index[table["behind"] <= table["behind_error"]]
    assert table.index[table["chosen"]].tolist() == [min(good)]
    folds = {}
    for n in (9, 2, 4):
        named = {formula.removeprefix("spikes ~ ").replace("{n}", str(n)): bz.Normal(0, 0.05)}
        one = bz.cross_validate(
            formula.replace("{n}", str(n)), data, family="poisson", folds=3, priors=named
        )
        folds[n] = one["score"].iloc[:3].astype(float)
        assert table.loc[n, "score"] == pytest.approx(one.loc["mean", "score"], abs=1e-10)
        assert table.loc[n, "standard_error"] == pytest.approx(folds[n].sem(), abs=1e-10)
    for n in folds:
        apart = folds[best] - folds[n]
        assert table.loc[n, "behind"] == pytest.approx(apart.mean(), abs=1e-10)
        assert table.loc[n, "behind_error"] == pytest.approx(apart.sem(), abs=1e-10)
    worse = bz.choose_basis(formula, data, [9, 2, 4], kind="deviance", **options)
    assert worse["score"].idxmin() == worse.index[worse["best"]][0]
    assert (worse["behind"] >= 0).all()


def test_windows_of_different_lengths_are_scored_on_the_same_rows(cell):
    data = cell[0]
    table = bz.choose_basis(
        "spikes ~ conv(current, history({n}))", data, [2, 40], family="poisson", folds=2
    )
    rows = np.arange(40, len(data))
    block = np.array_split(rows, 2)[1]
    keep = np.arange(len(data)) < block[0] - 40
    for n in (2, 40):
        model = bz.Model(f"spikes ~ conv(current, history({n}))", data, family="poisson", keep=keep)
        second = model.fit("map", progress=False).score(data=data, rows=block)
        first = 2 * table.loc[n, "score"] - second
        spread = abs(first - second) / 2
        assert table.loc[n, "standard_error"] == pytest.approx(spread, abs=1e-9)


def test_clear_refusals(cell):
    data, formula = cell
    options = {"family": "poisson"}

    def refuse(match, call, *arguments, **more):
        with pytest.raises(bz.BayeszooError, match=match):
            call(*arguments, **options, **more)

    refuse("folds= takes a whole number", bz.cross_validate, formula, data, folds=1)
    refuse("gap= takes a whole number", bz.cross_validate, formula, data, gap=-1)
    refuse("no row to train on", bz.cross_validate, formula, data, gap=10**6, folds=2)
    refuse("kind= takes", bz.cross_validate, formula, data, kind="r2")
    refuse("no option `tol`", bz.cross_validate, formula, data, tol=1)
    refuse("keep= is set", bz.cross_validate, formula, data, keep=np.ones(3, bool))
    refuse("holds no {n}", bz.choose_basis, formula, data, [3, 4])
    bumps = "spikes ~ conv(current, raised_cos_log({n}, 20))"
    refuse("different whole numbers", bz.choose_basis, bumps, data, [4, 4])
    refuse("n= takes a whole number", bz.choose_basis, bumps, data, [4.5])
    with pytest.raises(bz.BayeszooError, match="True or False for each of the"):
        bz.Model(formula, data, family="poisson", keep=[1, 2])


def test_blocks_that_are_groups_by_hand():
    """Leave one mouse out: fits without it, scored with group effects at 0."""
    data, _ = bz.datasets.lfp(mice=5, trials=12, seed=2)
    formula = "Power ~ stim + (1 | mouse)"
    options = {"family": "gamma", "method": "map"}
    table = bz.cross_validate(formula, data, folds="group:mouse", **options)
    mice = data["mouse"].unique().tolist()
    assert sorted(table.index) == sorted([*mice, "mean"]) and table.index[-1] == "mean"
    assert (table["test_rows"].iloc[:5] == 12).all()
    for mouse in (mice[0], mice[3]):
        inside = data["mouse"] == mouse
        fit = bz.fit(formula, data[~inside], progress=False, **options)
        expected = fit.score(data=data[inside], groups="population")
        assert table.loc[mouse, "score"] == pytest.approx(expected, abs=1e-5)
        assert table.loc[mouse, "train_rows"] == 48
    assert table.loc["mean", "score"] == pytest.approx(table["score"].iloc[:5].mean())


def test_a_gap_surrounds_every_run_of_a_group():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=60), "day": np.repeat([0, 1, 0, 1, 2, 2], 10)})
    data["y"] = data["x"] + rng.normal(size=60)
    table = bz.cross_validate("y ~ x", data, folds="group:day", gap=2)
    assert table.index.tolist() == [0, 1, 2, "mean"]
    # day 0: 20 rows, and 2 on both sides of the second run, of the first after it only
    assert table["train_rows"].iloc[:3].tolist() == [60 - 20 - 6, 60 - 20 - 8, 60 - 20 - 2]
    assert (table.loc[0, "start"], table.loc[0, "stop"]) == (0, 29)


def test_folds_that_are_no_groups():
    data = pd.DataFrame({"x": [0.0, 1.0, 2.0, 5.0], "y": [1.0, 2.0, 4.0, 3.0], "day": "a"})
    for folds, message in (
        ("day", 'takes a whole number, or "group:"'),
        ("group:dya", "Nearest: `day`"),
        ("group:day", "needs two levels"),
    ):
        with pytest.raises(bz.BayeszooError, match=message):
            bz.cross_validate("y ~ x", data, folds=folds)
