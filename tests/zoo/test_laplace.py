"""Laplace's method by elimination against quadrature and against a generic implementation."""

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from scipy.stats import norm

import bayeszoo as bz
from bayeszoo.inference.layout import lay_out
from bayeszoo.inference.marginalise import by_laplace
from bayeszoo.inference.modes import marginal, split_sites
from bayeszoo.zoo.density import log_density, natural, site_shapes

CASES = {
    "poisson": ("counts ~ x + (1 + x | m)", "poisson"),
    "gamma nested": ("power ~ x + (1 | m/k)", "gamma"),
    "gamma crossed": ("power ~ x + (1 + x | m) + (1 | k)", "gamma"),
    "bernoulli": ("heads ~ x + (1 | m) + (0 + x | m)", "bernoulli"),
    "student": ("y ~ x + (1 | m)", "student"),
    "modelled shape": ("power ~ x + (1 | m)\nalpha ~ x", "gamma"),
    "log link": ("power ~ x + (1 | m)", "normal"),
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    n = 160
    table = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "m": rng.integers(0, 7, n).astype(str),
            "k": rng.integers(0, 4, n).astype(str),
        }
    )
    effect = 0.4 * rng.normal(size=7)[table["m"].astype(int)]
    eta = 0.7 + 0.3 * table["x"] + effect
    return table.assign(
        counts=rng.poisson(np.exp(eta)),
        power=rng.gamma(3, np.exp(eta) / 3),
        heads=(rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int),
        y=eta + 0.5 * rng.standard_t(4, n),
    )


def _model(data, case):
    formula, family = CASES[case]
    link = "log" if case == "log link" else None
    return bz.Model(formula, data, family=family, link=link)


@pytest.mark.parametrize("case", CASES)
def test_equals_the_generic_method_up_to_a_constant(data, case):
    """Generic: Newton's method on NumPyro's joint density, one dense block for crossed factors."""
    problem = _model(data, case).problem
    quick = by_laplace(problem)
    slow = lay_out(problem)
    theta, u = split_sites(slow.structure, slow.numbers)
    rng = np.random.default_rng(0)

    compiled = (
        jax.jit(
            jax.value_and_grad(
                lambda r: log_density(quick.structure, r, dict(quick.design), quick.numbers, False)
            )
        ),
        jax.jit(
            jax.value_and_grad(
                lambda r: marginal(slow.structure, False, r, u, slow.design, slow.numbers)[0]
            )
        ),
    )

    def both(raw):
        with jax.enable_x64(True):
            return [function(raw) for function in compiled]

    constants = []
    for _ in range(2):
        raw = {name: 0.3 * rng.normal(size=np.shape(v)) for name, v in theta.items()}
        quick_found, slow_found = both(raw)
        constants.append(float(quick_found[0] - slow_found[0]))
        for site, slope in slow_found[1].items():
            np.testing.assert_allclose(quick_found[1][site], slope, rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(constants[0], constants[1], rtol=1e-8, atol=1e-6)


def test_is_near_quadrature_for_one_effect(data):
    """Adaptive quadrature by brute force: Laplace's error falls with the rows of a group."""
    model = bz.Model("counts ~ 1 + (1 | m)", data, family="poisson")
    problem = by_laplace(model.problem)
    with jax.enable_x64(True):
        shapes = site_shapes(problem.structure, problem.numbers)
        raw = {name: np.zeros(shape) for name, shape in shapes.items()}
        values = natural(problem.structure, raw, problem.design, problem.numbers)
        other = {**raw, "mu.coefficients": raw["mu.coefficients"] + 0.5}
        change = [
            log_density(problem.structure, r, dict(problem.design), problem.numbers)
            for r in (raw, other)
        ]
        moved = natural(problem.structure, other, problem.design, problem.numbers)
        numbers = [dict(model.spec.prior["Intercept"].arguments)][0]
    sd = float(np.asarray(values["mu.group0.sd"])[0])
    grid = np.linspace(-8, 8, 4001)

    def exact(intercept):
        total = norm.logpdf(intercept, numbers["loc"], numbers["scale"])
        for _, rows in data.groupby("m"):
            y = rows["counts"].to_numpy()
            eta = intercept + sd * grid
            logs = y.sum() * eta - len(y) * np.exp(eta) - gammaln(y + 1).sum() + norm.logpdf(grid)
            total += np.log(np.trapezoid(np.exp(logs - logs.max()), grid)) + logs.max()
        return total

    intercepts = [float(np.asarray(v["mu.coefficients"])[0]) for v in (values, moved)]
    wanted = exact(intercepts[1]) - exact(intercepts[0])
    np.testing.assert_allclose(float(change[1] - change[0]), wanted, atol=0.01)
