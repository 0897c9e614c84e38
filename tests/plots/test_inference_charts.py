"""Charts of inference: traces, comparisons, ROC curves. The tables against hand calculations."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz


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
def model():
    data, _ = bz.datasets.lfp(mice=4, trials=20, seed=3)
    return bz.Model("log(Power) ~ stim + (1 | mouse)", data)


@pytest.fixture(scope="module")
def chains(model):
    fit = model.fit("nuts", progress=False, draws=100, tune=200, chains=2)
    fit.draws.stats["diverging"][1, [3, 50]] = True
    return fit


def test_trace_has_values_and_ranks_of_every_chain(chains):
    table = bz.plot.trace_data(chains)
    one = table[(table["parameter"] == "stim") & (table["chain"] == 1)]
    values = chains.idata.posterior["stim"]
    np.testing.assert_allclose(one["value"], values.sel(chain=1), rtol=1e-12)
    flat = values.to_numpy().ravel()
    ranks = (flat[:, None] >= flat[None, :]).mean(axis=1)
    np.testing.assert_allclose(table.loc[table["parameter"] == "stim", "rank"], ranks, rtol=1e-12)
    assert one.loc[one["diverging"], "draw"].tolist() == [3, 50]


def test_trace_marks_divergences(chains):
    spec = drawn(bz.plot.trace(chains))
    assert len(spec["vconcat"]) == len(chains.summary())
    assert "2 divergent transitions" in heading(spec)
    ticks = [
        layer
        for layer in spec["vconcat"][0]["hconcat"][0]["layer"]
        if layer["mark"]["type"] == "tick"
    ]
    assert len(ticks) == 1
    single = drawn(bz.plot.trace(chains, "stim"))
    assert len(single["vconcat"]) == 1
    with pytest.raises(bz.BayeszooError, match="no parameter 'stimm'"):
        bz.plot.trace(chains, "stimm")


def test_trace_of_svi_is_its_elbo_and_of_others_a_clear_message(model, tmp_path):
    fit = model.fit("svi", progress=False, draws=50)
    table = bz.plot.trace_data(fit)
    np.testing.assert_array_equal(table["elbo"], fit.draws.trace)
    assert "Course of the optimisation" in heading(drawn(bz.plot.trace(fit)))
    fit.save(tmp_path / "fit.nc")
    loaded = bz.plot.trace_data(bz.load(tmp_path / "fit.nc"))
    pd.testing.assert_frame_equal(loaded, table)
    for method in ("map", "lme"):
        with pytest.raises(bz.BayeszooError, match=f'"{method}" gives estimates without chains'):
            bz.plot.trace(model.fit(method, progress=False))


def test_compare_draws_scores_and_differences(model):
    data = bz.datasets.lfp(mice=4, trials=20, seed=3)[0]
    fits = {
        "mice": model.fit("laplace", progress=False, draws=300),
        "no mice": bz.fit("log(Power) ~ stim", data, method="laplace", progress=False, draws=300),
    }
    table = bz.compare(fits)
    found = bz.plot.compare_data(table).set_index("model")
    assert found.index[0] == "mice"
    np.testing.assert_allclose(found["value"], table["elpd_loo"])
    np.testing.assert_allclose(found["upper"] - found["value"], table["se"])
    np.testing.assert_allclose(
        found.loc["no mice", "difference"], -table.loc["no mice", "elpd_diff"]
    )
    spread = found["difference_upper"] - found["difference"]
    np.testing.assert_allclose(spread, table["dse"])
    assert "PSIS-LOO" in heading(drawn(bz.plot.compare(table)))
    deviance = bz.compare(fits, scale="deviance")
    turned = bz.plot.compare_data(deviance).set_index("model")
    shifted = turned["value"].iloc[0] + turned["difference"]
    np.testing.assert_allclose(shifted, deviance["elpd_loo"])
    drawn(bz.plot.compare(fits, by="waic"))


def test_compare_by_aic_has_no_errors_to_draw():
    data, _ = bz.datasets.lfp(mice=3, trials=10)
    fits = {
        f: bz.fit(f, data, method="ols", progress=False) for f in ("Power ~ stim", "Power ~ mouse")
    }
    table = bz.plot.compare_data(fits)
    assert table["difference"].tolist()[0] == 0
    assert table["lower"].isna().all()
    drawn(bz.plot.compare(fits))
    with pytest.raises(bz.BayeszooError, match="columns a"):
        bz.plot.compare(pd.DataFrame({"a": [1]}))


@pytest.fixture(scope="module")
def study():
    methods = {
        "ols": {"formula": "log(Power) ~ stim", "method": "ols"},
        "mice": {"formula": "log(Power) ~ stim + mouse", "method": "ols", "term": "stim"},
    }
    return bz.power(
        bz.datasets.lfp, methods, n=12, effects=[0, 0.2, 0.6], mice=3, trials=10, progress=False
    )


def test_roc_has_the_area_of_each_curve(study):
    table = bz.plot.roc_data(study)
    for (method, effect), part in table.groupby(["method", "effect"]):
        x, y = part["false_positive"].to_numpy(), part["true_positive"].to_numpy()
        area = np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)  # scores without ties
        assert part["auc"].iloc[0] == pytest.approx(area, abs=1e-12)
        assert part["auc"].iloc[0] == study.auc()[(method, effect)]
    spec = drawn(bz.plot.roc(study, alpha=0.05))
    assert len(spec["hconcat"]) == 3
    area = study.auc()[("mice", 0.6)]
    assert f"mice: {area:.3f}" in str(spec["hconcat"][1]["layer"])
    assert "12 simulated data sets" in heading(spec)


def test_roc_tells_power_with_wilsons_interval(study):
    from statsmodels.stats.proportion import proportion_confint

    from bayeszoo.plots.charts.roc import power_table

    table = power_table(study, 0.05)
    for row in table.itertuples():
        assert row.share == study.power(0.05).loc[row.method, row.effect]
        low, high = proportion_confint(row.share * row.datasets, row.datasets, method="wilson")
        assert (row.lower, row.upper) == pytest.approx((low, high), abs=1e-9)


def test_roc_takes_a_study_alone():
    with pytest.raises(bz.BayeszooError, match=r"takes the study that bz.power returns, not list"):
        bz.plot.roc([1])
