"""Every guide fits; minibatches give the same answer; convergence is judged, not assumed."""

import numpy as np
import pytest

import bayeszoo as bz


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    g = np.repeat(np.arange(10), 40)
    y = rng.poisson(np.exp(0.5 + 0.4 * x + rng.normal(0, 0.4, 10)[g]))
    return bz.Model("y ~ x + (1 | g)", {"y": y, "x": x, "g": g}, family="poisson")


@pytest.fixture(scope="module")
def nuts(model):
    return model.fit("nuts", seed=1, progress=False).summary()


@pytest.mark.parametrize("guide", ["normal", "multivariate", "lowrank", "laplace", "iaf"])
def test_guides(model, nuts, guide):
    fit = model.fit("svi", guide=guide, seed=1, progress=False)
    table = fit.summary()
    assert fit.draws.converged
    assert abs(table.loc["x", "mean"] - nuts.loc["x", "mean"]) < 0.5 * nuts.loc["x", "sd"]
    assert abs(table.loc["Intercept", "mean"] - nuts.loc["Intercept", "mean"]) < (
        0.6 * nuts.loc["Intercept", "sd"]
    )
    if guide != "laplace":
        trace = fit.draws.trace
        assert trace[-250:].mean() > trace[:250].mean()


def test_minibatches(model, nuts):
    fit = model.fit("svi", batch_size=100, seed=1, progress=False)
    table = fit.summary()
    assert abs(table.loc["x", "mean"] - nuts.loc["x", "mean"]) < nuts.loc["x", "sd"]


def test_too_few_steps_are_reported(model):
    fit = model.fit("svi", max_steps=500, progress=False)
    assert any("did not converge" in finding for finding in fit.diagnose())
