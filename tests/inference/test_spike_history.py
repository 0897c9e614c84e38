"""A refractory cell: the filter of its own spikes, and the KS test that sees when it is left out."""

import numpy as np
import pytest

import bayeszoo as bz

CURRENT, HISTORY = "conv(current, raised_cos_log(8, 200))", "conv(spikes, raised_cos_log(5, 20))"


@pytest.fixture(scope="module")
def cell():
    return bz.datasets.current_injection(seed=3, refractory=True)


@pytest.mark.parametrize("method", ["laplace", pytest.param("nuts", marks=pytest.mark.slow)])
def test_the_history_filter_is_negative_at_short_lags_and_covers_the_truth(cell, method):
    data, truth = cell
    model = bz.Model(f"spikes ~ {CURRENT} + {HISTORY}", data, family="poisson")
    options = {"chains": 2, "tune": 400, "draws": 500} if method == "nuts" else {}
    fit = model.fit(method, seed=1, progress=False, **options)
    kernels = fit.kernels(prob=0.98).set_index("term")
    history = kernels.loc[HISTORY]
    assert history["lag"].tolist() == list(range(1, 21))
    assert (history["mean"].iloc[:5] < -0.5).all()
    assert (history["upper"].iloc[3:6] < 0).all()  # earlier lags hold too few spikes for a bound
    np.testing.assert_allclose(history["seconds"], 0.001 * np.arange(1, 21), rtol=1e-9)
    for name, true in ((HISTORY, truth["history_kernel"]), (CURRENT, truth["kernel"])):
        found = kernels.loc[name]
        inside = (found["lower"].to_numpy() <= true) & (true <= found["upper"].to_numpy())
        assert inside.mean() > 0.9, (name, inside.mean())
    rescaled = fit.rescaling(seed=1)
    assert rescaled.p_value > 0.05 and rescaled.statistic < rescaled.band


def test_without_history_the_intervals_are_not_those_of_the_model(cell):
    data, _ = cell
    fit = bz.fit(f"spikes ~ {CURRENT}", data, family="poisson", method="map", progress=False)
    rescaled = fit.rescaling(seed=1)
    assert rescaled.p_value < 0.01 and rescaled.statistic > rescaled.band
