"""Blocks of many neurons: their density is that of the natural coefficients in any coordinates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.zoo.density import log_density, natural, site_shapes
from bayeszoo.zoo.population import LocalScales, PopulationBlock

RNG = np.random.default_rng(0)
T, N = 80, 3
X = RNG.normal(size=(T, 4)) @ np.array(
    [[1, 0.9, 0, 0], [0, 1, 0.5, 0], [0, 0, 1, 0], [0, 0, 0, 9.0]]
)
DATA = {"y": RNG.poisson(1.5, (T, N)).astype(float), "X": X + 3.0, "z": RNG.normal(size=T)}
MASK = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
PRIORS = {
    "default": {},
    "ridge": {"slopes": bz.Ridge(0.1)},
    "group": {"X": bz.GroupLasso(0.1), "z": bz.Lasso(0.2)},
    "per neuron": {"z": bz.Normal([0.0, 0.1, 0.2], 1.0), "Intercept": bz.Normal(0, 3)},
    "bounded": {"z": bz.HalfNormal(1.0)},
    "smooth": {"X": bz.Smooth(0.3)},
}


def block_of(priors, mask):
    model = bz.Model("y ~ X + z", DATA, family="poisson", priors=priors, mask=mask)
    shape, numbers = model.spec.structure.predictors[0].own, model.numbers["mu"]["own"]
    return PopulationBlock(shape, **numbers), model


@pytest.mark.parametrize("mask", [None, MASK], ids=["full", "masked"])
@pytest.mark.parametrize("name", PRIORS)
def test_the_density_is_that_of_the_natural_coefficients(name, mask):
    with jax.enable_x64(True):
        block, model = block_of(PRIORS[name], mask)
        raw = jnp.asarray(np.random.default_rng(1).normal(size=block.event_shape))
        found = block.natural(raw)
        free = np.ones((6, N), bool) if mask is None else np.vstack([np.ones((1, N), bool), mask])
        assert (np.asarray(found)[~free] == 0).all()
        places = np.flatnonzero(free.ravel())
        flat = jax.jacobian(lambda r: block.natural(r).ravel()[places])(raw)
        volume = np.linalg.slogdet(np.asarray(flat).reshape(len(places), -1))[1]
        still = PopulationBlock(
            model.spec.structure.predictors[0].own, **model.numbers["mu"]["own"], jacobian=False
        )
        assert float(block.log_prob(raw)) == pytest.approx(float(still.log_prob(raw)) + volume)


@pytest.mark.parametrize("mask", [None, MASK], ids=["full", "masked"])
@pytest.mark.parametrize("name", [name for name in PRIORS if name != "smooth"])
def test_samples_follow_the_priors(name, mask):
    with jax.enable_x64(True):
        block, _ = block_of(PRIORS[name], mask)
        keys = jax.random.split(jax.random.PRNGKey(3), 4000)
        drawn = np.asarray(jax.vmap(lambda k: block.natural(block.sample(k)))(keys))
        means = np.asarray(block.lean)
    free = np.ones((6, N), bool) if mask is None else np.vstack([np.ones((1, N), bool), mask])
    assert (drawn[:, ~free] == 0).all()
    level = drawn[:, 0] + np.einsum("p,spn->sn", means, drawn)
    assert np.isfinite(drawn).all()
    start = 0
    for prior, size in zip(block.priors, block.sizes, strict=True):
        part = level[:, None] if start == 0 else drawn[:, start : start + size]
        used = free[start : start + size]
        if not prior.event_shape:
            with jax.enable_x64(True):
                sd = np.broadcast_to(np.sqrt(np.asarray(prior.variance)), used.shape)
            spread = part.std(axis=0)[used] / sd[used]
            np.testing.assert_allclose(spread, 1.0, atol=0.09)
        start += size


def test_a_population_is_the_sum_of_its_neurons():
    """One density against the densities of single responses, at the same natural parameters."""
    flat = {"Intercept": bz.Flat(), "slopes": bz.Flat()}
    population = bz.Model("y ~ X + z", DATA, family="poisson", priors=flat)
    coefficients = RNG.normal(size=(6, N)) * 0.1
    with jax.enable_x64(True):
        own = population.numbers["mu"]["own"]
        step = np.linalg.solve(own["basis"], coefficients - own["location"]) / own["scale"]
        structure = population.spec.structure
        arrays = population.design.arrays()
        total = log_density(structure, {"mu.neurons": step}, arrays, population.numbers, False)
        parts = 0.0
        for n in range(N):
            data = {**DATA, "y": DATA["y"][:, n]}
            single = bz.Model("y ~ X + z", data, family="poisson", priors=flat)
            given = single.numbers["mu"]["coefficients"]
            raw = np.linalg.solve(given["basis"], coefficients[:, n] - given["location"])
            parts += float(
                log_density(
                    single.spec.structure,
                    {"mu.coefficients": raw},
                    single.design.arrays(),
                    single.numbers,
                    False,
                )
            )
    assert float(total) == pytest.approx(parts, rel=1e-12)


def test_sites_are_of_order_one_in_any_unit():
    """Coordinates of the posterior do not move when the unit of a predictor does."""
    small = {**DATA, "X": DATA["X"] * 1e-9}
    ours, theirs = (bz.Model("y ~ X + z", data, family="poisson") for data in (DATA, small))
    raw = {"mu.neurons": RNG.normal(size=(6, N))}
    with jax.enable_x64(True):
        values = [
            log_density(m.spec.structure, raw, m.design.arrays(), m.numbers) for m in (ours, theirs)
        ]
        etas = [
            np.asarray(natural(m.spec.structure, raw, m.design.arrays(), m.numbers)["mu.neurons"])
            for m in (ours, theirs)
        ]
    assert float(values[0]) == pytest.approx(float(values[1]), rel=1e-8)
    np.testing.assert_allclose(etas[0][1:5], etas[1][1:5] * 1e-9, rtol=1e-6)


def test_masked_coefficients_are_no_parameters():
    _, model = block_of({}, MASK)
    shapes = site_shapes(model.spec.structure, model.numbers)
    assert shapes == {"mu.neurons": (N + MASK.sum(),)}


def test_a_horseshoe_has_scales_of_its_own():
    model = bz.Model("y ~ X + z", DATA, family="poisson", priors={"X": bz.Horseshoe(0.5)})
    shapes = site_shapes(model.spec.structure, model.numbers)
    assert shapes["mu.neurons.scales1"] == (5, N) and shapes["mu.neurons"] == (6, N)
    block = LocalScales(jnp.array(1.0), jnp.array(2.0), (3, 2))
    wide = np.asarray(block.scales(np.full((3, 2), 50.0)))
    np.testing.assert_allclose(wide, 2.0)  # the slab
    with pytest.raises(bz.BayeszooError, match="infinite at 0"):
        model.fit("map", progress=False)


def test_silent_neurons_need_a_proper_prior():
    silent = {**DATA, "y": DATA["y"] * np.array([1.0, 0.0, 1.0])}
    with pytest.raises(bz.BayeszooError, match=r"neuron 1 .* is 0 in all 80 rows"):
        bz.Model("y ~ z", silent, family="poisson", priors={"Intercept": bz.Flat()})
    fit = bz.Model("y ~ z", silent, family="poisson").fit("map", progress=False)
    rates = np.exp(fit.idata.posterior["Intercept"].values[0, 0])
    assert rates[1] < 0.05 < rates[0]
