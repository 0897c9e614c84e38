"""Predictions: means by hand, new rows, populations, unknown groups, noise."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz


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
