"""Kernels: basis times coefficients by hand, for sources, neurons, groups, levels and intervals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

BUMPS = "raised_cos_log(5, 20)"


def basis(n, window):
    """The definition of NeMoS's RaisedCosineLogEval(n, width=2, time_scaling=50), by hand."""
    x = np.log1p(50 * np.linspace(0, 1, window)) / np.log(51)
    peaks = np.linspace(0, 1 - 2 / (n + 1), n)
    angle = np.pi * (x[:, None] - peaks) / (2 * (peaks[1] - peaks[0]))
    return 0.5 * (1 + np.cos(np.clip(angle, -np.pi, np.pi)))


def with_draws(fit, seed=0, count=50):
    """A fit with many draws round the mode, as a sampler would give."""
    rng = np.random.default_rng(seed)
    natural = {
        name: np.asarray(a) * (1 + 0.1 * rng.standard_normal((2, count, *np.shape(a)[2:])))
        for name, a in fit.draws.natural.items()
    }
    backend = replace(fit.backend, point=False)
    return bz.Fit(fit.model, backend, replace(fit.draws, natural=natural), fit.info)


@pytest.fixture(scope="module")
def cell():
    data = bz.datasets.lnp_cell(3000, seed=1)[0]
    data["context"] = np.where(np.arange(3000) // 100 % 2, "b", "a")
    data["speed"] = np.linspace(0, 1, 3000)
    return data


@pytest.fixture(scope="module")
def population():
    return bz.datasets.population(3, 3000, seed=2)


def test_one_filter_in_bins_and_seconds(cell):
    term = f"conv(stim, {BUMPS})"
    fit = with_draws(
        bz.fit(f"spikes ~ {term}", cell, family="poisson", method="map", progress=False)
    )
    table = fit.kernels(prob=0.8)
    assert list(table) == ["term", "lag", "seconds", "mean", "lower", "upper"]
    assert (table["term"] == term).all()
    assert table["lag"].tolist() == list(range(1, 21))
    np.testing.assert_allclose(table["seconds"], table["lag"] / 120, rtol=1e-12)
    drawn = fit.idata.posterior[term].to_numpy().reshape(-1, 5) @ basis(5, 20).T
    np.testing.assert_allclose(table["mean"], drawn.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(table["lower"], np.quantile(drawn, 0.1, axis=0), atol=1e-12)
    np.testing.assert_allclose(table["upper"], np.quantile(drawn, 0.9, axis=0), atol=1e-12)


def test_the_filter_of_a_cell_is_found_again(cell):
    data, truth = bz.datasets.lnp_cell(20_000, lags=6, seed=3)
    fit = bz.fit(truth["formula"], data, family="poisson", method="glm", progress=False)
    table = fit.kernels()
    assert table["lag"].tolist() == list(range(6))
    inside = (table["lower"] < truth["filter"]) & (truth["filter"] < table["upper"])
    assert inside.sum() >= 5
    summary = fit.summary().filter(like="lags", axis=0)
    np.testing.assert_allclose(table["mean"], summary["mean"], rtol=1e-12)  # exact, not of draws


def test_an_estimate_has_no_interval_and_no_time_axis_no_seconds(cell):
    data = cell.drop(columns="time")
    fit = bz.fit("spikes ~ lags(stim, 3)", data, family="poisson", method="map", progress=False)
    table = fit.kernels()
    assert list(table) == ["term", "lag", "mean", "lower", "upper"]
    assert table[["lower", "upper"]].isna().all(axis=None)
    posterior = fit.idata.posterior["lags(stim, 3)"][0, 0]
    np.testing.assert_allclose(table["mean"], posterior, atol=1e-15)


def test_lags_that_lie_ahead(cell):
    formula = "spikes ~ conv(stim, bspline(4, 7), lag=-3)"
    fit = bz.fit(formula, cell, family="poisson", method="map", progress=False)
    assert fit.kernels()["lag"].tolist() == list(range(-3, 4))


def test_every_neuron_and_source_with_masks(population):
    data, truth = population
    coupling = f"conv(spikes, {BUMPS})"
    mask = {coupling: truth["mask"]}
    model = bz.Model(truth["formula"], data, family="poisson", mask=mask)
    fit = with_draws(model.fit("map", progress=False))
    table = fit.kernels().set_index(["term", "source", "neuron"])
    coefs = fit.idata.posterior[coupling].mean(("chain", "draw")).to_numpy().reshape(3, 5, 3)
    names = list(data["neuron"].to_numpy())
    for s, source in enumerate(names):
        for n, neuron in enumerate(names):
            if not truth["mask"][s, n]:
                assert (coupling, source, neuron) not in table.index
                continue
            mean = table.loc[(coupling, source, neuron), "mean"]
            np.testing.assert_allclose(mean, basis(5, 20) @ coefs[s, :, n], atol=1e-12)
    stim = table.loc[f"conv(stim, {BUMPS})"].reset_index()
    assert stim["source"].isna().all() and stim["neuron"].unique().tolist() == names
    assert (table["lower"] <= table["upper"]).all()


def test_pooled_filters_are_common_plus_deviation(population):
    data, _ = population
    term = "conv(stim, bspline(4, 10))"
    formula = f"spikes ~ {term} + (0 + {term} || neuron)"
    fit = bz.fit(formula, data, family="poisson", method="map", progress=False)
    table = fit.kernels()
    posterior = fit.idata.posterior
    common = table[table["neuron"].isna()]
    assert len(common) == 10 and len(table) == 40
    np.testing.assert_allclose(
        common["mean"], posterior[term][0, 0].to_numpy() @ _bspline(4, 10).T, atol=1e-12
    )
    for i, neuron in enumerate(data["neuron"].to_numpy()):
        own = posterior[term].to_numpy()[0, 0] + posterior[f"{term}|neuron"].to_numpy()[0, 0, i]
        found = table.loc[table["neuron"] == neuron, "mean"]
        np.testing.assert_allclose(found, own @ _bspline(4, 10).T, atol=1e-12)


def _bspline(n, window):
    from scipy.interpolate import BSpline

    inner = np.linspace(0, 1, n - 2)
    knots = np.concatenate([[0] * 3, inner, [1] * 3])
    grid = np.linspace(0, 1, window)
    grid[-1] = 1 - 1e-12
    return BSpline.design_matrix(grid, knots, 3).toarray()


def test_levels_of_an_interaction_with_the_factor_on_either_side(cell):
    kernels = {}
    for term in (f"conv(stim, {BUMPS}):context", f"context:conv(stim, {BUMPS}):speed"):
        fit = bz.fit(f"spikes ~ {term}", cell, family="poisson", method="map", progress=False)
        table = kernels[term] = fit.kernels()
        coefs = fit.idata.posterior[term][0, 0]
        labels = [str(label) for label in coefs.coords[coefs.dims[0]].to_numpy()]
        assert table["level"].unique().tolist() == ["a", "b"]
        for level in ("a", "b"):
            own = coefs.to_numpy()[[level in label.split(", ") for label in labels]]
            found = table.loc[table["level"] == level, "mean"]
            np.testing.assert_allclose(found, basis(5, 20) @ own, atol=1e-12)


def test_beside_a_main_effect_a_level_is_a_difference(cell):
    formula = f"spikes ~ conv(stim, {BUMPS}) * context"
    fit = bz.fit(formula, cell, family="poisson", method="map", progress=False)
    table = fit.kernels()
    assert table["level"].dropna().unique().tolist() == ["b"]
    rows = pd.DataFrame({"stim": np.eye(60)[10], "context": "b", "time": np.arange(60) / 120})
    linear = fit.predict(rows, kind="linear")[0, 0].to_numpy()
    rest = fit.predict(rows.assign(stim=0.0), kind="linear")[0, 0].to_numpy()
    total = table.groupby("lag")["mean"].sum()  # the response to one impulse in bin 10
    np.testing.assert_allclose((linear - rest)[20:31], total.reindex(range(10, 21)), atol=1e-12)


def test_clear_refusals(cell):
    fit = bz.fit("spikes ~ stim", cell, family="poisson", method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match="no temporal term"):
        fit.kernels()
    with pytest.raises(bz.BayeszooError, match="prob= takes a number between 0 and 1"):
        fit.kernels(prob=95)
