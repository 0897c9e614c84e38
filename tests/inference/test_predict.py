"""Predictions: means by hand, new rows, populations, unknown groups, noise."""

import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import bayeszoo as bz
from bayeszoo.zoo.families import FAMILIES


@pytest.fixture(scope="module")
def fit(sleepstudy):
    model = bz.Model("Reaction ~ Days + (Days | Subject)", sleepstudy)
    return model.fit("laplace", seed=1, progress=False)


def test_means_are_the_linear_predictor_by_hand(fit):
    post = fit.idata.posterior
    new = pd.DataFrame({"Days": [0, 9], "Subject": ["308", "372"]})
    expected = [
        post["Intercept"]
        + post["Days"] * days
        + post["1|Subject"].sel(Subject=subject)
        + post["Days|Subject"].sel(Subject=subject) * days
        for days, subject in zip(new["Days"], new["Subject"], strict=True)
    ]
    got = fit.predict(new)
    assert got.dims == ("chain", "draw", "obs")
    np.testing.assert_allclose(got, np.stack(expected, axis=-1))


def test_population_leaves_group_effects_out(fit):
    post = fit.idata.posterior
    got = fit.predict({"Days": [3], "Subject": ["nobody"]}, groups="population")
    np.testing.assert_allclose(got[..., 0], post["Intercept"] + 3 * post["Days"])


def test_new_groups_vary_as_the_fitted_scale_says(fit):
    post = fit.idata.posterior
    new = {"Days": np.zeros(400), "Subject": [f"s{i}" for i in range(400)]}
    effects = fit.predict(new, groups="new") - post["Intercept"]
    ratio = effects.std("obs") / post["sd(1|Subject)"]
    assert abs(ratio.mean().item() - 1) < 0.01


def test_responses_add_the_noise(fit):
    noise = fit.predict(kind="response", seed=2) - fit.predict()
    ratio = noise.std("obs") / fit.idata.posterior["sigma"]
    assert abs(ratio.mean().item() - 1) < 0.01
    again = fit.predict(kind="response", seed=2) - fit.predict()
    np.testing.assert_array_equal(noise, again)


def test_missing_predictors_give_missing_predictions(fit):
    got = fit.predict({"Days": [np.nan, 1.0], "Subject": ["308", None]})
    assert np.isnan(got).all()


def test_thinning(fit):
    assert fit.predict(draws=7).sizes == {"chain": 1, "draw": 7, "obs": 180}


def test_new_data_need_trials_but_no_successes():
    rng = np.random.default_rng(3)
    df = pd.DataFrame({"number hit": rng.binomial(12, 0.4, 30), "n": 12, "x": rng.normal(size=30)})
    fit = bz.fit("prop(`number hit`, n) ~ x", df, family="binomial", method="map", progress=False)
    new = pd.DataFrame({"n": [10, 20], "x": [0.5, 0.5]})
    mean = fit.predict(new).values.ravel()
    assert mean[1] == pytest.approx(2 * mean[0])
    np.testing.assert_array_equal(mean, fit.predict(new.assign(**{"number hit": 3})).values.ravel())


def test_binomial_means_need_trials_and_say_so():
    rng = np.random.default_rng(3)
    data = {"x": rng.normal(size=50), "n": np.full(50, 10)}
    data["k"] = rng.binomial(10, 0.4, 50)
    fit = bz.fit("prop(k, n) ~ x", data, family="binomial", method="laplace", progress=False)
    assert abs(fit.predict().mean().item() - 4.0) < 0.7
    assert set(np.unique(fit.predict(kind="response", draws=20))) <= set(range(11))
    with pytest.raises(bz.BayeszooError, match="trials"):
        fit.predict({"x": [0.0]})
    assert fit.predict({"x": [0.0]}, kind="linear").shape == (1, 1000, 1)


def test_a_log_response_is_predicted_on_its_scale(sleepstudy):
    fit = bz.fit("log(Reaction) ~ Days", sleepstudy, method="map", progress=False)
    assert fit.predict().name == "log(Reaction)"
    assert abs(fit.predict().mean().item() - np.log(sleepstudy["Reaction"]).mean()) < 1e-6


@pytest.fixture(scope="module")
def slopes():
    """Correlated slopes, of 12 groups, with 4,000 draws."""
    rng = np.random.default_rng(60)
    group = np.repeat(np.arange(12), 20)
    effects = rng.multivariate_normal([0, 0], [[1.0, 0.4], [0.4, 0.5]], 12)[group]
    data = pd.DataFrame({"g": [f"g{j}" for j in group], "x": rng.normal(size=240)})
    data["y"] = 2 + effects[:, 0] + (1 + effects[:, 1]) * data["x"] + rng.normal(size=240)
    return bz.fit("y ~ x + (1 + x | g)", data, method="laplace", draws=4000, progress=False)


