"""Charts of time series: kernels, rates, rasters, masks. The tables against hand calculations."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

BUMPS = "raised_cos_log(5, 20)"


def drawn(chart):
    """The chart's JSON; drawn to SVG, so that Vega accepts it too."""
    import vl_convert

    spec = chart.to_dict()
    assert vl_convert.vegalite_to_svg(spec).startswith("<svg")
    return spec


def heading(spec):
    title = spec["title"]
    return " ".join(title["text"]) + " " + " ".join(title["subtitle"])


@pytest.fixture(scope="module")
def cell():
    data, truth = bz.datasets.lnp_cell(bins=1500, lags=8)
    fit = bz.fit(
        truth["formula"], data, family="poisson", method="laplace", progress=False, draws=200
    )
    return data, truth, fit


@pytest.fixture(scope="module")
def population():
    data, truth = bz.datasets.population(3, 3000, seed=2)
    mask = {f"conv(spikes, {BUMPS})": truth["mask"]}
    model = bz.Model(truth["formula"], data, family="poisson", mask=mask)
    return data, truth, model.fit("map", progress=False)


def test_kernels_are_those_of_the_fit_and_gains_are_their_exponentials(cell):
    _, truth, fit = cell
    table = bz.plot.kernels_data(fit, prob=0.8, truth=truth["filter"])
    expected = fit.kernels(0.8)
    for name in ("lag", "seconds", "mean", "lower", "upper"):
        np.testing.assert_allclose(table[name], expected[name], rtol=1e-12)
    np.testing.assert_allclose(table["truth"], truth["filter"], rtol=1e-12)
    gains = bz.plot.kernels_data(fit, prob=0.8, gain=True, truth=truth["filter"])
    np.testing.assert_allclose(gains["upper"], np.exp(expected["upper"]), rtol=1e-12)
    np.testing.assert_allclose(gains["truth"], np.exp(truth["filter"]), rtol=1e-12)


def test_kernels_of_several_fits_have_a_colour_each(cell):
    _, _, fit = cell
    other = fit.model.fit("map", progress=False)
    chart = bz.plot.kernels({"laplace": fit, "map": other}, gain=True)
    spec = drawn(chart)
    assert "95% credible intervals" in heading(spec)
    bands = [layer for layer in spec["layer"] if layer["mark"]["type"] == "area"]
    assert len(bands) == 1
    assert bands[0]["encoding"]["color"]["field"] == "fit"
    assert bands[0]["encoding"]["y"]["scale"]["type"] == "log"
    drawn(chart | chart)
    drawn(chart & chart)


def test_kernels_of_a_population_have_a_panel_per_source_and_neuron(population):
    _, truth, fit = population
    known = {"stim": truth["stim_kernel"], "spikes": truth["coupling_kernel"]}
    table = bz.plot.kernels_data(fit, truth=known)
    row = table[(table["source"] == "n02") & (table["neuron"] == "n01")]
    if not len(row):  # masked in this simulation: its own history never is
        row = table[(table["source"] == "n02") & (table["neuron"] == "n02")]
    source, neuron = (int(row[name].iloc[0][1:]) - 1 for name in ("source", "neuron"))
    np.testing.assert_allclose(row["truth"], truth["coupling_kernel"][source, :, neuron])
    both = drawn(bz.plot.kernels(fit, truth=known))
    assert len(both["hconcat"]) == 2
    spec = drawn(bz.plot.kernels(fit, term="spikes"))
    assert spec["facet"]["row"]["field"] == "source"
    assert spec["facet"]["column"]["field"] == "neuron"
    rows = next(iter(spec["datasets"].values()))
    present = {(r["source"], r["neuron"]) for r in rows}
    labels = ["n01", "n02", "n03"]  # masked ones too: Vega misplaces panels that are missing
    assert present == {(a, b) for a in labels for b in labels}
    few = drawn(bz.plot.kernels(fit, term="spikes", panels=2))
    assert "2 of 3 sources drawn" in heading(few)


