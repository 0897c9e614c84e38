"""Densities where JAX's `betaln` is off by 1e-6: one argument below 8, the other above."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from bayeszoo.inference.programs import double_precision
from bayeszoo.zoo.distributions import Beta, log_beta
from bayeszoo.zoo.families.negative_binomial import NegativeBinomial


def test_log_beta_is_exact_over_many_sizes():
    a, b = np.exp(np.random.default_rng(0).uniform(-7, 12, (2, 500)))
    with double_precision():
        ours = np.asarray(log_beta(jnp.asarray(a), jnp.asarray(b)))
    expected = special.betaln(a, b)
    assert np.abs(ours - expected).max() < 1e-9 * (1 + np.abs(expected)).max()


@pytest.mark.parametrize("alpha", [0.05, 3.2, 50.0])
@pytest.mark.parametrize("mu", [0.5, 8.0, 300.0])
def test_negative_binomial_is_exact(alpha, mu):
    y = np.arange(0.0, 500.0)
    with double_precision():
        ours = NegativeBinomial(jnp.asarray(alpha), jnp.asarray(alpha / mu)).log_prob(y)
    expected = stats.nbinom.logpmf(y, alpha, alpha / (alpha + mu))
    np.testing.assert_allclose(np.asarray(ours), expected, atol=1e-9)


def test_beta_is_exact():
    y = np.linspace(0.01, 0.99, 50)
    with double_precision():
        ours = np.asarray(Beta(jnp.asarray(3.0), jnp.asarray(9.0)).log_prob(y))
    np.testing.assert_allclose(ours, stats.beta.logpdf(y, 3.0, 9.0), atol=1e-11)
