"""Responses of several neurons, by every method, against single fits and stacked tables."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

FLAT = {"Intercept": bz.Flat(), "slopes": bz.Flat()}
RNG = np.random.default_rng(5)
T, N = 400, 4
X = RNG.normal(size=(T, 3)) @ np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.3], [0.0, 0.0, 1.0]])
ETA = 0.3 + X @ RNG.normal(0, 0.3, (3, N))
SHAPES = {
    "poisson": lambda: RNG.poisson(np.exp(ETA)),
    "negative_binomial": lambda: RNG.poisson(np.exp(ETA) * RNG.gamma(2.0, 0.5, ETA.shape)),
    "bernoulli": lambda: RNG.random(ETA.shape) < 1 / (1 + np.exp(-ETA)),
    "normal": lambda: ETA + 0.5 * RNG.normal(size=ETA.shape),
    "gamma": lambda: RNG.gamma(3.0, np.exp(ETA) / 3.0),
}
DATA = {family: {"y": np.asarray(draw(), float), "X": X} for family, draw in SHAPES.items()}
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 1, 1]], dtype=bool)


def point(fit, name):
    return fit.idata.posterior[name].values[0, 0]


@pytest.mark.parametrize("family", DATA)
def test_a_population_is_its_neurons_one_by_one(family):
    data = DATA[family]
    whole = bz.fit("y ~ X", data, family=family, method="map", priors=FLAT, progress=False)
    assert whole.diagnose() == []
    for n in range(N):
        one = {**data, "y": data["y"][:, n]}
        alone = bz.fit("y ~ X", one, family=family, method="map", priors=FLAT, progress=False)
        np.testing.assert_allclose(point(whole, "X")[:, n], point(alone, "X"), rtol=1e-8)
        np.testing.assert_allclose(
            point(whole, "Intercept")[n], point(alone, "Intercept"), rtol=1e-8
        )
        for name in whole.model.spec.scalars:
            np.testing.assert_allclose(point(whole, name)[n], point(alone, name), rtol=1e-6)


def test_masked_neurons_are_fits_of_what_they_use():
    data = DATA["poisson"]
    model = bz.Model("y ~ X", data, family="poisson", mask={"X": MASK}, priors=FLAT)
    fit = model.fit("map", progress=False)
    for n in range(N):
        used = MASK[:, n]
        one = {"y": data["y"][:, n], "X": X[:, used]}
        alone = bz.fit("y ~ X", one, family="poisson", method="map", priors=FLAT, progress=False)
        np.testing.assert_allclose(point(fit, "X")[used, n], point(alone, "X"), rtol=1e-8)
        assert (point(fit, "X")[~used, n] == 0).all()
    assert len(fit.summary()) == N + MASK.sum()


@pytest.mark.parametrize("method", ["nuts", "laplace", "svi"])
def test_methods_agree_on_a_masked_population(method):
    model = bz.Model("y ~ X", DATA["poisson"], family="poisson", mask={"X": MASK})
    mode = model.fit("map", progress=False)
    options = {"nuts": {"chains": 2, "draws": 400, "tune": 300}}.get(method, {})
    fit = model.fit(method, seed=1, progress=False, **options)
    posterior = fit.idata.posterior
    assert posterior["X"].dims == ("chain", "draw", "X_dim", "neuron")
    assert posterior["Intercept"].dims == ("chain", "draw", "neuron")
    drawn = posterior["X"].values.reshape(-1, 3, N)
    assert (drawn[:, ~MASK] == 0).all()
    shift = (drawn.mean(axis=0) - point(mode, "X"))[MASK] / drawn.std(axis=0)[MASK]
    assert np.abs(shift).max() < 0.35
    assert fit.log_likelihood().dims == ("chain", "draw", "obs", "neuron")


@pytest.mark.parametrize("family", ["negative_binomial", "normal", "gamma", "bernoulli"])
def test_every_neuron_has_scalars_of_its_own(family):
    model = bz.Model("y ~ X", DATA[family], family=family)
    sampled = model.fit("nuts", seed=2, progress=False, chains=2, draws=300, tune=300)
    curved = model.fit("laplace", seed=2, progress=False)
    for name in model.spec.scalars:
        assert sampled.idata.posterior[name].dims == ("chain", "draw", "neuron")
        ours, theirs = (
            np.log(f.idata.posterior[name].values.reshape(-1, N)) for f in (sampled, curved)
        )
        gap = (ours.mean(axis=0) - theirs.mean(axis=0)) / ours.std(axis=0)
        assert np.abs(gap).max() < 0.5
    gap = sampled.summary()["mean"] - curved.summary()["mean"]
    assert (gap.abs() / sampled.summary()["sd"]).max() < 0.6


def stacked(data):
    """The population as a long table, one row per bin and neuron."""
    columns = {f"x{k}": np.repeat(X[:, k], N) for k in range(2)}
    neurons = np.tile([f"n{n}" for n in range(N)], T)
    return pd.DataFrame({"y": data["y"].ravel(), "neuron": neurons, **columns})


def test_pooling_over_neurons_is_the_mixed_model_of_the_stacked_table():
    data = {"y": DATA["poisson"]["y"], "x0": X[:, 0], "x1": X[:, 1]}
    formula = "y ~ x0 + x1 + (1 + x0 | neuron) + (0 + x1 || neuron)"
    flat = {"Intercept": bz.Flat(), "slopes": bz.Flat(), "sds": bz.Flat(low=0)}
    flat["corr(neuron)"] = bz.LKJ(1)
    wide = bz.Model(formula, data, family="poisson", priors=flat)
    long = bz.Model(formula, stacked(data), family="poisson", priors=flat)
    ours, theirs = (m.fit("map", progress=False).summary(groups=True)["mean"] for m in (wide, long))
    ours.index = [name.replace("neuron[", "neuron[n") for name in ours.index]
    theirs = theirs.reindex([n.replace("|neuron[nn", "|neuron[n") for n in ours.index])
    # effects are named alike but for the labels of neurons, which are numbers here
    np.testing.assert_allclose(ours.to_numpy()[:3], theirs.to_numpy()[:3], rtol=1e-4)
    scales = [name for name in ours.index if name.startswith("sd(")]
    assert len(scales) == 3
    np.testing.assert_allclose(ours[scales], theirs[scales], rtol=1e-3, atol=1e-4)


def test_terms_that_are_not_pooled_stay_each_neurons_own():
    data = {"y": DATA["poisson"]["y"], "x": X[:, 0], "z": X[:, 1]}
    model = bz.Model("y ~ x + z + (0 + x | neuron)", data, family="poisson")
    fit = model.fit("map", progress=False)
    dims = {
        name: fit.idata.posterior[name].dims[2:] for name in ("x", "z", "Intercept", "x|neuron")
    }
    assert dims == {"x": (), "z": ("neuron",), "Intercept": ("neuron",), "x|neuron": ("neuron",)}


def test_other_groups_are_shared_by_neurons_unless_crossed_with_them():
    trial = np.repeat(np.arange(20), T // 20)
    data = {"y": DATA["normal"]["y"], "x": X[:, 0], "trial": trial}
    shared = bz.Model("y ~ x + (1 | trial)", data).fit("map", progress=False)
    crossed = bz.Model("y ~ x + (1 | trial:neuron)", data).fit("map", progress=False)
    assert shared.idata.posterior["1|trial"].sizes["trial"] == 20
    assert crossed.idata.posterior["1|trial:neuron"].sizes["trial:neuron"] == 20 * N
    assert shared.predict(data).shape == crossed.predict(data).shape == (1, 1, T, N)


def test_predictions_are_on_the_time_axis_and_saved_fits_predict(tmp_path):
    import xarray as xr

    data = xr.Dataset(
        {"y": (("time", "cell"), DATA["poisson"]["y"]), "x": ("time", X[:, 0])},
        coords={"time": 0.01 * np.arange(T), "cell": list("abcd")},
    )
    model = bz.Model(
        "y ~ conv(x, raised_cos(3, '50ms'))",
        data,
        family="poisson",
        mask={"conv(x, raised_cos(3, '50ms'))": ["a", "c", "d"]},
    )
    fit = model.fit("laplace", progress=False, draws=50)
    found = fit.predict(draws=10)
    assert found.dims == ("chain", "draw", "obs", "cell")
    np.testing.assert_allclose(found["time"], 0.01 * np.arange(5, T))
    assert found["cell"].values.tolist() == list("abcd")
    fit.save(tmp_path / "fit.nc")
    again = bz.load(tmp_path / "fit.nc")
    np.testing.assert_allclose(
        again.predict(data, draws=10), fit.predict(data, draws=10), rtol=1e-12
    )
    assert again.model.spec.mask == model.spec.mask
    response = fit.predict(kind="response", draws=5, seed=3)
    assert response.shape == (1, 5, T - 5, 4) and (response.values >= 0).all()


def test_a_prior_draws_populations():
    model = bz.Model("y ~ X", DATA["poisson"], family="poisson", mask={"X": MASK})
    drawn = model.prior_predictive(20, seed=1)
    assert drawn.prior_predictive["y"].shape == (1, 20, T, N)
    assert (drawn.prior["X"].values.reshape(-1, 3, N)[:, ~MASK] == 0).all()


@pytest.mark.parametrize("method, formula", [("ols", "y ~ X"), ("lme", "y ~ X + (1 | neuron)")])
def test_frequentist_methods_say_that_they_fit_single_responses(method, formula):
    with pytest.raises(bz.BayeszooError, match="fits a single response, but `y` has 4"):
        bz.Model(formula, DATA["normal"]).fit(method, progress=False)


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e9])
def test_units_change_nothing(factor):
    data, scaled = DATA["poisson"], {**DATA["poisson"], "X": X * factor}
    for priors in (FLAT, {}):
        fits = [
            bz.fit("y ~ X", d, family="poisson", method="map", priors=priors, progress=False)
            for d in (data, scaled)
        ]
        ours, theirs = (fit.predict().values for fit in fits)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    if not priors:
        return
    np.testing.assert_allclose(ours.mean(axis=2)[0, 0], data["y"].mean(axis=0), rtol=1e-6)
