"""Runs the compiled modes: one Newton program, or a quasi-Newton search over theta."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.flatten_util
import numpy as np

from ..errors import FitError
from ..zoo.density import Raw
from .backend import Problem
from .modes import conditional_mode, flat_mode, marginal, split_sites
from .programs import double_precision, program

GAIN = 1e-6
"""An optimum counts as reached when a Newton step promises less log-density than this."""


@dataclass(frozen=True, eq=False)
class Mode:
    """A posterior mode in raw coordinates.

    Attributes:
        theta: the sites other than group effects.
        u: the group effects given theta, at their mode.
        gain: the log-density that one further Newton step promises.
        value: the log-density at the mode.
        covariance: inverse curvature of the (marginal) log-density of theta, or None.
    """

    theta: Raw
    u: Raw
    gain: float
    value: float
    covariance: np.ndarray | None

    @property
    def converged(self) -> bool:
        """Whether the optimum was reached, in units of log-density, which no rescaling changes."""
        return bool(np.isfinite(self.gain) and self.gain < GAIN)


def find_mode(problem: Problem, jacobian: bool, curvature: bool) -> Mode:
    """Finds the mode of theta, group effects integrated out.

    Args:
        problem: what there is to fit.
        jacobian: whether the density is that of the raw coordinates, or of natural parameters.
        curvature: whether the covariance is wanted.

    Raises:
        FitError: a prior has no mode.
    """
    local = [p for p in problem.structure.predictors if p.coefficients.local or p.own.local]
    if local:
        raise FitError(
            "the density of a horseshoe prior is infinite at 0, so the posterior has no mode. Use "
            '"nuts" or "svi".'
        )
    theta, u = split_sites(problem.structure, problem.numbers)
    if not theta:
        return Mode({}, u, 0.0, 0.0, None)
    if u:
        return _mixed_mode(problem, jacobian, curvature, theta, u)
    return _flat_mode(problem, jacobian, theta)


def _flat_mode(problem: Problem, jacobian: bool, theta: Raw) -> Mode:
    structure = problem.structure
    arguments = (theta, problem.design, problem.numbers)
    function = partial(flat_mode, structure, jacobian)
    compiled = program("flat_mode", f"{structure.key} {jacobian}", function, arguments)
    with double_precision():
        found, gain, value, hessian = jax.tree.map(np.asarray, compiled(*arguments))
    return Mode(found, {}, float(gain), float(value), _inverse(hessian))


def _mixed_mode(problem: Problem, jacobian: bool, curvature: bool, theta: Raw, u: Raw) -> Mode:
    from scipy.optimize import minimize

    structure, design, numbers = problem.structure, problem.design, problem.numbers

    def function(theta: Any, u: Any, design: Any, numbers: Any) -> Any:
        def value(theta: Any) -> Any:
            return marginal(structure, jacobian, theta, u, design, numbers)

        return jax.value_and_grad(value, has_aux=True)(theta)

    arguments = (theta, u, design, numbers)
    compiled = program("marginal", f"{structure.key} {jacobian}", function, arguments)
    start, restore = _flatten(theta)
    latest = {"u": u}

    def objective(vector: np.ndarray) -> tuple[float, np.ndarray]:
        with double_precision():
            (value, effects), gradient = compiled(restore(vector), latest["u"], design, numbers)
        value = float(value)
        flat, _ = _flatten(jax.tree.map(np.asarray, gradient))
        if not np.isfinite(value) or not np.isfinite(flat).all():
            return 1e100, np.zeros_like(vector)
        latest["u"] = jax.tree.map(np.asarray, effects)
        return -value, -flat

    options = {"gtol": 1e-6, "maxiter": 500}
    vector, inverse = start, None
    for _ in range(3):  # a restart forgets a bad curvature estimate
        with np.errstate(all="ignore"):
            found = minimize(objective, vector, jac=True, method="BFGS", options=options)
        moved = np.max(np.abs(found.x - vector), initial=0.0)
        vector, inverse = found.x, found.hess_inv
        if found.success or moved < 1e-9:
            break
    value, gradient = objective(vector)
    if curvature:
        inverse = _inverse(_difference_hessian(objective, vector))
    gain = float(gradient @ inverse @ gradient) if inverse is not None else np.inf
    return Mode(restore(vector), latest["u"], gain, -value, inverse)


def _difference_hessian(objective: Any, x: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """Central differences of the exact gradient; coordinates are of order one."""
    rows = []
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = h
        rows.append((objective(x + step)[1] - objective(x - step)[1]) / (2 * h))
    hessian = np.array(rows)
    return 0.5 * (hessian + hessian.T)


def _flatten(tree: Raw) -> tuple[np.ndarray, Any]:
    names = sorted(tree)  # the order of JAX
    shapes = [np.shape(tree[name]) for name in names]
    vector = np.concatenate([np.ravel(tree[name]) for name in names])

    def restore(vector: np.ndarray) -> Raw:
        out, start = {}, 0
        for name, shape in zip(names, shapes, strict=True):
            size = int(np.prod(shape))
            out[name] = np.reshape(vector[start : start + size], shape)
            start += size
        return out

    return vector, restore


def _inverse(hessian: np.ndarray) -> np.ndarray:
    """Inverts a curvature; directions without positive curvature get a wide unit spread."""
    if not np.isfinite(hessian).all():
        return np.eye(len(hessian))
    values, vectors = np.linalg.eigh(hessian)
    safe = np.where(values > 1e-8, values, 1.0)
    return (vectors / safe) @ vectors.T


def effects_given(problem: Problem, jacobian: bool, thetas: Raw, u: Raw) -> tuple[Any, Any]:
    """Returns, for each of many theta, the packed mode of the effects and chol of their precision.

    Args:
        problem: what there is to fit.
        jacobian: as in `find_mode`.
        thetas: raw sites with one leading dimension (sample).
        u: where to start.
    """
    structure = problem.structure

    def function(thetas: Any, u: Any, design: Any, numbers: Any) -> Any:
        return jax.lax.map(
            lambda theta: conditional_mode(structure, jacobian, theta, u, design, numbers), thetas
        )

    arguments = (thetas, u, problem.design, problem.numbers)
    compiled = program("effects_given", f"{structure.key} {jacobian}", function, arguments)
    with double_precision():
        return jax.tree.map(np.asarray, compiled(*arguments))
