"""Modes under penalties with kinks: the conditions of an optimum, and NeMoS."""

import numpy as np
import pytest

from bayeszoo.formula.features import Dense
from bayeszoo.inference.glm import search as glm_search
from bayeszoo.inference.glm.kinks import Kinks
from bayeszoo.inference.glm.mode import find_mode
from bayeszoo.inference.glm.problem import GlmProblem, Penalty
from bayeszoo.inference.glm.quadratic import Quadratic
from bayeszoo.zoo.families import FAMILIES
from bayeszoo.zoo.links import LINKS

NEMOS = {
    "ridge": [
        [-0.01461037, 0.39110169, -0.09107956, 0.64659301, 0.05320823, 0.0072225],
        [0.08135484, 0.27303948, 0.50703289, 0.12875595, -0.17762476, 0.21486437],
    ],
    "lasso": [
        [0.0049633, 0.27104565, 0, 0.5681038, 0, 0],
        [0.10862629, 0.14029667, 0.40707402, 0, -0.0211746, 0.0550401],
    ],
    "elastic net": [
        [0.01267031, 0.27340062, 0, 0.5024492, 0, 0],
        [0.10900268, 0.17123005, 0.38583626, 0.02748638, -0.07426259, 0.10441714],
    ],
    "group lasso": [
        [0.02748781, 0.19361001, -0.04586104, 0.41039651, 0.03851542, 0.00545363],
        [0.11082528, 0.19764523, 0.36171976, 0.01077067, -0.01534439, 0.01750331],
    ],
}
"""nemos 0.2.8, jax_enable_x64: GLM(regularizer, regularizer_strength).fit(x, y[:, n]) for the data of
`nemos_data` and each neuron; Ridge 0.05 by LBFGS; Lasso 0.05, ElasticNet (0.1, 0.3) and GroupLasso 0.05
(groups 0, 1 and 2, 3, 4) by ProximalGradient; tol=1e-15. Intercept first."""


def nemos_data():
    state = np.random.RandomState(123)
    x = 0.5 * state.normal(size=(500, 5))
    return x, state.poisson(np.exp(x @ state.uniform(size=(5, 2))))


def penalty(shape, precision=0.0, absolute=0.0, group=None, weights=()):
    flat, full = Penalty.flat(*shape), lambda v: np.broadcast_to(v, shape).astype(float)
    return Penalty(
        full(precision),
        flat.centre,
        full(absolute),
        flat.group if group is None else np.asarray(group),
        np.tile(np.reshape(weights, (-1, 1)), (1, shape[1])).astype(float),
    )


def problem(x, y, given, family="poisson", **fields):
    rows, p, neurons = *x.shape, y.shape[1]
    centred = x - x.mean(axis=0)
    member = FAMILIES[family]
    values = {
        "features": Dense(x),
        "means": x.mean(axis=0),
        "gram": centred.T @ centred / rows,
        "y": y,
        "offset": np.zeros(rows),
        "weights": None,
        "intercept": True,
        "family": member,
        "link": LINKS[member.links[0]],
        "scalars": tuple(parameter.name for parameter in member.parameters),
        "penalty": given if callable(given) else lambda scalars: given,
        "intercept_precision": np.zeros(neurons),
        "intercept_centre": np.zeros(neurons),
        "lean": np.zeros(p),
    }
    return GlmProblem(**(values | fields))


def nemos_penalty(name, rows):
    group = [0, 0, 1, 1, 1]
    return {
        "ridge": penalty((5, 2), precision=rows * 0.05),
        "lasso": penalty((5, 2), absolute=rows * 0.05),
        "elastic net": penalty((5, 2), precision=rows * 0.07, absolute=rows * 0.03),
        "group lasso": penalty((5, 2), group=group, weights=rows * 0.05 * np.sqrt([2.0, 3.0])),
    }[name]


