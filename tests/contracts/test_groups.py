"""Laws that every distribution of group effects keeps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayeszoo.errors import FormulaError
from bayeszoo.zoo.family import Summary
from bayeszoo.zoo.groups import GROUPS, find_group

SUMMARY = Summary(mean=1.0, variance=1.0, location=1.0, scale=1.0, information=1.0)
DRAWS = 100_000
by_member = pytest.mark.parametrize("member", GROUPS.values(), ids=lambda m: m.name)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def guesses(member):
    return {p.name: jnp.asarray(p.guess(SUMMARY), dtype=float) for p in member.parameters}


def radial_mass(member, size):
    """Radii, and the probability mass of the shell that each stands for."""
    t, step = np.linspace(-20, 12, 20_001, retstep=True)
    radius = np.exp(t)
    surface = {1: 2.0, 2: 2 * np.pi, 3: 4 * np.pi}[size]
    density = np.exp(np.asarray(member.log_density(jnp.asarray(radius**2), size, guesses(member))))
    return radius, density * surface * radius ** (size - 1) * radius * step


@by_member
@pytest.mark.parametrize("size", [1, 2, 3])
def test_density_integrates_to_one(member, size):
    _, mass = radial_mass(member, size)
    np.testing.assert_allclose(mass.sum(), 1.0, rtol=1e-6)


@by_member
@pytest.mark.parametrize("size", [1, 2, 3])
def test_samples_follow_the_density_in_every_direction(member, size):
    draws = np.asarray(member.sample(jax.random.key(3), (DRAWS, size), guesses(member)))
    assert draws.shape == (DRAWS, size)
    radius, mass = radial_mass(member, size)
    below = np.interp(np.linalg.norm(draws, axis=1), radius, np.cumsum(mass))
    z = (below.mean() - 0.5) * np.sqrt(12 * DRAWS)  # uniform where samples follow the density
    assert abs(z) < 4.5
    z = ((below**2).mean() - 1 / 3) / np.sqrt(4 / 45 / DRAWS)
    assert abs(z) < 4.5
    for sign in np.sign(draws).T:
        assert abs(sign.mean()) * np.sqrt(DRAWS) < 4.5


@by_member
def test_groups_are_independent(member):
    draws = np.asarray(member.sample(jax.random.key(5), (DRAWS, 1), guesses(member)))[:, 0]
    ranks = np.argsort(np.argsort(np.abs(draws))) / DRAWS - 0.5
    z = np.sum(ranks[1:] * ranks[:-1]) / np.sqrt(DRAWS) * 12
    assert abs(z) < 4.5


@by_member
def test_gradients_are_finite_at_the_edges(member):
    for radius2 in (0.0, 1.0, 1e8):
        slope = jax.grad(member.log_density, argnums=(0, 2))(radius2, 2, guesses(member))
        assert np.isfinite(jax.tree.leaves(slope)).all()


@by_member
def test_default_priors_are_positive_and_about_the_guess(member):
    for parameter in member.parameters:
        prior = parameter.prior(SUMMARY).distribution()
        draws = np.asarray(prior.sample(jax.random.key(0), (1_000,)))
        assert (draws > 0).all() and np.isfinite(draws).all()
        assert 1e-3 < np.mean(draws < parameter.guess(SUMMARY)) < 1 - 1e-3


@by_member
def test_is_described_and_found(member):
    assert member.equation and member.story.endswith(".")
    assert find_group(member.name) is member
    assert all(parameter.story for parameter in member.parameters)


def test_an_unknown_distribution_lists_the_known_ones():
    with pytest.raises(FormulaError, match=r"Nearest: `student`.*Known: normal, student"):
        find_group("studnet")
