"""The optimum of a mixed model's profiled deviance: quasi-Newton, then Newton steps to the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .deviance import (
    deviance,
    factorise,
    fixed_covariance,
    log_sigma_of,
    value_of,
)
from .gradient import gradient_of
from .start import Start
from .system import System

NEAR, TOLERANCE = 1e-10, 1e-9
"""Deviance that the next quasi-Newton step, and the last Newton step, may promise."""
LONGEST = 2.0
"""Longest step of theta, which is about 1."""
STEP = 1e-4
"""Step of theta, which is about 1, in differences of gradients."""


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
        fixed: covariance of the coefficients of X's Q in units of sigma^2, shape (coef, coef).
        moves: its derivative by theta, shape (theta, coef, coef).
    """

    theta: np.ndarray
    log_sigma: float
    deviance: float
    covariance: np.ndarray
    flat: np.ndarray
    converged: bool
    fixed: np.ndarray
    moves: np.ndarray


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives by theta.

    Attributes:
        gradient: of the deviance, shape (theta,).
        hessian: of the deviance, shape (theta, theta).
        log_sigma: of the best log sigma, shape (theta,).
        fixed: of the coefficients' covariance, shape (theta, coef, coef).
    """

    gradient: np.ndarray
    hessian: np.ndarray
    log_sigma: np.ndarray
    fixed: np.ndarray


def find_optimum(start: Start) -> Optimum:
    """Minimises the deviance over theta.

    The deviance does not change with the signs of Lambda's columns, so that theta needs no bounds: a
    variance of zero is an inner minimum at zero.
    """
    system, theta, inverse = start.system, start.theta, start.inverse

    converged, slopes = False, None
    for _ in range(5):
        theta = _quasi_newton(system, theta, inverse)
        theta, slopes, downhill = _newton(system, theta)
        converged = slopes is not None
        if downhill is None:
            break
        theta, inverse = theta + downhill, np.eye(len(theta))  # away from a saddle
    snapped = _snap(system, theta)
    if slopes is None or (snapped != theta).any():
        theta, slopes = snapped, derivatives(system, snapped)
    at = factorise(system, theta)
    value = value_of(at)
    covariance, flat = _curvature(system, slopes, value)
    return Optimum(
        theta=theta,
        log_sigma=log_sigma_of(at),
        deviance=value,
        covariance=covariance,
        flat=flat,
        converged=converged,
        fixed=fixed_covariance(at),
        moves=slopes.fixed,
    )


def _quasi_newton(system: System, theta: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Returns theta near a minimum, by BFGS with halved steps."""

    def evaluate(theta: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            at = factorise(system, theta)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros(len(theta))
        return value_of(at), gradient_of(at)

    value, gradient = evaluate(theta)
    for _ in range(100 + 20 * len(theta)):
        step = -inverse @ gradient
        promise = -0.5 * float(gradient @ step)
        if not promise > NEAR:
            break
        step *= min(1.0, LONGEST / np.abs(step).max())
        for _ in range(30):
            new, there = evaluate(theta + step)
            if new <= value + 0.1 * float(gradient @ step):
                break
            step = step / 2
        else:
            break
        change = there - gradient
        theta, value, gradient = theta + step, new, there
        curvature = float(step @ change)
        if curvature > 1e-8 * np.linalg.norm(step) * np.linalg.norm(change):
            turn = np.eye(len(step)) - np.outer(step, change) / curvature
            inverse = turn @ inverse @ turn.T + np.outer(step, step) / curvature
    return theta


def _snap(system: System, theta: np.ndarray) -> np.ndarray:
    """Puts columns of Lambda that are zero but for rounding at zero."""
    parts = []
    for relative in system.relative(theta):
        columns = np.linalg.norm(relative, axis=0) > 1e-4
        parts.append(relative * columns)
    snapped = system.flat(parts)
    if (snapped == theta).all():
        return theta
    return snapped if deviance(system, snapped) < deviance(system, theta) + 1e-6 else theta


def _newton(
    system: System, theta: np.ndarray
) -> tuple[np.ndarray, Slopes | None, np.ndarray | None]:
    """Newton steps; returns theta, the derivatives there if they converged, and a way off a saddle."""
    value = deviance(system, theta)
    for _ in range(20):
        slopes = derivatives(system, theta)
        values, vectors = np.linalg.eigh(slopes.hessian)
        limit = 1e-7 * max(values[-1], 1.0) + 1e-11 * abs(value)  # the latter is rounding
        if values[0] < -limit:
            return theta, None, 0.1 * vectors[:, 0]
        step = -vectors @ ((vectors.T @ slopes.gradient) / np.maximum(values, limit))
        promise = -0.5 * float(slopes.gradient @ step)
        if promise < TOLERANCE:
            # a step from here to there changes second derivatives by less than anybody sees
            good = deviance(system, theta + step) < value + 1e-9 * max(abs(value), 1.0)
            return (theta + step if good else theta), slopes, None
        length, new = 1.0, deviance(system, theta + step)
        while length > 1e-4 and not new < value:
            length /= 2
            new = deviance(system, theta + length * step)
        if length <= 1e-4:
            # nothing below: rounding, unless the promise was a large one
            return theta, slopes if promise < 1e-5 else None, None
        theta, value = theta + length * step, new
    return theta, None, None


def derivatives(system: System, theta: np.ndarray) -> Slopes:
    """Returns gradient and curvature by central differences of gradients."""
    size, p = len(theta), system.coefficients
    out = Slopes(np.zeros(size), np.zeros((size, size)), np.zeros(size), np.zeros((size, p, p)))
    try:
        out.gradient[:] = gradient_of(factorise(system, theta))
        for i in range(size):
            h = STEP * max(1.0, abs(theta[i]))
            for sign in (1, -1):
                at = factorise(system, theta + sign * h * np.eye(size)[i])
                weight = sign / (2 * h)
                out.hessian[i] += weight * gradient_of(at)
                out.log_sigma[i] += weight * log_sigma_of(at)
                out.fixed[i] += weight * fixed_covariance(at)
    except np.linalg.LinAlgError:
        out.hessian[:] = np.nan
    out.hessian[:] = (out.hessian + out.hessian.T) / 2
    return out


def _curvature(system: System, slopes: Slopes, value: float) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of (theta, log sigma), and directions of theta in which the deviance is flat.

    log sigma given theta has variance 1 / (2 freedom) about its best value, which moves with theta.
    """
    size = len(slopes.gradient)
    if not np.isfinite(slopes.hessian).all():
        return np.full((size + 1, size + 1), np.nan), np.eye(size)
    values, vectors = np.linalg.eigh(slopes.hessian)
    steep = values > 1e-6 * values[-1] + 1e-9 * abs(value)
    inverse = (vectors[:, steep] * (2 / values[steep])) @ vectors[:, steep].T
    slope = slopes.log_sigma
    covariance = np.zeros((size + 1, size + 1))
    covariance[:size, :size] = inverse
    covariance[size, :size] = covariance[:size, size] = inverse @ slope
    if not system.known:
        covariance[size, size] = 0.5 / system.freedom + slope @ inverse @ slope
    return covariance, vectors[:, ~steep]