def check_conditions(x, y, given, mode, mean=np.exp, weigh=1.0):
    """Zero is among the subgradients."""
    residual = weigh * (y - mean(mode.intercept + x @ mode.coefficients))
    np.testing.assert_allclose(residual.sum(axis=0), 0, atol=1e-6)
    w = mode.coefficients
    slope = x.T @ residual - given.precision * w
    for n in range(y.shape[1]):
        single = given.group < 0
        a = given.absolute[:, n]
        held = single & (w[:, n] == 0)
        assert (np.abs(slope[held, n]) <= a[held] + 1e-6).all()
        loose = single & (w[:, n] != 0)
        np.testing.assert_allclose(
            slope[loose, n], (a * np.sign(w[:, n]))[loose], atol=1e-6 * a.max()
        )
        for g, weight in enumerate(given.group_weight[:, n]):
            members = given.group == g
            norm = np.linalg.norm(w[members, n])
            if norm == 0:
                assert np.linalg.norm(slope[members, n]) <= weight + 1e-6
            else:
                unit = weight * w[members, n] / norm
                np.testing.assert_allclose(slope[members, n], unit, rtol=1e-6, atol=1e-6)


def force(monkeypatch):
    monkeypatch.setattr(glm_search, "NEWTON_OPERATIONS", (0, 0))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", NEMOS)
def test_agrees_with_nemos(name, large, monkeypatch):
    if large:
        force(monkeypatch)
    x, y = nemos_data()
    mode = find_mode(problem(x, y, nemos_penalty(name, len(x))))
    assert mode.converged.all()
    found = np.vstack([mode.intercept, mode.coefficients]).T
    np.testing.assert_allclose(found, NEMOS[name], atol=1e-7)
    np.testing.assert_array_equal(found == 0, np.array(NEMOS[name]) == 0)


