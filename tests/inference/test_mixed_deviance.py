"""The deviance of mixed models: gradient against differences, sparse borders against dense ones."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.backend import Problem
from bayeszoo.inference.frequentist import read_rows
from bayeszoo.inference.mixed import border as mixed_border
from bayeszoo.inference.mixed import system as mixed_system
from bayeszoo.inference.mixed.border import DenseBorder, SparseBorder
from bayeszoo.inference.mixed.deviance import deviance, factorise, fixed_covariance
from bayeszoo.inference.mixed.effects import draw_effects
from bayeszoo.inference.mixed.factors import read_factors
from bayeszoo.inference.mixed.gradient import gradient_of
from bayeszoo.inference.mixed.nested import NestedBorder, find_hosts
from bayeszoo.inference.mixed.optimum import derivatives, find_optimum
from bayeszoo.inference.mixed.start import find_start
from bayeszoo.inference.mixed.system import assemble

FORMULAS = [
    "y ~ x + (1 | s)",
    "y ~ x + (1 + x | s)",
    "y ~ x + (1 | s) + (1 | d) + (1 | k)",
    "y ~ x + (1 + x | s) + (1 + x | d) + (1 | k)",
    "y ~ 0 + (1 + x || s) + (1 | d)",
]


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(3)
    s, d, k = (generator.integers(0, size, 900) for size in (120, 40, 4))
    x = generator.normal(size=900)
    y = x + np.sin(s) * (1 + x / 2) + np.cos(3 * d) + k / 4 + generator.normal(size=900)
    named = {"s": s.astype(str), "d": d.astype(str), "k": k.astype(str), "h": (s // 10).astype(str)}
    return pd.DataFrame({"y": y, "x": x, **named})


def system_of(formula, table, reml):
    model = bz.Model(formula, table)
    problem = Problem(model.spec, model.design, model.spec.structure, lambda: model.numbers)
    rows = read_rows(problem, "lme")
    factors = read_factors(problem, rows.kept)
    return assemble(rows.matrix, rows.y, rows.counts, rows.precision, factors, rows.known, reml)


@pytest.fixture(params=["dense", "pairs", "sparse"])
def form(request, monkeypatch):
    """Which form the border takes where there is more than one factor."""
    if request.param != "dense":
        monkeypatch.setattr(mixed_border, "SMALL", 0)
        monkeypatch.setattr(mixed_border, "GAIN", 0.0)
        monkeypatch.setattr(mixed_border, "CHUNK", 10_000)
    if request.param == "sparse":
        monkeypatch.setattr(mixed_border, "MOST_PAIRS", 0)
    return request.param


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("reml", [True, False])
def test_gradient_is_that_of_differences(table, formula, reml, form):
    system = system_of(formula, table, reml)
    several = len(system.factors) > 1
    kind = SparseBorder if several and form != "dense" else DenseBorder
    assert isinstance(system.border, kind)
    if kind is SparseBorder:
        assert (system.border.pairs is None) == (form == "sparse")
    system = system.in_units(np.linspace(0.5, 2, len(system.factors)))
    generator = np.random.default_rng(0)
    for singular in (False, True):
        theta = generator.normal(size=system.parameters)
        if singular:
            theta[-1] = 0
        found = gradient_of(factorise(system, theta))
        step = 1e-5 * np.eye(len(theta))
        numeric = [(deviance(system, theta + e) - deviance(system, theta - e)) / 2e-5 for e in step]
        np.testing.assert_allclose(found, numeric, atol=1e-4, rtol=1e-6)


@pytest.mark.parametrize("formula", FORMULAS[2:])
def test_sparse_borders_change_nothing(table, formula, form):
    theta = np.random.default_rng(1).normal(size=system_of(formula, table, True).parameters)
    system = system_of(formula, table, True)
    arrays = system.border
    if isinstance(arrays, SparseBorder):
        whole = arrays.matrix.toarray().reshape(len(system.blocks), arrays.size, -1)
        dense = DenseBorder(whole)
        generator = np.random.default_rng(2)
        roots = generator.normal(size=system.blocks.shape)
        middle = generator.normal(size=system.corner.shape)
        middle += middle.T
        vector = generator.normal(size=(len(middle), 3))
        np.testing.assert_allclose(arrays.products(roots), dense.products(roots), atol=1e-9)
        np.testing.assert_allclose(arrays.forms(middle), dense.forms(middle), atol=1e-9)
        np.testing.assert_allclose(arrays.times(vector), dense.times(vector), atol=1e-9)
    y, z = table.y.to_numpy(), []
    for factor, matrix in zip(system.factors, system.lambdas(theta), strict=True):
        columns = np.zeros((len(y), factor.groups, factor.size))
        columns[np.arange(len(y)), factor.index] = factor.effects @ factor.scale @ matrix
        z.append(columns.reshape(len(y), -1))
    z = np.concatenate(z, axis=1)
    x = np.column_stack([np.ones(len(y)), table.x])[:, : 2 * ("0 +" not in formula)]
    covariance = np.eye(len(y)) + z @ z.T
    inverse = np.linalg.inv(covariance)
    information = x.T @ inverse @ x
    residual = y - x @ np.linalg.solve(information, x.T @ inverse @ y) if x.shape[1] else y
    freedom = len(y) - x.shape[1]
    expected = (
        np.linalg.slogdet(covariance)[1]
        + np.linalg.slogdet(information)[1]
        + freedom * (1 + np.log(2 * np.pi * (residual @ inverse @ residual) / freedom))
    )
    assert deviance(system, theta) == pytest.approx(expected, rel=1e-10)
    back = np.linalg.inv(system.basis[0])
    found = back @ fixed_covariance(factorise(system, theta)) @ back.T
    np.testing.assert_allclose(found, np.linalg.inv(information), rtol=1e-8)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e3])
def test_the_start_is_near_whatever_the_scale(table, scale):
    away = table.assign(y=table.y + scale * np.cos(7 * table.s.astype(int)))
    system = system_of("y ~ x + (1 | s) + (1 | d)", away, True)
    start = find_start(system)
    assert start.has_noise
    optimum = find_optimum(start)
    assert optimum.converged
    before, best = deviance(start.system, start.theta), optimum.deviance
    assert best <= before < best + 5
    slopes = derivatives(start.system, optimum.theta)
    assert -0.5 * slopes.gradient @ np.linalg.solve(slopes.hessian, -slopes.gradient) < 1e-8


def test_the_hessian_is_that_of_values(table):
    system = system_of(FORMULAS[1], table, False)
    theta = np.array([0.8, 0.2, 0.5])
    found = derivatives(system, theta).hessian
    h, unit = 1e-3, np.eye(3)
    numeric = [
        [
            sum(
                a * b * deviance(system, theta + h * (a * unit[i] + b * unit[j]))
                for a in (1, -1)
                for b in (1, -1)
            )
            / (4 * h**2)
            for j in range(3)
        ]
        for i in range(3)
    ]
    np.testing.assert_allclose(found, numeric, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + (1 | h) + (1 | s)",
        "y ~ x + (1 + x | h) + (1 + x | s)",
        "y ~ x + (1 | h) + (1 + x || s) + (1 | k)",
        "y ~ x + (1 | h) + (1 | s) + (1 + x | d)",
        "y ~ 0 + (1 | h / k)",
    ],
)
@pytest.mark.parametrize("reml", [True, False])
def test_nested_factors_are_eliminated_one_by_one(table, formula, reml, monkeypatch):
    flat = system_of(formula, table, reml)
    monkeypatch.setattr(mixed_system, "MANY", 0)
    system = system_of(formula, table, reml)
    assert isinstance(system.border, NestedBorder) and not isinstance(flat.border, NestedBorder)
    # the order of factors may differ
    parts = np.random.default_rng(4).normal(size=(len(system.factors), 3))
    part = {f.groups: p[: int(f.mask.sum())] for f, p in zip(flat.factors, parts, strict=True)}
    thetas = [np.concatenate([part[f.groups] for f in s.factors]) for s in (flat, system)]
    assert deviance(system, thetas[1]) == pytest.approx(deviance(flat, thetas[0]), rel=1e-12)
    at = factorise(system, thetas[1])
    step = 1e-5 * np.eye(len(thetas[1]))
    numeric = [
        (deviance(system, thetas[1] + e) - deviance(system, thetas[1] - e)) / 2e-5 for e in step
    ]
    np.testing.assert_allclose(gradient_of(at), numeric, atol=1e-4, rtol=1e-6)
    covariance = fixed_covariance(factorise(flat, thetas[0]))
    np.testing.assert_allclose(fixed_covariance(at), covariance, rtol=1e-9)
    found = []
    for built in (flat, system):
        start = find_start(built)
        optimum = find_optimum(start)
        effects = draw_effects(start.system, optimum, np.random.default_rng(5), 4000)
        found.append((optimum.deviance, effects))
    (a, one), (b, other) = found
    assert a == pytest.approx(b, rel=1e-10)
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-5)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-4)
    for (mode, se), (mode2, se2), drawn in zip(
        one.modes, other.modes, other.group_draws, strict=True
    ):
        np.testing.assert_allclose(mode2, mode, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(se2, se, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(drawn.std(axis=0), se, rtol=0.08, atol=1e-5)
        error = np.abs(drawn.mean(axis=0) - mode) / np.maximum(se, 1e-9)
        assert error.max() < 5 / np.sqrt(4000)


def test_finds_hosts():
    outer = np.array([0, 0, 1, 1, 0])
    assert list(find_hosts(np.array([0, 1, 2, 2, 1]), 3, outer)) == [0, 0, 1]
    assert find_hosts(np.array([0, 1, 2, 1, 1]), 3, outer) is None