def test_new_groups_have_the_fitted_covariance_and_are_independent(slopes):
    """E[u u'] over many new groups of each draw, against sd and corr; 4.5 Monte-Carlo errors."""
    names = [f"new{j}" for j in range(60)]
    new = {"g": np.repeat(names, 2), "x": np.tile([0.0, 1.0], 60)}
    effects = (slopes.predict(new, groups="new") - slopes.predict(new, groups="population"))[0]
    both = effects.to_numpy().reshape(4000, 60, 2)
    u = np.stack([both[..., 0], both[..., 1] - both[..., 0]], axis=-1)
    post = slopes.idata.posterior.isel(chain=0)
    sd = np.stack([post["sd(1|g)"], post["sd(x|g)"]], axis=-1)
    standard = u / sd[:, None]
    products = np.einsum("dga,dgb->dab", standard, standard) / 60
    wanted = post["corr(g)"].to_numpy()
    error = products.std(axis=0) / np.sqrt(len(products))
    assert (abs((products - wanted).mean(axis=0)) < 4.5 * error).all()
    across = standard[:, 0, 0] * standard[:, 1, 0]
    assert abs(across.mean()) < 4.5 * across.std() / np.sqrt(len(across))


def test_a_new_group_is_the_same_in_every_prediction_and_others_are_not(slopes):
    ask = lambda *labels: slopes.predict({"g": labels, "x": np.zeros(len(labels))}, groups="new")
    both = ask("a", "b", "a")
    np.testing.assert_allclose(both[..., 0], both[..., 2], rtol=1e-9)
    np.testing.assert_allclose(ask("b")[..., 0], both[..., 1], rtol=1e-9)
    known = slopes.predict({"g": ["g3"], "x": [0.0]})
    np.testing.assert_allclose(ask("new", "g3")[..., 1], known[..., 0], rtol=1e-9)
    other = slopes.predict({"g": ["a"], "x": [0.0]}, groups="new", seed=1)
    assert abs(float(xr.corr(other[..., 0], both[..., 0]))) < 0.9
    shift = both - slopes.predict({"g": ["a", "b", "a"], "x": np.zeros(3)}, groups="population")
    assert abs(float(xr.corr(shift[..., 0], shift[..., 1]))) < 0.1


def test_a_new_neuron_of_a_fitted_mouse_has_the_mouse_effect():
    rng = np.random.default_rng(61)
    mouse, neuron = np.repeat(np.arange(6), 40), np.tile(np.repeat(np.arange(4), 10), 6)
    data = pd.DataFrame({"mouse": [f"m{j}" for j in mouse], "neuron": neuron})
    data["y"] = 3.0 * (mouse - 2.5) + rng.normal(size=24)[mouse * 4 + neuron] + rng.normal(size=240)
    fit = bz.fit("y ~ 1 + (1 | mouse/neuron)", data, method="laplace", progress=False)
    new = {"mouse": ["m0", "m5", "m0"], "neuron": [9, 9, 2]}
    got = fit.predict(new, groups="new")
    post = fit.idata.posterior
    fitted = post["Intercept"] + post["1|mouse"].sel(mouse="m5")
    own = got[..., 1] - fitted
    ratio = (own / post["sd(1|mouse:neuron)"]).to_numpy().ravel()
    assert abs(ratio.mean()) < 4.5 / np.sqrt(1000) and ratio.std() == pytest.approx(1, abs=0.1)
    known = fit.predict({"mouse": ["m0"], "neuron": [2]})
    np.testing.assert_allclose(got[..., 2], known[..., 0], rtol=1e-9)
    with pytest.raises(bz.BayeszooError, match="m0:9"):
        fit.predict(new)


def test_heavy_tailed_groups_stay_heavy_tailed():
    rng = np.random.default_rng(62)
    group = np.repeat(np.arange(30), 8)
    data = {"g": group, "y": 3 * rng.standard_t(2, 30)[group] + rng.normal(size=240)}
    fit = bz.fit("y ~ 1 + student(1 | g)", data, method="laplace", progress=False)
    new = {"g": 100 + np.arange(200)}
    effects = (fit.predict(new, groups="new") - fit.predict(new, groups="population"))[0]
    post = fit.idata.posterior.isel(chain=0)
    name = next(str(n) for n in post.data_vars if str(n).startswith("nu"))
    z = (effects / post["sd(1|g)"]).to_numpy()
    inside = stats.t.cdf(z, post[name].to_numpy()[:, None])  # uniform, whatever the draw
    shares = (inside < 0.05).mean(axis=1)
    assert abs(shares.mean() - 0.05) < 4.5 * shares.std() / np.sqrt(len(shares))