def correlated(rows=2000, p=24, seed=0):
    """Columns in groups of four that are nearly the same, in different units, and counts."""
    generator = np.random.default_rng(seed)
    base = np.repeat(generator.normal(size=(rows, p // 4)), 4, axis=1)
    x = base + 3e-3 * generator.normal(size=(rows, p))
    w = np.zeros((p, 3))
    w[:8] = 0.1 * generator.normal(size=(8, 3))
    units = np.tile([1.0, 2.0, 0.5, 1.0], p // 4)
    return x * units + 2, generator.poisson(np.exp(x @ w))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("strength", [3.0, 0.1])
@pytest.mark.parametrize("kind", ["lasso", "elastic net", "group lasso", "both"])
def test_conditions_of_an_optimum(kind, strength, large, monkeypatch):
    if large:
        force(monkeypatch)
    x, y = correlated()
    shape, groups = (24, 3), np.repeat(np.arange(6), 4)
    half = np.where(groups < 3, groups, -1)
    given = {
        "lasso": penalty(shape, absolute=strength),
        "elastic net": penalty(shape, precision=0.3 * strength, absolute=strength),
        "group lasso": penalty(shape, group=groups, weights=np.full(6, 9 * strength)),
        "both": penalty(
            shape,
            absolute=np.where(half < 0, strength, 0.0)[:, None],
            group=half,
            weights=np.full(3, 2 * strength),
        ),
    }[kind]
    mode = find_mode(problem(x, y, given))
    assert mode.converged.all()
    assert (mode.coefficients == 0).any() or strength < 1
    check_conditions(x, y, given, mode)


def test_a_penalty_without_use_is_none():
    x, y = nemos_data()
    plain = find_mode(problem(x, y, penalty((5, 2))))
    faint = find_mode(problem(x, y, penalty((5, 2), absolute=1e-7)))
    np.testing.assert_allclose(faint.coefficients, plain.coefficients, atol=1e-8)
    strong = find_mode(problem(x, y, penalty((5, 2), absolute=1e5)))
    assert strong.converged.all() and (strong.coefficients == 0).all()
    np.testing.assert_allclose(np.exp(strong.intercept), y.mean(axis=0), rtol=1e-8)


def test_masked_coefficients_stay_0():
    x, y = nemos_data()
    free = np.array([[1, 1], [1, 0], [0, 1], [1, 1], [1, 1]], dtype=bool)
    for name in ("lasso", "group lasso"):
        given = nemos_penalty(name, 50)
        mode = find_mode(problem(x, y, given, free=free))
        assert mode.converged.all() and (mode.coefficients[~free] == 0).all()
        assert (mode.coefficients[free] != 0).any()
    alone = find_mode(problem(x[:, free[:, 0]], y[:, :1], penalty((4, 1), absolute=2.5)))
    mode = find_mode(problem(x, y, nemos_penalty("lasso", 50), free=free))
    np.testing.assert_allclose(
        mode.coefficients[free[:, 0], 0], alone.coefficients[:, 0], atol=1e-8
    )


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("family", ["normal", "gamma"])
def test_with_scalars(family, relative):
    generator = np.random.default_rng(4)
    x = generator.normal(size=(500, 6))
    eta = x[:, :2] * 0.4
    normal = family == "normal"
    y = (
        eta + 0.5 * generator.normal(size=eta.shape)
        if normal
        else generator.gamma(4, np.exp(eta) / 4)
    )
    unit = (lambda s: 1 / s[0] ** 2) if normal else (lambda s: s[0])
    strength = (lambda s: 15 * unit(s)) if relative else (lambda s: 30.0)
    mode = find_mode(problem(x, y, lambda s: penalty((6, 2), absolute=strength(s)), family))
    assert mode.converged.all()
    assert (mode.coefficients == 0).any()
    given, weigh = penalty((6, 2), absolute=strength(mode.scalars)), unit(mode.scalars)
    if normal:
        check_conditions(x, y, given, mode, mean=lambda v: v, weigh=weigh)
        residual = y - mode.intercept - x @ mode.coefficients
        np.testing.assert_allclose(mode.scalars[0] ** 2, (residual**2).mean(axis=0), rtol=1e-8)
    else:
        ratio = y / np.exp(mode.intercept + x @ mode.coefficients)
        held = mode.coefficients == 0
        slope = weigh * (x.T @ (ratio - 1))
        expected = given.absolute * np.sign(mode.coefficients)
        np.testing.assert_allclose(slope[~held], expected[~held], rtol=1e-6)
        assert (np.abs(slope) <= given.absolute * (1 + 1e-6)).all()


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e7])
def test_quadratic_functions(condition):
    generator = np.random.default_rng(8)
    axes = np.linalg.qr(generator.normal(size=(30, 30)))[0]
    hessian = (axes * np.geomspace(1, condition, 30)) @ axes.T
    hessian = np.stack([hessian, hessian[::-1, ::-1]])
    gradient, x = 20 * generator.normal(size=(2, 30)), np.zeros((2, 30))
    absolute = np.full((2, 30), 10.0)
    absolute[:, 0] = 0.0
    groups = (np.arange(20, 25), np.arange(25, 30))
    for kinks in (
        Kinks(absolute, (), np.zeros((2, 0))),
        Kinks(np.where(np.arange(30) < 20, absolute, 0.0), groups, np.full((2, 2), 25.0)),
    ):
        quadratic = Quadratic(hessian, kinks, np.ones((2, 30), dtype=bool))
        v, gain = quadratic.minimise(gradient, x)
        slope = gradient + np.einsum("nij,nj->ni", hessian, v)
        lower = -(0.5 * np.sum(v * (gradient + slope), axis=1) + kinks.value(v))
        np.testing.assert_allclose(gain, lower, rtol=1e-9)
        _, more = quadratic.minimise(slope, v)
        assert (more < 1e-9 * gain).all()
        singles = slice(0, 20)
        a, s = kinks.absolute[:, singles], slope[:, singles]
        at = v[:, singles]
        rounding = 1e-5 * max(1.0, condition / 1e6)  # of slopes, sums of terms of that size
        np.testing.assert_allclose(s[at != 0], -(a * np.sign(at))[at != 0], atol=rounding)
        assert (np.abs(s[at == 0]) <= a[at == 0] + rounding).all()