def test_kernels_refuse_what_does_not_fit(cell, population):
    _, truth, fit = cell
    with pytest.raises(bz.BayeszooError, match=r"truth= of .* has shape \(3,\)"):
        bz.plot.kernels(fit, truth=[1.0, 2.0, 3.0])
    with pytest.raises(bz.BayeszooError, match=r"takes a dictionary from terms"):
        bz.plot.kernels(population[2], truth=truth["filter"])
    with pytest.raises(bz.BayeszooError, match=r"no temporal term 'stimm'.*Nearest: `stim`"):
        bz.plot.kernels(fit, term="stimm")
    data = {"y": np.arange(30.0), "x": np.sin(np.arange(30.0))}
    plain = bz.fit("y ~ lags(x, 3)", data, method="ols", progress=False)
    with pytest.raises(bz.BayeszooError, match=r"gain=True draws factors.*`identity`"):
        bz.plot.kernels(plain, gain=True)
    assert "Lag (bins)" in str(drawn(bz.plot.kernels(plain)))


def test_rates_pool_draws_and_counts_in_cells_of_time(cell):
    data, _, fit = cell
    table = bz.plot.rates_data(fit, cells=15)
    assert len(table) == 15
    rates = fit.rates().to_numpy().reshape(200, 15, 100).mean(axis=2)
    np.testing.assert_allclose(table["fitted"], np.median(rates, axis=0), rtol=1e-9)
    np.testing.assert_allclose(table["upper"], np.quantile(rates, 0.975, axis=0), rtol=1e-9)
    counts = data["spikes"].to_numpy().reshape(15, 100).mean(axis=1)
    np.testing.assert_allclose(table["observed"], counts * 120, rtol=1e-9)
    assert (table["rows"] == 100).all()


def test_rates_of_a_window_and_of_stacked_trials(cell):
    data, _, fit = cell
    window = bz.plot.rates_data(fit, window=(2, 3))
    assert len(window) == 120
    assert window["time"].between(2, 3, inclusive="left").all()
    stacked = data.assign(time=np.tile(np.arange(150) / 120, 10), trial=np.repeat(range(10), 150))
    formula = "spikes ~ lags(stim, 8, by=trial)"
    other = bz.fit(formula, stacked, family="poisson", method="map", progress=False)
    trials = bz.plot.rates_data(other)
    assert len(trials) == 150
    assert trials.attrs["note"].startswith("mean of 10 trials")
    expected = stacked.groupby("time")["spikes"].mean() * 120
    np.testing.assert_allclose(trials["observed"], expected, rtol=1e-9)
    spec = drawn(bz.plot.rates(fit, window=(2, 3)))
    assert "Rate (Hz)" in str(spec["layer"])
    with pytest.raises(bz.BayeszooError, match=r"holds no row; the rows run from 0 to"):
        bz.plot.rates(fit, window=(50, 60))


def test_rates_over_a_column_are_tuning_curves(cell):
    data, _, fit = cell
    table = bz.plot.rates_data(fit, over="stim", cells=10)
    assert table["rows"].between(149, 151).all()
    order = np.argsort(data["stim"].to_numpy(), kind="stable")
    lowest = data["spikes"].to_numpy()[order[: int(table["rows"].iloc[0])]] * 120.0
    np.testing.assert_allclose(table["observed"].iloc[0], lowest.mean(), rtol=1e-9)
    error = lowest.std(ddof=1) / np.sqrt(len(lowest))
    np.testing.assert_allclose(table["observed_se"].iloc[0], error, rtol=1e-9)
    drawn(bz.plot.rates(fit, over="stim"))
    with pytest.raises(bz.BayeszooError, match=r"over= takes the name of a column.*`stim`"):
        bz.plot.rates(fit, over="stimm")


