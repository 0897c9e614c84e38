"""The optimum of a mixed model's profiled deviance: quasi-Newton, then Newton steps to the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from .mixed_deviance import best_log_sigma, deviance, factorise
from .mixed_system import System

TOLERANCE = 1e-9
"""Deviance that a further Newton step may still promise."""

Function = Callable[[np.ndarray], float]


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best theta.

    Attributes:
        theta: relative scales and correlations.
        log_sigma: log of the residual deviation in units of y's.
        deviance: at the optimum, with all constants.
        covariance: of (theta, log_sigma), by the curvature of the deviance.
        flat: directions of theta, shape (theta, direction), in which there is no curvature.
        converged: whether a further Newton step promises nothing.
    """

    theta: np.ndarray
    log_sigma: float
    deviance: float
    covariance: np.ndarray
    flat: np.ndarray
    converged: bool


def well_scaled(system: System) -> System:
    """Returns the system in units in which theta is about 1, by a coarse search for each factor."""
    grid = 10.0 ** np.arange(-1, 6)
    start, scales = system.start(), np.ones(len(system.factors))
    sizes = [int(factor.mask.sum()) for factor in system.factors]
    for _ in range(2 if len(scales) > 1 else 1):
        for i in range(len(scales)):
            trials = [np.where(np.arange(len(scales)) == i, c, scales) for c in grid]
            values = [deviance(system, start * np.repeat(t, sizes)) for t in trials]
            scales = trials[int(np.argmin(values))]
    return system.rescaled(scales)


def has_noise(system: System) -> bool:
    """Whether anything is left of the response once groups are free.

    Without noise the penalised residual falls as 1 / theta^2 for ever.
    """
    try:
        small, large = (factorise(system, c * system.start()).residual for c in (1e4, 1e5))
    except np.linalg.LinAlgError:
        return True
    return system.known or large > 0.0101 * small


def find_optimum(system: System) -> Optimum:
    """Minimises the deviance over theta.

    The deviance does not change with the signs of Lambda's columns, so that theta needs no bounds: a
    variance of zero is an inner minimum at zero.
    """

    def function(theta: np.ndarray) -> float:
        return deviance(system, theta)

    theta = system.start()
    converged = False
    for _ in range(5):
        theta = minimize(function, theta, method="BFGS", options={"gtol": 1e-4}).x
        theta, converged, downhill = _newton(function, theta)
        if downhill is None:
            break
        theta = theta + downhill  # away from a saddle
    theta = _snap(system, theta)
    log_sigma = best_log_sigma(system, theta)
    return Optimum(theta, log_sigma, function(theta), *_curvature(system, theta), converged)


def _snap(system: System, theta: np.ndarray) -> np.ndarray:
    """Puts columns of Lambda that are zero but for rounding at zero."""
    parts = []
    for factor, relative in zip(system.factors, system.relative(theta), strict=True):
        columns = np.linalg.norm(relative, axis=0) > 1e-4
        parts.append((relative * columns)[factor.mask])
    snapped = np.concatenate(parts)
    return snapped if deviance(system, snapped) < deviance(system, theta) + 1e-6 else theta


def _newton(function: Function, theta: np.ndarray) -> tuple[np.ndarray, bool, np.ndarray | None]:
    """Newton steps; returns theta, whether they converged, and a way down if it is a saddle."""
    value = function(theta)
    for _ in range(20):
        gradient, hessian = derivatives(function, theta)
        values, vectors = np.linalg.eigh(hessian)
        limit = 1e-5 * max(values[-1], 1.0) + 1e-9 * abs(value)  # the latter is rounding
        if values[0] < -limit:
            return theta, False, 0.1 * vectors[:, 0]
        step = -vectors @ ((vectors.T @ gradient) / np.maximum(values, limit))
        promise = -0.5 * float(gradient @ step)
        if promise < TOLERANCE:
            return (theta + step if function(theta + step) < np.inf else theta), True, None
        length = 1.0
        while length > 1e-4 and not function(theta + length * step) < value:
            length /= 2
        if length <= 1e-4:
            # nothing below: rounding, unless the promise was a large one
            return theta, promise < 1e-5, None
        theta = theta + length * step
        value = function(theta)
    return theta, False, None


def derivatives(function: Function, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns gradient and Hessian by central differences."""
    size = len(x)
    small = 1e-4 * np.maximum(1.0, np.abs(x))
    large = 2e-3 * np.maximum(1.0, np.abs(x))
    centre = function(x)
    gradient, hessian = np.empty(size), np.empty((size, size))
    unit = np.eye(size)

    def at(*moves: np.ndarray) -> float:
        return function(x + sum(moves))

    for i in range(size):
        e = unit[i] * small[i]
        gradient[i] = (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * small[i])
        e = unit[i] * large[i]
        second = 16 * (at(e) + at(-e)) - (at(2 * e) + at(-2 * e)) - 30 * centre
        hessian[i, i] = second / (12 * large[i] ** 2)
        for j in range(i):
            d = unit[j] * large[j]
            mixed = at(e, d) - at(e, -d) - at(-e, d) + at(-e, -d)
            hessian[i, j] = hessian[j, i] = mixed / (4 * large[i] * large[j])
    return gradient, hessian


def _curvature(system: System, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of (theta, log sigma), and directions of theta in which the deviance is flat.

    log sigma given theta has variance 1 / (2 freedom) about its best value, which moves with theta.
    """
    size = len(theta)
    _, hessian = derivatives(lambda x: deviance(system, x), theta)
    values, vectors = np.linalg.eigh(hessian)
    if not np.isfinite(values).all():
        return np.full((size + 1, size + 1), np.nan), np.eye(size)
    steep = values > 1e-6 * values[-1] + 1e-9 * abs(deviance(system, theta))
    inverse = (vectors[:, steep] * (2 / values[steep])) @ vectors[:, steep].T
    slope = np.zeros(size)
    if not system.known:
        for i in range(size):
            e = np.eye(size)[i] * 1e-5 * max(1.0, abs(theta[i]))
            slope[i] = (best_log_sigma(system, theta + e) - best_log_sigma(system, theta - e)) / (
                2 * e[i]
            )
    covariance = np.zeros((size + 1, size + 1))
    covariance[:size, :size] = inverse
    covariance[size, :size] = covariance[:size, size] = inverse @ slope
    if not system.known:
        covariance[size, size] = 0.5 / system.freedom + slope @ inverse @ slope
    return covariance, vectors[:, ~steep]