@pytest.mark.parametrize("family", sorted({f.name for f in FAMILIES.values()}))
def test_a_thousand_rows_are_predicted_in_well_under_a_second(family):
    rng = np.random.default_rng(63)
    member = FAMILIES[family]
    whole = member.support.holds(np.array([0.0, 1.0])).all()
    data = {"x": rng.normal(size=100), "n": np.full(100, 9)}
    data["y"] = np.resize([0.0, 1.0, 1.0] if whole else [0.2, 0.5, 0.7], 100)
    response = "prop(y, n)" if member.required else "y"
    fit = bz.fit(
        f"{response} ~ x", data, family=family, method="laplace", draws=4000, progress=False
    )
    new = {"x": rng.normal(size=1000), "n": np.full(1000, 9), "y": np.resize(data["y"], 1000)}
    for kind in ("mean", "response", "linear"):
        times = []
        for _ in range(3):
            start = time.perf_counter()
            got = fit.predict(new, kind=kind)
            times.append(time.perf_counter() - start)
        assert got.shape == (1, 4000, 1000) and min(times) < 1.0
    drawn, mean = fit.predict(new, kind="response", seed=1), fit.predict(new)
    assert member.support.holds(drawn.to_numpy()).all()
    z = (drawn - mean).mean("obs") / (drawn - mean).std("obs") * np.sqrt(1000)
    assert abs(float(np.median(z))) < 0.1


def test_frequentist_predictions_have_the_exact_estimate_and_standard_error(sleepstudy):
    fit = bz.fit("Reaction ~ Days", sleepstudy, method="ols", progress=False)
    found = fit.predictions({"Days": [0.0, 4.5, 12.0]})
    frame = fit.result.get_prediction(np.array([[1, 0.0], [1, 4.5], [1, 12.0]])).summary_frame()
    np.testing.assert_allclose(found["mean"], frame["mean"], rtol=1e-10)
    np.testing.assert_allclose(found["sd"], frame["mean_se"], rtol=1e-8)
    mixed = bz.fit("Reaction ~ Days + (Days | Subject)", sleepstudy, method="lme", progress=False)
    table = mixed.summary(groups=True)["mean"]
    by_hand = (
        table["Intercept"]
        + table["1|Subject[308]"]
        + 3 * (table["Days"] + table["Days|Subject[308]"])
    )
    new = {"Days": [3.0], "Subject": [308]}
    assert mixed.predict(new).mean().item() == pytest.approx(by_hand, rel=1e-10)
    assert mixed.predictions(new)["mean"].item() == pytest.approx(by_hand, rel=1e-10)


def test_predictions_are_means_and_quantiles_of_draws(fit):
    new = {"Days": [0, 9], "Subject": ["308", "372"]}
    draws = fit.predict(new)[0].to_numpy()
    found = fit.predictions(new, prob=0.8)
    assert list(found) == ["obs", "mean", "sd", "lower", "upper"]
    np.testing.assert_allclose(found["mean"], draws.mean(axis=0))
    np.testing.assert_allclose(found[["lower", "upper"]].T, np.quantile(draws, [0.1, 0.9], axis=0))
    response = fit.predictions(kind="response", prob=0.9)
    y = fit.model.design.response["y"]
    inside = np.mean((response["lower"] < y) & (y < response["upper"]))
    assert 0.84 < inside < 0.99
    np.testing.assert_allclose(response["mean"], fit.predict().mean(("chain", "draw")))
    missing = fit.predictions({"Days": [np.nan, 1.0], "Subject": ["308", "308"]})
    assert missing["mean"].isna().tolist() == [True, False]


def test_predictions_in_blocks_of_rows_are_the_same(fit, monkeypatch):
    whole = fit.predictions()
    monkeypatch.setattr("bayeszoo.inference.predictions.BLOCK", 50_000)
    pd.testing.assert_frame_equal(fit.predictions(), whole)


def test_predictions_of_populations_over_time_and_of_single_estimates():
    data, truth = bz.datasets.population(neurons=3, bins=1_000)
    fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
    found = fit.predictions()
    size = fit.model.design.size
    assert len(found) == 3 * size and found["neuron"].nunique() == 3
    assert found["sd"].isna().all() and found["lower"].isna().all()
    mean = fit.predict().to_numpy()[0, 0]
    np.testing.assert_allclose(found["mean"], mean.ravel())
    response = fit.predictions(kind="response")
    assert (response["upper"] >= response["lower"]).all()
    assert (response["sd"] ** 2).sum() / response["mean"].sum() == pytest.approx(1.0, abs=0.02)
