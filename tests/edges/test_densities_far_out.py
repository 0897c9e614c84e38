"""Densities that keep their digits where counts, trials and shapes are huge."""

import jax
import numpy as np
import pytest
from scipy import special

import bayeszoo as bz
from bayeszoo.inference.idata import as_response
from bayeszoo.zoo.families import FAMILIES
from bayeszoo.zoo.families.binomial import BINOMIAL
from bayeszoo.zoo.families.negative_binomial import NEGATIVE_BINOMIAL

COUNTS = dict(NEGATIVE_BINOMIAL.kernels)["log"]
TRIALS = dict(BINOMIAL.kernels)["logit"]


@pytest.mark.parametrize("y", [0.0, 3.0, 50.0])
@pytest.mark.parametrize("alpha", [0.3, 40.0, 1e6, 1e12])
def test_negative_binomial_of_any_concentration(y, alpha):
    """Gamma(y + a) / (Gamma(a) a^y) = prod (1 + k / a), which loses nothing for large a."""

    def exact(mu):
        rising = np.sum(np.log1p(np.arange(y) / alpha))
        return rising - (alpha + y) * np.log1p(mu / alpha) + special.xlogy(y, mu)

    with jax.enable_x64(True):
        found = [float(COUNTS(np.log(mu), y, {"alpha": alpha}, {})) for mu in (0.5, 2.9, 80.0)]
    constant = special.xlogy(y, y) - y  # of the response alone, left out
    np.testing.assert_allclose(
        found, [exact(mu) - constant for mu in (0.5, 2.9, 80.0)], rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("kernel", ["counts", "trials"])
def test_slopes_of_billions_vanish_at_the_best_mean_and_values_are_smooth(kernel):
    y, n = 4e8, 1e9
    best = np.log(y) if kernel == "counts" else special.logit(y / n)

    def value(step):
        if kernel == "counts":
            return COUNTS(best + step, y, {"alpha": 1e9}, {})
        return TRIALS(best + step, y, {}, {"trials": n})

    with jax.enable_x64(True):
        bend = y if kernel == "trials" else y / 1.4
        bend = bend * 0.6 if kernel == "trials" else bend
        slope, curvature = jax.grad(value)(0.0), jax.grad(jax.grad(value))(0.0)
        assert abs(float(slope)) < 1e-6 * bend**0.5
        np.testing.assert_allclose(-float(curvature), bend, rtol=1e-8)
        steps = np.array([-3e-5, -1e-5, 1e-5, 3e-5])
        falls = [float(value(step) - value(0.0)) for step in steps]
        np.testing.assert_allclose(falls, -0.5 * bend * steps**2, rtol=1e-4)


@pytest.mark.parametrize("shape", [(8,), (8, 2)])
def test_coordinates_are_found_in_double_precision(shape):
    """Also where JAX computes in float32, whose numbers end at 3e38."""
    y = np.arange(np.prod(shape), dtype=float).reshape(shape) ** 2
    places = [
        bz.Model("y ~ 1", {"y": y * factor}).numbers["family"]["location"]
        for factor in (1.0, 2.0**300)
    ]
    np.testing.assert_allclose(places[1] - places[0], 300 * np.log(2), rtol=1e-13)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "zero_inflated_poisson"])
def test_counts_of_any_size_are_drawn(family):
    generator = np.random.default_rng(0)
    mean, size = np.full(2_000, 1e25), {"alpha": 1e12, "psi": 1.0}
    drawn = FAMILIES[family].draw(generator, mean, size, {})
    spread = (1e25 + (1e50 / 1e12) * (family == "negative_binomial")) ** 0.5
    assert abs(drawn.mean() - 1e25) < 5 * spread / 2_000**0.5
    assert drawn.std() == pytest.approx(spread, rel=0.1)
    assert np.isfinite(drawn).all() and as_response(FAMILIES[family], drawn).dtype != np.int64
