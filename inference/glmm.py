"""The maximum of the Laplace-approximated likelihood of a generalised linear mixed model.

Parameters are coefficients in nearly orthonormal coordinates, the scalars of the family on the scale of
their links, and the lower triangle of each L, in units of a guess. The likelihood does not change with
the signs of L's columns, so that a variance of zero is an inner maximum at zero.

Source: Bates et al. (2015), J. Stat. Softw. 67; Brooks et al. (2017), R Journal 9:378.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..formula.terms import MEAN
from ..zoo import laplace
from ..zoo.compile import laplace_frame, observe, row_density
from ..zoo.links import LINKS
from ..zoo.marginal import Conditions
from ..zoo.statistics import orthonormal
from ..zoo.structure import Structure
from .backend import Problem
from .programs import double_precision, program
from .quasi_newton import hessian, minimise

ZERO = 1e-4
"""A column of L this small, in units of a guess, is zero."""
GAIN = 1e-7
FLAT = 1e-7
"""Curvatures this small beside the largest are none."""


@dataclass(frozen=True, eq=False)
class Point:
    """The parameters of a generalised linear mixed model in natural units.

    Attributes:
        coefficients: shape (coef,).
        factors: L by site, shape (effect, effect).
        scalars: the family's further parameters by name.
    """

    coefficients: np.ndarray
    factors: dict[str, np.ndarray]
    scalars: dict[str, float]


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the likelihood is largest.

    Attributes:
        problem: the model with group effects integrated out; Newton's method starts at their mode.
        x: parameters in the coordinates of the search.
        covariance: of x, by the curvature; directions without curvature have none.
        flat: directions in which the likelihood has no curvature, shape (parameter, direction).
        log_likelihood: with all constants.
        converged: whether a further Newton step promises nothing.
        read: coordinates -> natural units.
    """

    problem: Problem
    x: np.ndarray
    covariance: np.ndarray
    flat: np.ndarray
    log_likelihood: float
    converged: bool
    read: Any


def coordinates(problem: Problem) -> dict[str, Any]:
    """Returns how coordinates become natural parameters: arrays that the program takes."""
    arrays, spec = problem.training.predictors[MEAN], problem.spec
    predictor = problem.structure.predictors[0]
    basis, _ = orthonormal(arrays.matrix, predictor.intercept)
    start = np.zeros(len(basis))
    if predictor.intercept:
        start[0] = spec.summary.location
    levels = [len(group.levels) for group in spec.schema.predictors[0].groups]
    scalars = [spec.family.parameter(name) for name in problem.structure.scalars]
    guesses = [LINKS[p.link].forward(np.asarray(p.guess(spec.summary))) for p in scalars]
    return {
        "basis": basis / np.sqrt(max(min(levels), 1)),
        "location": start,
        "scalars": np.array(guesses, dtype=np.float64),
        "units": tuple(g["units"] for g in problem.numbers[MEAN]["groups"]),
    }


