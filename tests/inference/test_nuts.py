"""The sampler: compile once, the same posterior with group effects in or out, InferenceData layout."""

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference.programs import COUNTS

FORMULA = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def marginal(sleepstudy):
    return bz.fit(FORMULA, sleepstudy, seed=1, progress=False)


def test_covers_the_restricted_likelihood_estimates_of_lme4(marginal):
    table = marginal.summary()
    lme4 = {
        "Intercept": 251.405,
        "Days": 10.467,
        "sd(1|Subject)": 24.741,
        "sd(Days|Subject)": 5.922,
        "corr(Subject)[Intercept,Days]": 0.066,
        "sigma": 25.592,
    }
    assert list(table.index) == list(lme4)
    for name, value in lme4.items():
        assert table.loc[name, "lower"] < value < table.loc[name, "upper"]
    assert (table["r_hat"] < 1.01).all() and (table["ess_bulk"] > 1000).all()
    assert marginal.diagnose() == []


def test_group_effects_integrated_out_or_not_give_one_posterior(marginal, sleepstudy):
    full = bz.fit(FORMULA, sleepstudy, seed=2, marginalize=False, draws=2000, progress=False)
    a, b = marginal.summary(groups=True), full.summary(groups=True)
    error = np.hypot(a["sd"] / np.sqrt(a["ess_bulk"]), b["sd"] / np.sqrt(b["ess_bulk"]))
    z = (a["mean"] - b["mean"]) / error
    assert np.abs(z).max() < 4.5  # 42 numbers
    assert np.abs(np.log(a["sd"] / b["sd"])).max() < 0.12


def test_new_data_priors_and_lengths_need_no_compile(sleepstudy, marginal):
    before = dict(COUNTS)
    other = sleepstudy.assign(Reaction=sleepstudy["Reaction"][::-1].to_numpy() * 2)
    priors = {"Days": bz.Normal(0, 3), "sigma": bz.HalfStudentT(4, 10)}
    bz.fit(FORMULA, other, priors=priors, seed=9, draws=250, progress=False)
    renamed = sleepstudy.rename(columns={"Reaction": "rt", "Days": "d", "Subject": "s"})
    bz.fit("rt ~ d + (d | s)", renamed, draws=100, progress=False)
    assert COUNTS["compiled"] == before["compiled"]


def test_same_seed_same_draws(sleepstudy, marginal):
    again = bz.fit(FORMULA, sleepstudy, seed=1, progress=False)
    np.testing.assert_array_equal(again.idata.posterior["Days"], marginal.idata.posterior["Days"])


def test_inference_data_is_complete(marginal):
    idata = marginal.idata
    groups = {"posterior", "sample_stats", "log_likelihood", "observed_data", "constant_data"}
    assert groups <= set(idata.groups())
    posterior = idata.posterior
    assert posterior["1|Subject"].dims == ("chain", "draw", "Subject")
    assert posterior["corr(Subject)"].dims == ("chain", "draw", "Subject_effect", "Subject_effect2")
    assert list(posterior["Subject_effect"].values) == ["Intercept", "Days"]
    stats = "diverging energy lp n_steps step_size acceptance_rate tree_depth".split()
    assert set(stats) <= set(idata.sample_stats.data_vars)
    assert idata.log_likelihood["Reaction"].dims == ("chain", "draw", "obs")
    assert idata.log_likelihood["Reaction"].shape == (4, 1000, 180)
    assert posterior.attrs["formula"] == FORMULA and posterior.attrs["method"] == "nuts"


def test_log_likelihood_is_the_normal_density(marginal):
    post, y = marginal.idata.posterior, marginal.idata.observed_data["Reaction"]
    mean = marginal.predict()
    sigma = post["sigma"]
    by_hand = -0.5 * ((y - mean) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(
        by_hand.transpose("chain", "draw", "obs"), marginal.idata.log_likelihood["Reaction"]
    )


@pytest.mark.parametrize(
    "formula",
    [
        "Reaction ~ Days + (Days || Subject)",
        "Reaction ~ Days + (1 | half/Subject)",
        "Reaction ~ Days + (1 | Subject) + (1 | Day)",
        "Reaction ~ Days + student(1 + Days | Subject)",
        "Reaction ~ Days + (1 | Subject)\nsigma ~ Days + (1 | Subject)",
    ],
)
def test_variants_run(sleepstudy, formula):
    df = sleepstudy.assign(
        half=np.where(sleepstudy["Subject"].astype(int) < 340, "lo", "hi"),
        Day=sleepstudy["Days"].astype(str),
    )
    fit = bz.fit(formula, df, draws=400, tune=600, seed=3, progress=False, target_accept=0.9)
    slope = fit.summary().loc["Days"]
    assert slope["lower"] < 10.467 < slope["upper"]
    assert slope["r_hat"] < 1.03


@pytest.fixture(scope="module")
def two_factors():
    rng = np.random.default_rng(5)
    mouse, neuron, day = rng.integers(0, 6, 240), rng.integers(0, 3, 240), rng.integers(0, 5, 240)
    x = rng.normal(size=240)
    effects = rng.normal(size=6)[mouse] + 0.7 * rng.normal(size=(6, 3))[mouse, neuron]
    y = 2 + 0.5 * x + effects + 0.6 * rng.normal(size=5)[day] + rng.normal(size=240)
    return {"y": y, "x": x, "mouse": mouse, "neuron": neuron, "day": day}


@pytest.mark.parametrize(
    "formula", ["y ~ x + (1 | mouse/neuron)", "y ~ x + (1 | mouse) + (1 | day)"]
)
def test_nested_and_crossed_effects_integrated_out_or_not(two_factors, formula):
    options = {"draws": 1500, "progress": False, "chains": 4}
    for name in ("mouse", "neuron", "day"):
        two_factors = {**two_factors, name: np.char.add(name, two_factors[name].astype(str))}
    quick = bz.fit(formula, two_factors, seed=1, marginalize=True, **options)
    slow = bz.fit(formula, two_factors, seed=2, marginalize=False, target_accept=0.95, **options)
    a, b = quick.summary(groups=True), slow.summary(groups=True)
    assert set(a.index) == set(b.index)
    b = b.loc[a.index]
    error = np.sqrt(a["sd"] ** 2 / a["ess_bulk"] + b["sd"] ** 2 / b["ess_bulk"])
    assert (np.abs(a["mean"] - b["mean"]) / error).max() < 5
    np.testing.assert_allclose(a["sd"], b["sd"], rtol=0.2)


def test_laplace_under_nuts_is_close_to_sampling_the_effects():
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(10), 30)
    x = rng.normal(size=300)
    mean = np.exp(1 + 0.2 * x + 0.4 * rng.normal(size=10)[group])
    data = {"y": rng.poisson(mean), "x": x, "g": np.char.add("g", group.astype(str))}
    options = {"family": "poisson", "progress": False, "draws": 1000}
    quick = bz.fit("y ~ x + (1 | g)", data, seed=1, marginalize="laplace", **options)
    slow = bz.fit("y ~ x + (1 | g)", data, seed=2, marginalize=False, **options)
    a, b = quick.summary(groups=True), slow.summary(groups=True)
    b = b.loc[a.index]
    error = np.sqrt(a["sd"] ** 2 / a["ess_bulk"] + b["sd"] ** 2 / b["ess_bulk"])
    # the approximation itself is off by a few percent of a standard deviation at most
    assert (np.abs(a["mean"] - b["mean"]) < 5 * error + 0.05 * b["sd"]).all()
