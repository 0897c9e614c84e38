"""Modes of generalised linear models: other programs, closed forms, and changes of units."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import statsmodels.api as sm

from bayeszoo.formula.features import Computed, Dense
from bayeszoo.inference.glm import search as glm_search
from bayeszoo.inference.glm.curvature import curvature, curvatures
from bayeszoo.inference.glm.mode import find_mode
from bayeszoo.inference.glm.problem import GlmProblem, Penalty, ScalarPrior
from bayeszoo.zoo.families import FAMILIES
from bayeszoo.zoo.links import LINKS

UNIQUE = {family.name: family for family in FAMILIES.values()}
LINKED = [(family, link) for family in UNIQUE.values() for link in family.links]
ROWS, COEFFICIENTS, NEURONS = 300, 3, 2


def problem(x, y, family="poisson", link=None, penalty=None, **fields):
    """A problem with flat priors, unless other fields are given."""
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    (rows, p), neurons, family = x.shape, y.shape[1], FAMILIES[family]
    centred = x - x.mean(axis=0)
    flat = Penalty.flat(p, neurons) if penalty is None else penalty
    given = {
        "features": Dense(x),
        "means": x.mean(axis=0),
        "gram": centred.T @ centred / rows,
        "y": y,
        "offset": np.zeros(rows),
        "weights": None,
        "intercept": True,
        "family": family,
        "link": LINKS[link or family.links[0]],
        "scalars": tuple(parameter.name for parameter in family.parameters),
        "penalty": flat if callable(flat) else lambda scalars: flat,
        "intercept_precision": np.zeros(neurons),
        "intercept_centre": np.zeros(neurons),
        "lean": np.zeros(p),
    }
    return GlmProblem(**(given | fields))


def normal_penalty(precision, centre=0.0):
    precision = np.asarray(precision, dtype=float)
    flat = Penalty.flat(*precision.shape)
    centre = np.full(precision.shape, centre)
    return Penalty(precision, centre, flat.absolute, flat.group, flat.group_weight)


@pytest.fixture(scope="module")
def x():
    generator = np.random.default_rng(1)
    return generator.normal(size=(ROWS, COEFFICIENTS)) * [1, 5, 0.1] + [3, -2, 0]


@pytest.fixture(scope="module")
def trials():
    return np.random.default_rng(2).integers(1, 9, ROWS)


def responses(family, link, x, trials, seed=3):
    """Responses that depend on x, drawn from the family."""
    weights = np.array([[0.15, -0.1], [0.03, 0.02], [0.5, -1.0]])
    eta = (x - x.mean(axis=0)) @ weights + 0.3
    if link == "identity" and family.support.name != "real":
        eta = 3 + 0.5 * np.tanh(eta)
    scalars = {"sigma": 0.5, "alpha": 4.0, "lam": 3.0, "kappa": 5.0, "nu": 4.0, "psi": 0.7}
    with jax.enable_x64(True):
        extras = {"trials": trials[:, None]} if family.required else {}
        law = family.distribution(LINKS[link].inverse(jnp.asarray(eta)), scalars, extras)
        return np.asarray(law.sample(jax.random.key(seed)), dtype=float)


def brute_force(given):
    """Minus the log posterior (flat priors) by the family's own distribution, and its slope."""
    family, p = given.family, given.coefficients
    links = [LINKS[family.parameter(name).link] for name in given.scalars]
    x, offset = given.features.block(0, given.rows), given.offset

    def function(v, y, extras):
        natural = [link.inverse(raw) for link, raw in zip(links, v[1 + p :], strict=True)]
        scalars = dict(zip(given.scalars, natural, strict=True))
        eta = offset + v[0] + jnp.asarray(x) @ v[1 : 1 + p]
        total = family.distribution(given.link.inverse(eta), scalars, extras).log_prob(y).sum()
        for i, link in enumerate(links if given.jacobian else []):
            total += jnp.log(jax.grad(link.inverse)(v[1 + p + i]))
        return -total

    return jax.jit(jax.value_and_grad(function))


def slopes_of(slope, at, h=1e-5):
    """The Hessian by central differences of the gradient."""
    eye = h * np.eye(len(at))
    return np.array([(slope(at + e) - slope(at - e)) / (2 * h) for e in eye])


