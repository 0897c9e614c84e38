"""Laws that every family of responses keeps; a new family is tested by being there."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from bayeszoo.errors import FamilyError
from bayeszoo.zoo.distributions import Censored, Weighted, log_tails
from bayeszoo.zoo.families import FAMILIES, find_family
from bayeszoo.zoo.family import Summary
from bayeszoo.zoo.links import LINKS

UNIQUE = {family.name: family for family in FAMILIES.values()}
CASES = [(family, eta) for family in UNIQUE.values() for eta in (-0.7, 1.6)]
LINKED = [(family, link) for family in UNIQUE.values() for link in family.links]
TRIALS = 9.0
DRAWS = 200_000


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def _id(value):
    return getattr(value, "name", None) or str(value)


def by_case(cases):
    names = "family, eta" if cases is CASES else "family, link"
    rows = [pytest.param(f, v, id=f"{f.name}-{v}") for f, v in cases]
    return pytest.mark.parametrize(names, rows)


def by_family(function):
    return pytest.mark.parametrize("family", UNIQUE.values(), ids=_id)(function)


def summary_of(family, mu):
    """A summary with a spread that the family can have."""
    unit = family.support.name in ("unit", "binary")
    variance = 0.3 * mu * (1 - mu) if unit else 0.8 * abs(mu) + 0.4 * mu**2 + 0.1
    return Summary(float(mu), float(variance), 0.0, 1.0, 1.0)


def at(family, eta, shift=0.0):
    """The mean, parameters and extras at a linear predictor; `shift` moves the parameters."""
    mu = LINKS[family.links[0]].inverse(jnp.asarray(eta, dtype=float))
    summary = summary_of(family, np.mean(mu))
    parameters = {}
    for parameter in family.parameters:
        link = LINKS[parameter.link]
        parameters[parameter.name] = link.inverse(link.forward(parameter.guess(summary)) + shift)
    return mu, parameters, dict.fromkeys(family.required, TRIALS)


def law(family, eta, shift=0.0):
    mu, parameters, extras = at(family, eta, shift)
    return family.distribution(mu, parameters, extras)


def is_discrete(family):
    return (
        bool(family.support.holds(np.array([1.0]))[0])
        and not family.support.holds(np.array([0.5]))[0]
    )


def grid(family, centre):
    """Points that cover the support, and the length that each of them stands for."""
    if is_discrete(family):
        count = 2 if family.support.name == "binary" else 3_000
        y = np.arange(TRIALS + 1 if family.required else count)
        return y, np.ones_like(y)
    t, step = np.linspace(-34, 34, 60_001, retstep=True)
    if family.support.name == "real":
        return centre + np.sinh(t), step * np.cosh(t)
    if family.support.name == "positive":
        return np.exp(t), step * np.exp(t)
    y = 1 / (1 + np.exp(-t))
    return y, step * y * (1 - y)


@by_case(CASES)
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_density_integrates_to_one_and_has_the_mean(family, eta, shift):
    mu, parameters, extras = at(family, eta, shift)
    y, weight = grid(family, float(mu))
    density = np.exp(np.asarray(law(family, eta, shift).log_prob(jnp.asarray(y))))
    np.testing.assert_allclose(np.sum(density * weight), 1.0, rtol=1e-5)
    mean = float(family.mean(mu, parameters, extras))
    np.testing.assert_allclose(np.sum(y * density * weight), mean, rtol=1e-5, atol=1e-6)


@by_case(CASES)
def test_samples_follow_the_mean_and_the_density(family, eta):
    mu, parameters, extras = at(family, eta)
    draws = np.asarray(law(family, eta).sample(jax.random.key(7), (DRAWS,)), dtype=float)
    assert family.support.holds(draws).all()
    mean = float(family.mean(mu, parameters, extras))
    z = (draws.mean() - mean) / (draws.std() / np.sqrt(DRAWS))
    assert abs(z) < 4.5
    y, weight = grid(family, float(mu))
    mass = np.exp(np.asarray(law(family, eta).log_prob(jnp.asarray(y)))) * weight
    below = mass[y <= mean].sum()
    # the grid splits a continuous density to within one of its cells
    error = 0.0 if is_discrete(family) else mass[np.searchsorted(y, mean) - 1]
    share = np.mean(draws <= mean)
    assert abs(share - below) < error + 4.5 * np.sqrt(below * (1 - below) / DRAWS)


@by_case(CASES)
def test_draws_by_numpy_follow_the_same_law(family, eta):
    """Two samples of one law: Kolmogorov-Smirnov at a false-alarm rate of 1e-4."""
    mu, parameters, extras = at(family, eta)
    values = {name: np.asarray(value) for name, value in parameters.items()}
    known = {name: np.asarray(value) for name, value in extras.items()}
    mean = np.full((100, 200), float(mu))
    mine = family.draw(np.random.default_rng(8), mean, values, known)
    assert np.shape(mine) == mean.shape
    mine = np.asarray(mine, dtype=float).ravel()
    theirs = np.asarray(law(family, eta).sample(jax.random.key(9), (20_000,)), dtype=float)
    assert family.support.holds(mine).all()
    assert stats.ks_2samp(mine, theirs).pvalue > 1e-4


@by_family
def test_a_larger_linear_predictor_means_a_larger_mean(family):
    _, parameters, extras = at(family, 0.3)
    for link in family.links:
        eta = np.linspace(0.1, 3, 30) if link == "identity" else np.linspace(-3, 2, 30)
        mu = LINKS[link].inverse(jnp.asarray(eta))
        means = np.asarray(family.mean(mu, parameters, extras))
        assert (np.diff(means) > 0).all(), link


@by_case(LINKED)
def test_links_are_inverted(family, link):
    eta = np.linspace(0.05, 4, 41) if link == "identity" else np.linspace(-6, 3, 41)
    mu = np.asarray(LINKS[link].inverse(jnp.asarray(eta)))
    np.testing.assert_allclose(LINKS[link].forward(mu), eta, rtol=1e-9, atol=1e-9)
    slope = jax.vmap(jax.grad(LINKS[link].inverse))(jnp.asarray(eta))
    np.testing.assert_allclose(LINKS[link].slope(mu), slope, rtol=1e-7)


def _all_finite(value, parameters, *arguments):
    """Value and gradients are finite at every combination of the arguments."""
    pairs = np.array(list(itertools.product(*arguments)))
    both = jax.vmap(
        jax.value_and_grad(value, argnums=(0, 1)), in_axes=(0, None, *[0] * (pairs.shape[1] - 1))
    )
    out, slopes = both(pairs[:, 0], parameters, *pairs[:, 1:].T)
    finite = np.all([np.isfinite(leaf) for leaf in [out, *jax.tree.leaves(slopes)]], axis=0)
    assert finite.all(), pairs[~finite]


EDGES = {
    "real": [-1e6, -1.0, 0.0, 3.0, 1e6],
    "positive": [1e-8, 0.5, 2.0, 1e8],
    "count": [0.0, 1.0, 9.0, 1e4],
    "binary": [0.0, 1.0],
    "unit": [1e-12, 0.3, 1 - 1e-12],
}


@by_case(LINKED)
def test_gradients_are_finite_also_at_the_edges(family, link):
    points = [0.2, 1.0, 50.0] if link == "identity" else [-20.0, -3.0, 0.0, 2.0, 20.0]
    points = [min(max(p, -5.0), 2.0) for p in points] if link in ("probit", "cloglog") else points
    ys = [y for y in EDGES[family.support.name] if not family.required or y <= TRIALS]
    _, parameters, extras = at(family, 0.3)

    def value(eta, parameters, y):
        return family.distribution(LINKS[link].inverse(eta), parameters, extras).log_prob(y)

    _all_finite(value, parameters, points, ys)


@by_family
def test_default_priors_are_proper_and_about_the_guess(family):
    for mu in (0.02, 0.4, 0.97):
        summary = summary_of(family, mu)
        for parameter in family.parameters:
            link = LINKS[parameter.link]
            prior = parameter.prior(summary).distribution()
            guess = parameter.guess(summary)
            assert np.isfinite(link.forward(guess))
            assert np.isfinite(prior.log_prob(guess))
            draws = np.asarray(prior.sample(jax.random.key(0), (1_000,)))
            inside = np.isfinite(draws) & (draws >= 0)
            assert inside.all(), parameter.name
            assert (draws <= 1).all() or parameter.link != "logit"
            assert 1e-3 < np.mean(draws < guess) < 1 - 1e-3, parameter.name


CENSORED = [family for family in UNIQUE.values() if "status" in family.extras]


def by_censored():
    rows = [pytest.param(f, id=f.name) for f in CENSORED]
    return pytest.mark.parametrize("family", rows)


@by_censored()
def test_tails_of_censored_values(family):
    for eta in (-0.7, 0.4, 1.6):
        base = law(family, eta)
        y, weight = grid(family, float(at(family, eta)[0]))
        mass = np.exp(np.asarray(base.log_prob(jnp.asarray(y)))) * weight
        for level in (0.2, 0.5, 0.9):
            position = int(np.searchsorted(np.cumsum(mass), level))
            point = jnp.asarray(y[position])
            below, above = (np.exp(float(v)) for v in log_tails(base, point))
            np.testing.assert_allclose(below + above, 1.0, rtol=1e-9)
            np.testing.assert_allclose(below, mass[: position + 1].sum(), atol=2 * mass.max())


@by_censored()
def test_gradients_of_censored_values_are_finite_in_the_tails(family):
    far = {
        "real": [-40.0, 0.0, 40.0],
        "positive": [1e-4, 1.0, 60.0],
        "count": [0.0, 3.0, 80.0],
        "unit": [1e-4, 0.5, 1 - 1e-4],
    }
    _, parameters, extras = at(family, 0.3)

    def value(eta, parameters, y, status):
        mu = LINKS[family.links[0]].inverse(eta)
        return Censored(family.distribution(mu, parameters, extras), status).log_prob(y)

    _all_finite(value, parameters, [0.3], far[family.support.name], [-1.0, 0.0, 1.0])


def _curvature(family, wrap):
    """The Hessian in the linear predictor and the parameters, as Newton steps need it."""
    _, parameters, extras = at(family, 0.3)
    y = jnp.asarray(1.0 if is_discrete(family) else 0.4)

    def value(raw):
        natural = {name: raw[i + 1] for i, name in enumerate(parameters)}
        mu = LINKS[family.links[0]].inverse(raw[0])
        return wrap(family.distribution(mu, natural, extras)).log_prob(y)

    raw = jnp.asarray([0.3, *parameters.values()], dtype=float)
    return np.asarray(jax.hessian(value)(raw))


@by_family
def test_curvature_is_finite(family):
    assert np.isfinite(_curvature(family, lambda base: base)).all()


@by_censored()
@pytest.mark.parametrize("status", [-1.0, 1.0])
def test_curvature_of_censored_values_is_finite(family, status):
    assert np.isfinite(_curvature(family, lambda base: Censored(base, status))).all()


@by_family
def test_weights_multiply(family):
    base = law(family, 0.4)
    y = jnp.asarray(1.0 if is_discrete(family) else 0.3)
    twice = Weighted(base, jnp.asarray(2.0)).log_prob(y)
    np.testing.assert_allclose(twice, 2 * base.log_prob(y), rtol=1e-12)


@by_family
def test_is_described_and_found(family):
    assert family.equation and family.story.endswith(".") and family.source
    assert family.name == family.name.lower()
    assert set(family.links) <= set(LINKS)
    for name in (family.name, *family.aliases, family.name.upper()):
        assert find_family(name) is family
    for parameter in family.parameters:
        assert parameter.story and parameter.link in LINKS
        assert family.parameter(parameter.name) is parameter
    with pytest.raises(FamilyError, match="no parameter `zzz`"):
        family.parameter("zzz")


@by_family
def test_responses_outside_the_support_are_counted(family):
    bad = {"real": np.inf, "positive": 0.0, "count": 1.5, "binary": 2.0, "unit": 1.0}
    good = {"real": -1.0, "positive": 2.0, "count": 3.0, "binary": 1.0, "unit": 0.5}
    y = np.full(10, good[family.support.name])
    family.check(y, "y", np.arange(10), FAMILIES)
    y[[2, 5, 6, 7]] = bad[family.support.name]
    with pytest.raises(
        FamilyError, match=r"`y` has 4 of 10 values .*row 12 = .*row 15 = .*row 16 ="
    ):
        family.check(y, "y", np.arange(10, 20), FAMILIES)


def test_every_support_has_edges():
    assert {family.support.name for family in UNIQUE.values()} <= set(EDGES)