def lower(predictor: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the free entries of each term's L, as row and column numbers."""
    out = []
    for group in predictor.groups:
        if group.correlated:
            out.append(np.tril_indices(group.effects))
        else:
            out.append((np.arange(group.effects), np.arange(group.effects)))
    return out


def place(structure: Structure, x: Any, known: Mapping[str, Any]) -> Conditions:
    """Returns the parameters at coordinates x, for arrays of JAX."""
    predictor = structure.predictors[0]
    p = known["location"].shape[0]
    coefficients = known["location"] + known["basis"] @ x[:p]
    parameters, at = {}, p
    for i, name in enumerate(structure.scalars):
        link = LINKS[structure.family.parameter(name).link]
        parameters[name] = link.inverse(known["scalars"][i] + x[at])
        at += 1
    factors = {}
    for i, (rows, columns) in enumerate(lower(predictor)):
        units = known["units"][i]
        triangle = jnp.zeros((units.shape[0],) * 2)
        triangle = triangle.at[rows, columns].set(x[at : at + len(rows)])
        factors[f"{predictor.parameter}.group{i}"] = units[:, None] * triangle
        at += len(rows)
    return Conditions(factors, jnp.ones(()), coefficients, None, parameters)


def first_guess(structure: Structure, known: Mapping[str, Any]) -> np.ndarray:
    """Returns coordinates of guessed, uncorrelated group effects."""
    predictor = structure.predictors[0]
    parts = [np.zeros(len(known["location"]) + len(structure.scalars))]
    parts += [(rows == columns).astype(float) for rows, columns in lower(predictor)]
    return np.concatenate(parts)


def find_optimum(problem: Problem) -> Optimum:
    """Maximises the likelihood.

    Args:
        problem: with group effects integrated out by Laplace's method.
    """
    structure, known = problem.structure, coordinates(problem)
    how = structure.marginal
    assert how is not None
    design = dict(problem.design)
    state = {"start": design.pop("start")}

    def function(x: Any, start: Any, design: Any, known: Any) -> Any:
        def value(x: Any) -> Any:
            at = laplace_frame(structure, how, place(structure, x, known), design)
            return laplace.log_likelihood(at, start)

        return jax.value_and_grad(value, has_aux=True)(x)

    x = first_guess(structure, known)
    arguments = (x, state["start"], design, known)
    compiled = program("glmm", structure.key, function, arguments)

    def objective(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with double_precision():
            (value, start), slope = compiled(points[0], state["start"], design, known)
        value, slope = float(value), np.asarray(slope)
        if not np.isfinite(value) or not np.isfinite(slope).all():
            return np.array([np.inf]), np.zeros_like(points)
        state["start"] = jax.tree.map(np.asarray, start)
        return np.array([-value]), -slope[None]

    x, value = x[None], np.inf
    converged, found = False, None
    for _ in range(5):
        found = minimise(objective, x)
        x, value = found.x, float(found.value[0])
        x, converged, downhill = _polish(objective, x, value)
        if downhill is None:
            break
        x = x + downhill
    x = _snap(structure, objective, known, x)
    value = float(objective(x)[0][0])
    curvature = hessian(objective, x)[0]
    unit = _units(curvature)
    values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
    vectors = unit[:, None] * vectors
    steep = values > FLAT * max(values[-1], 1e-300)
    covariance = (vectors[:, steep] / values[steep]) @ vectors[:, steep].T
    started = replace(problem, find_design=lambda: {**design, "start": state["start"]})
    return Optimum(
        started,
        x[0],
        covariance,
        vectors[:, ~steep],
        -value + _constant(started, known, x[0]),
        converged,
        lambda point: read(structure, point, known),
    )


def read(structure: Structure, x: np.ndarray, known: Mapping[str, Any]) -> Point:
    """Returns the parameters at coordinates x, in numpy."""
    predictor = structure.predictors[0]
    p = len(known["location"])
    scalars, at = {}, p
    for i, name in enumerate(structure.scalars):
        with double_precision():
            link = LINKS[structure.family.parameter(name).link]
            scalars[name] = float(link.inverse(jnp.asarray(known["scalars"][i] + x[at])))
        at += 1
    factors = {}
    for i, (rows, columns) in enumerate(lower(predictor)):
        units = known["units"][i]
        triangle = np.zeros((len(units),) * 2)
        triangle[rows, columns] = x[at : at + len(rows)]
        factors[f"{predictor.parameter}.group{i}"] = units[:, None] * triangle
        at += len(rows)
    return Point(known["location"] + known["basis"] @ x[:p], factors, scalars)


def _polish(objective: Any, x: np.ndarray, value: float) -> tuple[np.ndarray, bool, Any]:
    """Newton steps; returns x, whether they converged, and a way down if x is a saddle."""
    for _ in range(10):
        curvature = hessian(objective, x)[0]
        value, gradient = (part[0] for part in objective(x))
        unit = _units(curvature)
        values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
        vectors = unit[:, None] * vectors
        limit = FLAT * max(values[-1], 1.0)
        if values[0] < -1e-4 * max(values[-1], 1.0):
            return x, False, 0.1 * vectors[:, 0][None]
        step = -vectors @ ((vectors.T @ gradient) / np.maximum(values, limit))
        promise = -0.5 * float(gradient @ step)
        if promise < GAIN:
            last = x + step
            return (last if objective(last)[0][0] <= value + GAIN else x), True, None
        length = 1.0
        while length > 1e-3 and not objective(x + length * step)[0][0] < value:
            length /= 2
        if length <= 1e-3:
            return x, promise < 1e-4, None
        x = x + length * step
    return x, False, None


def _units(curvature: np.ndarray) -> np.ndarray:
    """Steps that cost alike in every coordinate, where large counts pin some down to many digits."""
    return np.minimum(1.0, np.maximum(np.diag(curvature), 1.0) ** -0.5)


def _snap(structure: Structure, objective: Any, known: Any, x: np.ndarray) -> np.ndarray:
    """Puts columns of L that are zero but for rounding at zero."""
    snapped = x.copy()
    at = len(known["location"]) + len(structure.scalars)
    for rows, columns in lower(structure.predictors[0]):
        part = snapped[0, at : at + len(rows)]
        for column in np.unique(columns):
            if np.abs(part[columns == column]).max() < 30 * ZERO:
                part[columns == column] = 0.0
        at += len(rows)
    return snapped if objective(snapped)[0][0] < objective(x)[0][0] + 1e-6 else x


def _constant(problem: Problem, known: Mapping[str, Any], x: np.ndarray) -> float:
    """Returns the terms of the log density that depend on the response alone."""
    structure = problem.structure

    def function(x: Any, response: Any, known: Any) -> Any:
        parameters = place(structure, x, known).parameters
        eta = jnp.zeros_like(response["y"]) + known["location"].sum()
        link = LINKS[structure.predictors[0].link]
        values = {**parameters, "mu": link.inverse(eta)}
        exact = observe(structure.family, values, response).log_prob(response["y"])
        return jnp.sum(exact - row_density(structure, response)(eta, parameters))

    arguments = (x, problem.design["response"], known)
    compiled = program("glmm_constant", structure.key, function, arguments)
    with double_precision():
        return float(compiled(*arguments))