def vector(given, mode, neuron):
    """Intercept, coefficients and unconstrained scalars of one neuron."""
    links = [LINKS[given.family.parameter(name).link] for name in given.scalars]
    raw = [link.forward(s) for link, s in zip(links, mode.scalars[:, neuron], strict=True)]
    return np.concatenate([[mode.intercept[neuron]], mode.coefficients[:, neuron], raw])


def check_brute_force(given, mode, tolerance):
    with jax.enable_x64(True):
        function = brute_force(given)
        for n in range(given.neurons):
            y, at = np.asarray(given.y[:, n], dtype=float), vector(given, mode, n)

            def value_and_slope(v, y=y):
                value, slope = function(v, y, dict(given.extras))
                return float(value), np.asarray(slope)

            hessian = slopes_of(lambda v: value_and_slope(v)[1], at)
            slope = value_and_slope(at)[1]
            assert np.linalg.eigvalsh(hessian)[0] > 0
            assert slope @ np.linalg.solve(hessian, slope) < tolerance
            scale = 1 / np.sqrt(np.diag(hessian))

            def standard(z, at=at, scale=scale):
                value, slope = value_and_slope(at + scale * z)
                return value, scale * slope

            away = np.random.default_rng(n).normal(size=len(at))
            best = scipy.optimize.minimize(standard, away, jac=True, method="BFGS")
            assert value_and_slope(at)[0] <= best.fun + 1e-6
            np.testing.assert_allclose(best.x, 0, atol=1e-3)


@pytest.mark.parametrize(("family", "link"), LINKED, ids=lambda v: getattr(v, "name", v))
def test_brute_force_finds_nothing_better(family, link, x, trials):
    y = responses(family, link, x, trials)
    extras = {"trials": trials} if family.required else {}
    given = problem(x, y, family.name, link, extras=extras)
    mode = find_mode(given)
    assert mode.converged.all()
    # NumPyro's density of negative binomial counts is good to 1e-6 only
    check_brute_force(given, mode, 1e-9 if family.name == "negative_binomial" else 1e-18)


VALUES = {
    "real": [-1.0, 0.5],
    "positive": [0.2, 3.0],
    "count": [0.0, 1.0, 4.0],
    "binary": [0.0, 1.0],
    "unit": [0.1, 0.7],
}


@pytest.mark.parametrize("family", [f for f in UNIQUE.values() if f.kernels], ids=lambda f: f.name)
def test_kernels_are_the_families_densities(family):
    y = jnp.asarray(VALUES[family.support.name])
    extras = {"trials": jnp.full(y.shape, 5.0)} if family.required else {}
    for link, kernel in family.kernels:
        differences = []
        for eta, scalar in [(-1.0, 0.6), (0.2, 0.8), (1.5, 0.3)]:
            scalars = {parameter.name: scalar for parameter in family.parameters}
            with jax.enable_x64(True):
                eta = jnp.full(y.shape, eta)
                law = family.distribution(LINKS[link].inverse(eta), scalars, extras)
                short = kernel(eta, y, scalars, extras)
                differences.append(np.asarray(law.log_prob(y) - short))
        for other in differences[1:]:  # NumPyro's negative binomial is good to 1e-6
            np.testing.assert_allclose(other, differences[0], atol=3e-6)


@pytest.fixture(scope="module")
def counts(x, trials):
    return responses(UNIQUE["poisson"], "log", x, trials)


def test_poisson_agrees_with_statsmodels(x, counts):
    exposure, weights = np.linspace(0.5, 2, ROWS), np.arange(ROWS) % 4 + 0.5
    given = problem(x, counts, offset=np.log(exposure), weights=weights)
    mode = find_mode(given)
    for n in range(NEURONS):
        model = sm.GLM(
            counts[:, n],
            sm.add_constant(x),
            family=sm.families.Poisson(),
            offset=np.log(exposure),
            freq_weights=weights,
        )
        result = model.fit(tol=1e-14, maxiter=100)
        found = np.r_[mode.intercept[n], mode.coefficients[:, n]]
        np.testing.assert_allclose(found, result.params, rtol=1e-8)
        information = curvature(given, mode)[n]
        np.testing.assert_allclose(np.linalg.inv(information), result.cov_params(), rtol=1e-6)
    eta = np.log(exposure)[:, None] + mode.intercept + x @ mode.coefficients
    np.testing.assert_allclose(weights @ np.exp(eta), weights @ counts, rtol=1e-10)


