"""LOO and WAIC in blocks of rows against ArviZ on the whole array."""

import warnings

import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp

import bayeszoo as bz
from bayeszoo.errors import OptionError
from bayeszoo.inference.backend import Draws
from bayeszoo.inference.backends import find_backend
from bayeszoo.inference.fit import Fit
from bayeszoo.inference.idata import load_arviz
from bayeszoo.inference.information import loo, waic
from bayeszoo.inference.psis import fit_pareto, leave_one_out, tail_length

CHAINS, DRAWS, ROWS = 2, 150, 61


def reference(criterion, fit, **options):
    fit.log_likelihood()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(load_arviz(), criterion)(fit.idata, pointwise=True, **options)


def agree(found, expected):
    expected = expected.rename({"waic": "elpd_waic"})
    assert list(found.index) == list(expected.index)
    for name, value in expected.items():
        if isinstance(value, xr.DataArray):
            xr.testing.assert_allclose(found[name], value, rtol=1e-10, atol=1e-10)
            assert found[name].name == value.name
        elif isinstance(value, str):
            assert found[name] == value
        else:
            assert found[name] == pytest.approx(value, rel=1e-10, abs=1e-10)


@pytest.fixture(scope="module")
def normal():
    """A model with a group effect, and draws that stand for those of Markov chains."""
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=ROWS), "g": np.arange(ROWS) % 4}
    data["y"] = data["x"] + rng.standard_t(2, size=ROWS)
    model = bz.Model("y ~ x + (1 | g)", data)
    natural = {
        "mu.coefficients": rng.normal([0.0, 1.0], 0.2, (CHAINS, DRAWS, 2)),
        "mu.group0.sd": rng.gamma(2.0, size=(CHAINS, DRAWS, 1)),
        "mu.group0.effects": rng.normal(0, 0.2, (CHAINS, DRAWS, 4, 1)),
        "sigma": rng.gamma(40, 0.03, (CHAINS, DRAWS)),
    }
    for name, array in natural.items():  # neighbouring draws resemble each other
        natural[name] = (array + np.roll(array, 1, axis=1)) / 2
    return Fit(model, find_backend("nuts"), Draws(natural), {})


@pytest.fixture(scope="module")
def population():
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=40), "spikes": rng.poisson(0.7, (40, 3))}
    return bz.fit("spikes ~ x", data, family="poisson", method="laplace", draws=80, progress=False)


@pytest.mark.parametrize("block", [5 * CHAINS * DRAWS, 4_000_000])
@pytest.mark.parametrize("criterion", [loo, waic])
def test_blocks_give_the_numbers_of_arviz(normal, criterion, block):
    agree(criterion(normal, block=block), reference(criterion.__name__, normal))


@pytest.mark.parametrize("block", [1, 4_000_000])
@pytest.mark.parametrize("criterion, options", [(loo, {"reff": 1.0}), (waic, {})])
def test_neurons_are_cells_of_their_own(population, criterion, options, block):
    found = criterion(population, block=block)
    agree(found, reference(criterion.__name__, population, **options))


@pytest.mark.parametrize("scale", ["log", "negative_log", "deviance"])
def test_options(normal, scale):
    agree(normal.loo(scale=scale, reff=0.7), reference("loo", normal, scale=scale, reff=0.7))
    agree(normal.waic(scale=scale), reference("waic", normal, scale=scale))
    short = normal.loo(pointwise=False)
    assert "loo_i" not in short and short["elpd_loo"] == normal.loo()["elpd_loo"]


def test_arviz_compares_and_prints_the_results(normal, population):
    results = {"a": normal.loo(), "b": normal.loo(reff=0.5)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = load_arviz().compare(results)
    assert set(table.index) == {"a", "b"}
    assert "elpd_loo" in str(population.loo()) and "elpd_waic" in str(population.waic())


def test_refuses_what_has_no_draws(normal):
    point = bz.fit("y ~ x", {"y": [1.0, 2, 4], "x": [0.0, 1, 2]}, method="map", progress=False)
    with pytest.raises(OptionError, match='method "map" gave one estimate'):
        point.loo()
    with pytest.raises(OptionError, match="scale= takes"):
        normal.waic(scale="logarithm")
    with pytest.raises(OptionError, match="reff= takes"):
        normal.loo(reff=0)


def smoothed(logs, tail_of):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arviz = load_arviz()
        weights, k = arviz.psislw(-logs, tail_of)
    return logsumexp(weights + logs, axis=1), k


@pytest.mark.parametrize("reff", [0.3, 1.0])
@pytest.mark.parametrize("samples", [20, 400])
def test_tails_of_all_kinds(samples, reff):
    rng = np.random.default_rng(samples)
    logs = np.stack(
        [
            rng.normal(size=samples),
            -np.sort(rng.exponential(3.0, samples)),
            -3 * np.log(rng.pareto(0.7, samples)),
            np.round(rng.normal(size=samples), 1),  # ties
            np.where(np.arange(samples) < 3, -5.0, 1.0),  # too few in the tail
            np.full(samples, -2.0),
            1e-3 * rng.normal(size=samples) - 1e4,
            800.0 * rng.normal(size=samples),
        ]
    )
    expected, shape = smoothed(logs, reff)
    found, k = leave_one_out(logs, tail_length(samples, reff))
    np.testing.assert_allclose(k, shape, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def test_the_shape_of_a_pareto_tail_is_found():
    u = (np.arange(4000) + 0.5) / 4000
    truth, scale = np.array([-0.3, 0.2, 0.9]), 2.0
    excess = scale * ((1 - u[None]) ** -truth[:, None] - 1) / truth[:, None]
    k, found = fit_pareto(excess)
    np.testing.assert_allclose(k, truth, atol=0.02)
    np.testing.assert_allclose(found, scale, rtol=0.02)


def test_impossible_rows_are_marked():
    logs = np.zeros((2, 50))
    logs[0, 7] = -np.inf
    elpd, k = leave_one_out(logs, 10)
    assert np.isnan(elpd[0]) and elpd[1] == pytest.approx(0, abs=1e-12) and np.isinf(k).all()
