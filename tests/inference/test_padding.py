"""Padded problems: the same posterior in array shapes of which there are few."""

import jax
import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.padding import padded
from bayeszoo.inference.programs import double_precision
from bayeszoo.zoo.density import log_density, site_shapes

MIXED = "y ~ x + (1 + x | g)"


def make(rows=77, groups=19, seed=0):
    rng = np.random.default_rng(seed)
    g = np.arange(rows) % groups
    x = rng.standard_normal(rows)
    mu = np.exp(0.5 + 0.3 * x + 0.4 * rng.standard_normal(groups)[g])
    return pd.DataFrame({"y": rng.gamma(4.0, mu / 4), "x": x, "g": [f"g{i:02d}" for i in g]})


def model(formula, data, family="gamma", **options):
    return bz.Model(formula, data, family=family, **options)


def densities(problem, raw, jacobian):
    def value(raw, design, numbers):
        return log_density(problem.structure, raw, design, numbers, jacobian)

    with double_precision():
        out = jax.jit(jax.value_and_grad(value))(raw, problem.design, problem.numbers)
        return jax.tree.map(np.asarray, out)


def sites(problem, seed=1):
    rng = np.random.default_rng(seed)
    shapes = site_shapes(problem.structure, problem.numbers)
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def enlarge(raw, wide):
    """Puts zeros for the effects of groups that were added."""
    shapes = site_shapes(wide.structure, wide.numbers)
    out = {}
    for name, array in raw.items():
        out[name] = np.zeros(shapes[name])
        out[name][tuple(slice(n) for n in array.shape)] = array
    return out


@pytest.mark.parametrize("jacobian", [True, False])
@pytest.mark.parametrize(
    ("formula", "family"),
    [
        (MIXED, "gamma"),
        ("y ~ x + (x || g)", "student"),
        ("y ~ x + (1 | g)\nalpha ~ x", "gamma"),
        ("weighted(y, w) ~ x + (1 | g)", "gamma"),
        ("measured(y, w) ~ x + (1 | g)", "normal"),
        ("censored(y, s) ~ x + (1 | g) + (1 | h)", "lognormal"),
        ("y ~ x + (1 | g) + offset(x)", "lognormal"),
    ],
)
def test_the_density_differs_by_the_prior_of_added_effects_alone(formula, family, jacobian):
    data = make().assign(w=np.linspace(0.5, 2, 77), s=np.arange(77) % 3 - 1, h=np.arange(77) // 9)
    problem = model(formula, data, family).problem
    wide = padded(problem)
    assert len(wide.design["response"]["y"]) == 80
    raw = sites(problem)
    value, gradient = densities(problem, raw, jacobian)
    more, steeper = densities(wide, enlarge(raw, wide), jacobian)
    added = sum(np.size(a) for a in steeper.values()) - sum(np.size(a) for a in raw.values())
    assert added >= 1
    assert more + 0.5 * np.log(2 * np.pi) * added == pytest.approx(value, rel=1e-12, abs=1e-9)
    for name, array in gradient.items():
        same = steeper[name][tuple(slice(n) for n in array.shape)]
        np.testing.assert_allclose(same, array, rtol=1e-9, atol=1e-9)


def test_effects_that_are_not_normal_keep_their_number_of_groups():
    wide = padded(model("y ~ x + student(1 | g)", make()).problem)
    assert site_shapes(wide.structure, wide.numbers)["mu.group0.effects"] == (19, 1)
    assert len(wide.design["response"]["weights"]) == 80


def shapes(problem):
    leaves, tree = jax.tree.flatten((problem.design, problem.numbers))
    return str(tree), [np.shape(leaf) for leaf in leaves]


def test_padding_twice_is_padding_once():
    once = padded(model(MIXED, make()).problem)
    assert shapes(padded(once)) == shapes(once)


def test_sizes_of_one_bucket_have_one_shape():
    problems = [model(MIXED, make(rows, groups)).problem for rows, groups in ((76, 19), (79, 20))]
    assert shapes(problems[0]) != shapes(problems[1])
    assert shapes(padded(problems[0])) == shapes(padded(problems[1]))
    weights = np.asarray(padded(problems[0]).design["response"]["weights"])
    assert weights[:76].tolist() == [1.0] * 76 and weights[76:].tolist() == [0.0] * 4


def test_populations_stay_as_they_are():
    data, truth = bz.datasets.population(3, 400, seed=1)
    problem = bz.Model(truth["formula"], data, family="poisson").problem
    assert padded(problem) is problem


@pytest.mark.parametrize("method", ["map", "laplace"])
def test_padded_problems_have_the_same_answer(method):
    """To the tolerance of the optimiser, which is 1e-6 of log-density."""
    fitted = model("y ~ x + (1 | g)", make(150, 19)).fit(method, progress=False)
    wide = padded(fitted.model.problem)
    drawn = fitted.backend.run(fitted.backend.settings(), wide, 0, False)
    for name in fitted.draws.natural:
        assert drawn.natural[name].shape == fitted.draws.natural[name].shape
    exact = ["mu.coefficients", "mu.group0.sd", "alpha"]  # drawn first, effects given them
    for name in [*exact, "mu.group0.effects"] if method == "map" else exact:
        np.testing.assert_allclose(
            drawn.natural[name], fitted.draws.natural[name], rtol=1e-3, atol=1e-3
        )