def test_a_weight_is_a_number_of_rows(x, counts):
    weights = np.arange(ROWS) % 3
    again = np.repeat(np.arange(ROWS), weights)
    weighted = find_mode(problem(x, counts, weights=weights.astype(float)))
    repeated = find_mode(problem(x[again], counts[again]))
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-9)
    np.testing.assert_allclose(weighted.value, repeated.value, rtol=1e-12)


UNITS = [(1e-12, 0.0), (1e6, 0.0), (1.0, 1e3), (1e-9, 1e3)]


@pytest.mark.parametrize(("scale", "shift"), UNITS)
@pytest.mark.parametrize("family", ["poisson", "normal", "negative_binomial"])
def test_units_change_no_prediction(family, scale, shift, x, trials):
    y = responses(UNIQUE[family], UNIQUE[family].links[0], x, trials)
    other = scale * (x + shift * x.std(axis=0))
    one, two = find_mode(problem(x, y, family)), find_mode(problem(other, y, family))
    assert one.converged.all() and two.converged.all()
    np.testing.assert_allclose(
        two.intercept + other @ two.coefficients, one.intercept + x @ one.coefficients, atol=1e-8
    )
    np.testing.assert_allclose(two.scalars, one.scalars, rtol=1e-8)


def force(monkeypatch, sampled):
    """Makes small problems be solved as large ones are."""
    monkeypatch.setattr(glm_search, "NEWTON_OPERATIONS", (0, 1e9 if sampled == "newton" else 0))
    monkeypatch.setattr(glm_search, "SAMPLE_LEAST", 400)
    monkeypatch.setattr(glm_search, "SAMPLE_RATIO", 0)
    monkeypatch.setattr(glm_search, "SAMPLE_GAIN", 0 if sampled else np.inf)
    monkeypatch.setattr(glm_search, "SAMPLE_SHARE", 0.25 if sampled else -1)


@pytest.mark.parametrize("sampled", [None, "quasi-newton", "newton"])
@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_large_problems_are_solved_as_well_as_small_ones(family, sampled, monkeypatch, trials):
    x = np.random.default_rng(5).normal(size=(4000, COEFFICIENTS)) * [1, 5, 0.1]
    y = responses(UNIQUE[family], "log", x, trials)
    given = problem(x, y, family)
    small = find_mode(given)
    force(monkeypatch, sampled)
    large = find_mode(given)
    assert large.converged.all()
    assert (large.passes != small.passes) or sampled
    np.testing.assert_allclose(large.coefficients, small.coefficients, rtol=1e-7)
    np.testing.assert_allclose(large.scalars, small.scalars, rtol=1e-7)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "normal"])
def test_a_population_is_its_neurons(family, large, monkeypatch, x, trials):
    y = responses(UNIQUE[family], UNIQUE[family].links[0], x, trials)
    if large:
        force(monkeypatch, None)
    together = find_mode(problem(x, y, family))
    for n in range(NEURONS):
        alone = find_mode(problem(x, y[:, [n]], family))
        np.testing.assert_allclose(together.coefficients[:, n], alone.coefficients[:, 0], rtol=1e-8)
        np.testing.assert_allclose(together.intercept[n], alone.intercept[0], rtol=1e-8)
        np.testing.assert_allclose(together.scalars[:, n], alone.scalars[:, 0], rtol=1e-8)


def test_batches_of_neurons_are_the_population(x, counts):
    scale = np.arange(1.0, 7.0).reshape(COEFFICIENTS, NEURONS)
    given = problem(
        x, counts, penalty=normal_penalty(scale), intercept_precision=np.array([1.0, 2])
    )
    whole, parts = find_mode(given), find_mode(given, memory_budget=1)
    np.testing.assert_allclose(parts.coefficients, whole.coefficients, rtol=1e-9)
    np.testing.assert_allclose(
        curvature(given, whole, memory_budget=1), curvature(given, whole), rtol=1e-12
    )
    assert [list(index) for index, _ in curvatures(given, whole, 1)] == [[0], [1]]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("family", ["poisson", "normal", "gamma"])
