"""Priors that are penalties: densities, samples, strengths."""

import jax
import numpy as np
import pytest
from scipy import integrate

import bayeszoo as bz
from bayeszoo.zoo.penalties import ElasticNet, GroupNorm, Smooth, TermFacts, smooth_numbers

FACTS = TermFacts(rows=500, size=6, sources=3, kernel=np.eye(4)[:, :2])


def density(distribution, value):
    with jax.enable_x64(True):
        return np.asarray(distribution.log_prob(np.asarray(value, dtype=np.float64)))


@pytest.mark.parametrize("absolute, precision", [(1.0, 2.0), (0.3, 0.01), (5.0, 0.5)])
def test_an_elastic_net_is_a_density_with_its_samples(absolute, precision):
    prior = ElasticNet(absolute, precision)
    total = 2 * integrate.quad(lambda w: np.exp(density(prior, w)), 0, np.inf)[0]
    assert total == pytest.approx(1.0, abs=1e-7)
    size = 2 * integrate.quad(lambda w: w * np.exp(density(prior, w)), 0, np.inf)[0]
    with jax.enable_x64(True):
        drawn = np.asarray(prior.sample(jax.random.PRNGKey(0), (20_000,)))
    error = np.abs(drawn).std() / np.sqrt(len(drawn))
    assert np.abs(drawn).mean() == pytest.approx(size, abs=4.5 * error)
    assert abs(np.sign(drawn).mean()) < 4.5 / np.sqrt(len(drawn))


def test_a_group_norm_is_a_density_with_its_samples():
    prior = GroupNorm(1.7, 2, 4)  # two groups of two
    radial = integrate.quad(
        lambda r: 2 * np.pi * r * np.exp(0.5 * density(prior, [r, 0.0, r, 0.0])), 0, np.inf
    )[0]
    assert radial == pytest.approx(1.0, abs=1e-7)
    with jax.enable_x64(True):
        drawn = np.asarray(prior.sample(jax.random.PRNGKey(1), (20_000,)))
    norms = np.linalg.norm(drawn[:, :2], axis=1)
    assert norms.mean() == pytest.approx(2 / 1.7, abs=4.5 * norms.std() / np.sqrt(len(norms)))


def test_the_gradient_of_a_group_norm_is_finite_at_zero():
    with jax.enable_x64(True):
        slope = jax.grad(lambda w: GroupNorm(1.0, 1, 3).log_prob(w))(np.zeros(3))
    assert np.isfinite(np.asarray(slope)).all()


def test_a_smooth_prior_is_a_normal_of_differences():
    numbers = smooth_numbers(0.5, 2, 1e-4, TermFacts(rows=10, size=5))
    prior, precision = Smooth(**numbers), numbers["precision"]
    w = np.array([0.0, 1.0, 2.5, 3.0, 3.0])
    rough = np.diff(w, 2)
    quadratic = (rough @ rough + 1e-4 * w @ w) / 0.25
    expected = 0.5 * np.linalg.slogdet(precision)[1] - 2.5 * np.log(2 * np.pi) - 0.5 * quadratic
    assert density(prior, w) == pytest.approx(expected, rel=1e-8)
    with jax.enable_x64(True):
        drawn = np.asarray(prior.sample(jax.random.PRNGKey(2), (20_000,)))
    np.testing.assert_allclose(np.diff(drawn, 2, axis=1).std(axis=0), 0.5, rtol=0.03)


def test_strengths_are_per_row():
    ridge = bz.Ridge(0.1).bind(FACTS).numbers()
    assert ridge["scale"] == pytest.approx((500 * 0.1) ** -0.5)
    assert bz.Lasso(0.1).bind(FACTS).numbers()["scale"] == pytest.approx(1 / 50)
    net = bz.ElasticNet(0.1, 0.25).bind(FACTS).numbers()
    assert net["absolute"] == pytest.approx(12.5) and net["precision"] == pytest.approx(37.5)
    assert bz.GroupLasso(0.1).bind(FACTS).numbers()["rate"] == pytest.approx(50 * 2**0.5)
    assert str(bz.Ridge(0.1).bind(FACTS)) == "Ridge(0.1)"


def test_a_penalty_is_about_coefficients():
    data = {"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 4.0]}
    model = bz.Model("y ~ x", data, priors={"x": bz.Ridge(0.5)})
    assert "x          Ridge(0.5)   (given)" in str(model)
    with pytest.raises(bz.BayeszooError, match="prior of the coefficients of a term, but `sigma`"):
        bz.Model("y ~ x", data, priors={"sigma": bz.Ridge(0.5)})