def test_rates_of_many_rows_and_neurons_stay_within_altairs_limit(population):
    spec = drawn(bz.plot.rates(population[2]))
    assert sum(len(rows) for rows in spec["datasets"].values()) <= 5000
    assert spec["facet"]["field"] == "neuron"


def test_rates_of_other_families_are_means():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    data = {"time": np.arange(300) / 10, "x": x, "y": np.convolve(x, [1, 0.5])[:300]}
    fit = bz.fit("y ~ lags(x, 3)", data, method="ols", progress=False, draws=50)
    table = bz.plot.rates_data(fit)
    np.testing.assert_allclose(table["observed"], data["y"], rtol=1e-9)
    assert table.attrs["unit"] == "mean of y"
    drawn(bz.plot.rates(fit))


def test_raster_has_a_row_per_event(population):
    data, _, fit = population
    table = bz.plot.raster_data(data)
    spikes = data["spikes"].to_numpy()
    assert int(table["count"].sum()) == int(spikes.sum())
    assert len(table) == int((spikes > 0).sum())
    ours = table[table["row"] == "n02"]
    np.testing.assert_allclose(ours["time"], data["time"].to_numpy()[spikes[:, 1] > 0])
    pd.testing.assert_frame_equal(table, bz.plot.raster_data(fit))
    spec = drawn(bz.plot.raster(data, window=(0, 5), stimulus="stim"))
    assert len(spec["vconcat"]) == 2
    assert f"{int(spikes[:500].sum()):,} events" in heading(spec)


def test_raster_of_trials_in_a_long_table():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "time": np.tile(np.arange(50) / 100, 6),
            "trial": np.repeat([f"t{i}" for i in range(6)], 50),
            "spikes": rng.poisson(0.2, 300),
        }
    )
    named = bz.plot.raster_data(data, by="trial")
    assert named.groupby("row")["count"].sum().to_dict() == (
        data.groupby("trial")["spikes"].sum().to_dict()
    )
    told = bz.plot.raster_data(data)  # the clock restarts
    assert told["row"].nunique() == 6
    assert drawn(bz.plot.raster(data, by="trial"))["encoding"]["y"]["title"] == "trial"


def test_raster_of_very_many_events_draws_the_first():
    counts = np.ones((4000, 3))
    spec = drawn(bz.plot.raster(counts))
    assert "the first 1499 bins drawn" in heading(spec)
    assert max(len(rows) for rows in spec["datasets"].values()) <= 5000


def test_masks_tell_who_uses_what(population):
    _, truth, fit = population
    table = bz.plot.masks_data(fit.model)
    coupled = table[table["source"].notna()].pivot(index="source", columns="neuron", values="used")
    np.testing.assert_array_equal(coupled.to_numpy(bool), truth["mask"])
    effects = bz.plot.masks_data(fit)
    summed = fit.kernels().groupby(["term", "source", "neuron"], dropna=False)["mean"].sum()
    for row in effects[effects["used"]].itertuples():
        wanted = (summed.index.get_level_values("term") == row.term) & (
            summed.index.get_level_values("neuron") == row.neuron
        )
        if isinstance(row.source, str):
            wanted &= summed.index.get_level_values("source") == row.source
        assert summed[wanted].item() == pytest.approx(row.effect, rel=1e-12)
    assert effects.loc[~effects["used"], "effect"].isna().all()
    assert len(drawn(bz.plot.masks(fit))["hconcat"]) == 2


def test_names_that_vega_takes_for_paths_are_drawn():
    rng = np.random.default_rng(2)
    data = {"time": np.arange(80) / 10, "a.b[1]": rng.normal(size=80), "n": rng.poisson(2.0, 80)}
    fit = bz.fit("n ~ lags(`a.b[1]`, 2)", data, family="poisson", method="map", progress=False)
    drawn(bz.plot.kernels(fit))
    spec = drawn(bz.plot.rates(fit, over="a.b[1]"))
    assert "a.b[1]" in str(spec["layer"])
    drawn(bz.plot.raster(data, "n", stimulus="a.b[1]"))