def test_masked_coefficients_are_0_and_the_others_as_without_them(
    family, large, monkeypatch, x, trials
):
    if large:
        force(monkeypatch, None)
    y = responses(UNIQUE[family], UNIQUE[family].links[0], x, trials)
    free = np.array([[True, True], [True, False], [False, True]])
    given = problem(x, y, family, free=free)
    mode = find_mode(given)
    assert mode.converged.all()
    assert (mode.coefficients[~free] == 0).all()
    for n in range(NEURONS):
        alone = find_mode(problem(x[:, free[:, n]], y[:, [n]], family))
        np.testing.assert_allclose(
            mode.coefficients[free[:, n], n], alone.coefficients[:, 0], rtol=1e-7
        )
    bend = curvature(given, mode)
    np.testing.assert_array_equal(bend[0][3], np.eye(given.layout.size)[3])
    np.testing.assert_array_equal(bend[1][:, 2], np.eye(given.layout.size)[2])


@pytest.mark.parametrize("family", ["poisson", "normal"])
@pytest.mark.parametrize("large", [False, True])
def test_features_may_be_computed_block_by_block(family, large, monkeypatch, trials):
    x = np.random.default_rng(6).normal(size=(5000, COEFFICIENTS)) * [1, 5, 0.1]
    y = responses(UNIQUE[family], UNIQUE[family].links[0], x, trials)
    if large:
        force(monkeypatch, "quasi-newton")
    held = find_mode(problem(x, y, family))
    asked = []

    def compute(rows):
        asked.append(rows)
        return x[rows].copy()

    small = y.astype(np.int16) if family == "poisson" else y
    made = find_mode(problem(x, small, family, features=Computed(x.shape, compute)), 1e5)
    # little memory leaves no room for a part of the rows, from which the search would begin
    np.testing.assert_allclose(made.coefficients, held.coefficients, rtol=1e-8 if large else 0)
    assert len(asked) >= made.passes


def test_normal_is_least_squares(x, trials):
    y = responses(UNIQUE["normal"], "identity", x, trials)
    weights = np.linspace(0.5, 2, ROWS)
    for w in (None, weights):
        mode = find_mode(problem(x, y, "normal", weights=w))
        root = np.sqrt(np.ones(ROWS) if w is None else w)[:, None]
        design = np.column_stack([np.ones(ROWS), x])
        best, squares, *_ = np.linalg.lstsq(root * design, root * y, rcond=None)
        np.testing.assert_allclose(mode.intercept, best[0], rtol=1e-8)
        np.testing.assert_allclose(mode.coefficients, best[1:], rtol=1e-8)
        np.testing.assert_allclose(mode.scalars[0] ** 2, squares / (root**2).sum(), rtol=1e-10)


def test_known_standard_errors_weigh_rows(x, trials):
    y = responses(UNIQUE["normal"], "identity", x, trials)
    error = np.linspace(0.5, 2, ROWS)
    given = problem(x, y, "normal", scalars=(), extras={"standard_error": error})
    best = np.linalg.lstsq(np.column_stack([np.ones(ROWS), x]) / error[:, None], y / error[:, None])
    np.testing.assert_allclose(find_mode(given).coefficients, best[0][1:], rtol=1e-8)
    each = problem(
        x,
        y,
        "normal",
        scalars=(),
        extras={"standard_error": np.column_stack([error, 0 * error + 1])},
    )
    plain = np.linalg.lstsq(np.column_stack([np.ones(ROWS), x]), y)[0]
    mode = find_mode(each)
    np.testing.assert_allclose(mode.coefficients[:, 0], best[0][1:, 0], rtol=1e-8)
    np.testing.assert_allclose(mode.coefficients[:, 1], plain[1:, 1], rtol=1e-8)


@pytest.mark.parametrize("family", ["normal", "poisson"])
def test_nearly_collinear_columns(family, trials):
    generator = np.random.default_rng(7)
    x = generator.normal(size=(ROWS, COEFFICIENTS))
    x[:, 2] = x[:, 0] + 3e-4 * x[:, 2]
    assert np.linalg.cond(np.corrcoef(x.T)) > 1e7
    y = responses(UNIQUE[family], UNIQUE[family].links[0], x * [1, 1, 0], trials)
    mode = find_mode(problem(x, y, family))
    assert mode.converged.all()
    design = np.column_stack([np.ones(ROWS), x])
    if family == "normal":
        best = np.linalg.lstsq(design, y, rcond=None)[0][1:]
        np.testing.assert_allclose(mode.coefficients, best, rtol=1e-8)
    else:
        mu = np.exp(mode.intercept + x @ mode.coefficients)
        score = np.abs(design.T @ (y - mu)) / (np.abs(design).T @ y)
        assert score.max() < 1e-12


