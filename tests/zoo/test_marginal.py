"""Integrating out by elimination against dense normal densities, and against Laplace's method."""

from functools import partial

import jax
import numpy as np
import pandas as pd
import pytest
from numpyro import handlers
from scipy.stats import multivariate_normal

import bayeszoo as bz
from bayeszoo.inference.marginalise import by_laplace, marginalise
from bayeszoo.zoo.compile import model as compiled_model
from bayeszoo.zoo.density import log_density, natural, site_shapes

FORMULAS = {
    "single": "y ~ x + z + (1 + x | m)",
    "independent": "y ~ x + (x || m)",
    "nested": "y ~ x + z + (1 + x | m/k)",
    "three levels": "y ~ x + (1 | m/k/d)",
    "crossed": "y ~ x + (x | m) + (1 | d) + (1 | k)",
    "nested and crossed": "y ~ x + (1 | m/k) + (x || d)",
    "no intercept": "y ~ 0 + x + (0 + x | m) + (1 | d)",
    "known errors": "measured(y, se) ~ x + offset(z) + (1 + x | m:k) + (1 | m) + (1 | d)",
    "weights": "weighted(y, w) ~ x + (1 | m) + (1 | d)",
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    n = 90
    table = pd.DataFrame(
        {
            "x": rng.normal(5, 2, n),
            "z": rng.normal(size=n),
            "m": rng.integers(0, 4, n).astype(str),
            "k": rng.integers(0, 3, n).astype(str),
            "d": rng.integers(0, 5, n).astype(str),
            "w": rng.uniform(0.5, 2, n),
            "se": rng.uniform(0.5, 2, n),
        }
    )
    return table.assign(y=3 + table["x"] * 2 + rng.normal(size=n))


def _raw(problem, seed=1):
    rng = np.random.default_rng(seed)
    shapes = site_shapes(problem.structure, problem.numbers)
    return {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}


def _likelihood(problem, raw):
    """log p(y) alone: the joint density less the priors of the sites."""
    bound = partial(compiled_model, problem.structure, problem.design, problem.numbers)
    trace = handlers.trace(handlers.substitute(bound, data=raw)).get_trace()
    sites = {k: s for k, s in trace.items() if s["type"] == "sample" and k != "response"}
    priors = sum(float(np.sum(s["fn"].log_prob(s["value"]))) for s in sites.values())
    whole = float(log_density(problem.structure, raw, problem.design, problem.numbers))
    return whole - priors


def _dense(problem, values):
    """log p(y) by the dense covariance of the rows."""
    design, spec = problem.training, problem.spec
    arrays = design.predictors["mu"]
    y, n = design.response["y"], design.size
    weights = design.response.get("weights", np.ones(n))
    noise = design.response.get("standard_error", None)
    noise = noise**2 if noise is not None else np.full(n, float(values["sigma"]) ** 2) / weights
    covariance = np.diag(noise)
    for i, group in enumerate(arrays.groups):
        sd = np.asarray(values[f"mu.group{i}.sd"])
        corr = np.asarray(values.get(f"mu.group{i}.corr", np.eye(len(sd))))
        spread = group.effects @ (sd[:, None] * corr * sd) @ group.effects.T
        covariance += spread * (group.index[:, None] == group.index[None])
    first = int(spec.schema.predictors[0].intercept)
    x = np.concatenate([np.ones((n, first)), arrays.matrix], axis=1)
    mean = arrays.offset.copy()
    if problem.structure.marginal.coefficients:
        numbers = [dict(spec.prior[name].arguments) for name in spec.coefficient_names("mu")[0]]
        turn = np.eye(len(numbers))
        turn[0] += np.asarray(problem.numbers["mu"]["coefficients"]["lean"])
        back = np.linalg.inv(turn)
        mean = mean + x @ back @ np.array([number["loc"] for number in numbers])
        scale = back * np.array([number["scale"] for number in numbers])
        covariance += x @ scale @ scale.T @ x.T
    else:
        mean = mean + x @ np.asarray(values["mu.coefficients"])
    value = multivariate_normal.logpdf(y, mean, covariance)
    # a row that counts w times has density p^w, and not the density of a mean of w rows
    sigma2 = float(values["sigma"]) ** 2 if "sigma" in values else 1.0
    extra = 0.5 * np.sum(1 - weights) * np.log(2 * np.pi * sigma2) - 0.5 * np.log(weights).sum()
    return value + (extra if "weights" in design.response else 0.0)


@pytest.mark.parametrize("coefficients", [False, True])
@pytest.mark.parametrize("name", FORMULAS)
def test_equals_the_dense_normal_density(data, name, coefficients):
    problem = marginalise(bz.Model(FORMULAS[name], data).problem, True, coefficients)
    assert problem.structure.marginal.coefficients is coefficients
    with jax.enable_x64(True):
        raw = _raw(problem)
        found = _likelihood(problem, raw)
        values = natural(problem.structure, raw, problem.design, problem.numbers)
    np.testing.assert_allclose(found, _dense(problem, values), rtol=1e-10)


def test_explicit_priors_of_coefficients(data):
    priors = {"Intercept": bz.Normal(1, 3), "x": bz.Normal(0.5, 1)}
    model = bz.Model("y ~ x + (x | m) + (1 | k)", data, priors=priors)
    problem = marginalise(model.problem, True, True)
    with jax.enable_x64(True):
        raw = _raw(problem)
        values = natural(problem.structure, raw, problem.design, problem.numbers)
        np.testing.assert_allclose(_likelihood(problem, raw), _dense(problem, values), rtol=1e-10)


def test_other_priors_keep_their_coefficients(data):
    model = bz.Model("y ~ x + (1 | m)", data, priors={"x": bz.StudentT(4, 0, 1)})
    problem = marginalise(model.problem, True, True)
    assert not problem.structure.marginal.coefficients
    assert "mu.coefficients" in site_shapes(problem.structure, problem.numbers)


@pytest.mark.parametrize("name", ["nested", "crossed", "weights"])
def test_laplace_is_exact_for_normal_responses(data, name):
    model = bz.Model(FORMULAS[name], data)
    exact, approximate = marginalise(model.problem, True, False), by_laplace(model.problem)
    with jax.enable_x64(True):
        raw = _raw(exact)
        values = [
            jax.jit(
                jax.value_and_grad(
                    lambda r, p=p: log_density(p.structure, r, dict(p.design), p.numbers)
                )
            )(raw)
            for p in (exact, approximate)
        ]
    np.testing.assert_allclose(values[0][0], values[1][0], rtol=1e-9)
    for site, gradient in values[0][1].items():
        np.testing.assert_allclose(gradient, values[1][1][site], rtol=1e-6, atol=1e-7)


def test_draws_have_the_moments_of_the_dense_posterior(data):
    problem = marginalise(bz.Model(FORMULAS["nested and crossed"], data).problem, True, True)
    with jax.enable_x64(True):
        raw = _raw(problem)
        draw = jax.jit(
            jax.vmap(
                lambda key: natural(problem.structure, raw, problem.design, problem.numbers, key)
            )
        )
        many = draw(jax.random.split(jax.random.PRNGKey(0), 20_000))
        mode = natural(problem.structure, raw, problem.design, problem.numbers, mode=True)
    arrays, y = problem.training.predictors["mu"], problem.training.response["y"]
    groups, n = arrays.groups, len(y)
    prior = [dict(problem.spec.prior[name].arguments) for name in ("Intercept", "x")]
    turn = np.eye(2)
    turn[0] += np.asarray(problem.numbers["mu"]["coefficients"]["lean"])
    x = np.concatenate([np.ones((n, 1)), arrays.matrix], axis=1)
    scale = np.linalg.inv(turn) * np.array([p["scale"] for p in prior])
    centre = np.linalg.inv(turn) @ np.array([p["loc"] for p in prior])
    columns, blocks = [x], [scale @ scale.T]
    for i, group in enumerate(groups):
        one_hot = np.eye(group.index.max() + 1)[group.index]
        sd = np.asarray(many[f"mu.group{i}.sd"])[0]
        for k in range(group.effects.shape[1]):
            columns.append(one_hot * group.effects[:, [k]])
            blocks.append(np.eye(one_hot.shape[1]) * sd[k] ** 2)
    z = np.concatenate(columns, axis=1)
    prior_covariance = np.zeros((z.shape[1],) * 2)
    at = 0
    for block in blocks:
        prior_covariance[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    sigma2 = float(np.asarray(many["sigma"])[0]) ** 2
    precision = np.linalg.inv(prior_covariance) + z.T @ z / sigma2
    covariance = np.linalg.inv(precision)
    start = np.concatenate([centre, np.zeros(z.shape[1] - 2)])
    mean = start + covariance @ z.T @ (y - z @ start) / sigma2
    drawn = [np.asarray(many["mu.coefficients"])]
    modes = [np.asarray(mode["mu.coefficients"])]
    for i, group in enumerate(groups):
        count = group.index.max() + 1
        for k in range(group.effects.shape[1]):
            drawn.append(np.asarray(many[f"mu.group{i}.effects"])[:, :count, k])
            modes.append(np.asarray(mode[f"mu.group{i}.effects"])[:count, k])
    drawn = np.concatenate(drawn, axis=1)
    np.testing.assert_allclose(np.concatenate(modes), mean, rtol=1e-7, atol=1e-9)
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((drawn.mean(axis=0) - mean) / sd).max() < 5 / np.sqrt(20_000)
    apart = np.cov(drawn.T) / np.outer(sd, sd) - covariance / np.outer(sd, sd)
    assert np.abs(apart).max() < 5 * np.sqrt(2 / 20_000)