def test_equal_columns_share_their_effect(x, counts):
    twice = np.column_stack([x, x[:, 0]])
    mode, plain = find_mode(problem(twice, counts)), find_mode(problem(x, counts))
    assert mode.converged.all()
    np.testing.assert_allclose(mode.coefficients[0], mode.coefficients[3], rtol=1e-6)
    np.testing.assert_allclose(
        mode.intercept + twice @ mode.coefficients,
        plain.intercept + x @ plain.coefficients,
        atol=1e-8,
    )


@pytest.mark.parametrize("large", [False, True])
def test_a_silent_neuron_has_no_mode(large, monkeypatch, x, counts):
    if large:
        force(monkeypatch, None)
    y = np.column_stack([counts, np.zeros(ROWS)])
    mode = find_mode(problem(x, y))
    assert list(mode.converged) == [True, True, False]
    assert np.isfinite(mode.intercept).all() and np.isfinite(mode.coefficients).all()
    assert np.exp(mode.intercept[2] + x @ mode.coefficients[:, 2]).sum() < 1e-3
    np.testing.assert_allclose(
        mode.coefficients[:, :2], find_mode(problem(x, counts)).coefficients, rtol=1e-8
    )
    proper = problem(x, y, penalty=normal_penalty(np.ones((3, 3))), intercept_precision=np.ones(3))
    assert find_mode(proper).converged.all()


@pytest.mark.parametrize("large", [False, True])
def test_separated_outcomes_have_no_mode(large, monkeypatch, x):
    if large:
        force(monkeypatch, None)
    y = (x[:, :1] > 3).astype(int)
    assert not find_mode(problem(x, y, "bernoulli")).converged.any()
    ridge = normal_penalty(np.ones((3, 1)))
    assert find_mode(problem(x, y, "bernoulli", penalty=ridge)).converged.all()


def test_an_identity_link_stays_inside_its_range(x, trials):
    y = responses(UNIQUE["exponential"], "identity", x, trials)
    mode = find_mode(problem(x, y, "exponential", "identity"))
    assert mode.converged.all()
    assert (mode.intercept + x @ mode.coefficients > 0).all()


def test_without_an_intercept(x, counts):
    groups = np.eye(3)[np.arange(ROWS) % 3]
    mode = find_mode(problem(groups, counts, "poisson", "identity", intercept=False))
    assert mode.converged.all()
    assert (mode.intercept == 0).all()
    means = np.array([counts[i::3].mean(axis=0) for i in range(3)])
    np.testing.assert_allclose(mode.coefficients, means, rtol=1e-8)
    mode = find_mode(problem(groups, counts, intercept=False))
    np.testing.assert_allclose(mode.coefficients, np.log(means), rtol=1e-8)
    y = counts + 0.5 * x[:, :2]
    mode = find_mode(problem(x, y, "normal", intercept=False))
    np.testing.assert_allclose(mode.coefficients, np.linalg.lstsq(x, y)[0], rtol=1e-8)


def test_priors_pull(x, counts):
    precision = np.array([[3.0, 1.0], [20.0, 0.0], [1.0, 2.0]])
    lean, rough = np.array([1.0, 0.5, -1.0]), np.array([[2.0, -1.0], [-1.0, 2.0]])
    pull = normal_penalty(precision, 0.7)
    pull = Penalty(
        pull.precision,
        pull.centre,
        pull.absolute,
        pull.group,
        pull.group_weight,
        ((slice(1, 3), rough),),
    )
    given = problem(
        x,
        counts,
        penalty=pull,
        intercept_precision=np.array([4.0, 0.5]),
        intercept_centre=np.array([1.0, -1.0]),
        lean=lean,
    )
    mode = find_mode(given)
    assert mode.converged.all()
    for n in range(NEURONS):
        b, w = mode.intercept[n], mode.coefficients[:, n]
        residual = counts[:, n] - np.exp(b + x @ w)
        away = given.intercept_precision[n] * (b + lean @ w - given.intercept_centre[n])
        slope = x.T @ residual - precision[:, n] * (w - 0.7) - lean * away
        slope[1:] -= rough @ w[1:]
        np.testing.assert_allclose(slope, 0, atol=1e-6)
        assert residual.sum() - away == pytest.approx(0, abs=1e-7)
    bend = curvature(given, mode)[1]
    eta = mode.intercept[1] + x @ mode.coefficients[:, 1]
    design, line = np.column_stack([np.ones(ROWS), x]), np.r_[1, lean]
    expected = design.T @ (np.exp(eta)[:, None] * design) + 0.5 * np.outer(line, line)
    expected[1:, 1:] += np.diag(precision[:, 1])
    expected[2:, 2:] += rough
    np.testing.assert_allclose(bend, expected, rtol=1e-10)


def gamma_prior(jacobian):
    import numpyro.distributions as dist

    numbers = (np.array([2.0, 30.0]), np.array([1.0, 5.0]))
    prior = ScalarPrior("gamma", lambda s, n: dist.Gamma(n[0], n[1]).log_prob(s).sum(), numbers)
    return {"scalar_prior": prior, "jacobian": jacobian}, numbers


@pytest.mark.parametrize("family", ["normal", "gamma", "zero_inflated_poisson"])
def test_the_density_of_scalars_on_either_scale(family, x, trials):
    y = responses(UNIQUE[family], UNIQUE[family].links[0], x, trials)
    for jacobian in (False, True):
        given = problem(x, y, family, jacobian=jacobian)
        mode = find_mode(given)
        assert mode.converged.all()
        check_brute_force(given, mode, 1e-18)
        with jax.enable_x64(True):
            function = brute_force(given)
            for n in range(NEURONS):
                slope = lambda v, n=n, f=function: np.asarray(f(v, y[:, n], {})[1])
                expected = slopes_of(slope, vector(given, mode, n))
                bend = curvature(given, mode)[n]
                np.testing.assert_allclose(bend, expected, rtol=1e-5, atol=1e-5 * bend.max())


def test_priors_of_scalars(x, trials):
    y = responses(UNIQUE["gamma"], "log", x, trials)
    fields, (shape, rate) = gamma_prior(jacobian=True)
    given = problem(x, y, "gamma", **fields)
    mode, plain = find_mode(given), problem(x, y, "gamma")
    assert mode.converged.all()
    with jax.enable_x64(True):
        function = brute_force(plain)
        for n in range(NEURONS):
            at = vector(given, mode, n)
            slope = np.array(function(at, y[:, n], {})[1])
            # log density of log alpha: shape log alpha - rate alpha
            slope[-1] -= shape[n] - rate[n] * mode.scalars[0, n]
            np.testing.assert_allclose(slope, 0, atol=1e-5)


@pytest.mark.parametrize("family", ["normal", "gamma"])
def test_penalties_relative_to_the_dispersion(family, x, trials):
    y = responses(UNIQUE[family], UNIQUE[family].links[0], x, trials)
    unit = (lambda s: 1 / s[0] ** 2) if family == "normal" else (lambda s: s[0])
    strength = np.full((COEFFICIENTS, NEURONS), 30.0)
    given = problem(x, y, family, penalty=lambda s: normal_penalty(strength * unit(s)))
    mode = find_mode(given)
    assert mode.converged.all()
    if family == "normal":
        centred = x - x.mean(axis=0)
        expected = np.linalg.solve(
            centred.T @ centred + 30 * np.eye(3), centred.T @ (y - y.mean(axis=0))
        )
        np.testing.assert_allclose(mode.coefficients, expected, rtol=1e-8)
        residual = y - mode.intercept - x @ mode.coefficients
        np.testing.assert_allclose(mode.scalars[0] ** 2, (residual**2).mean(axis=0), rtol=1e-8)
    else:
        ratio = y / np.exp(mode.intercept + x @ mode.coefficients)
        np.testing.assert_allclose(x.T @ (ratio - 1), 30 * mode.coefficients, atol=1e-6)
        alpha = mode.scalars[0]
        statistic = (np.log(ratio) - ratio).mean(axis=0) + 1 + np.log(alpha)
        np.testing.assert_allclose(scipy.special.digamma(alpha), statistic, rtol=1e-8)


def test_a_start_at_the_mode_is_recognised(x, counts):
    given = problem(x, counts)
    first = find_mode(given)
    again = find_mode(problem(x, counts, start=first))
    assert again.passes == 1
    np.testing.assert_allclose(again.coefficients, first.coefficients, rtol=1e-9)
