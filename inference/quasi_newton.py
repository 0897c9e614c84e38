"""BFGS for many small problems in lockstep: one call of the objective evaluates all of them.

Source: Nocedal and Wright (2006), Numerical Optimization, chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MOST_STEPS, MOST_HALVINGS = 500, 30
SLOPE, PROMISE = 1e-6, 1e-9
"""A search ends where no slope is larger, or a step promises no more."""

Objective = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Minima:
    """Where searches ended, one row per problem.

    Attributes:
        x: shape (problem, parameter).
        value: shape (problem,).
        gradient: shape (problem, parameter).
        inverse: estimates of the inverse Hessian, shape (problem, parameter, parameter).
    """

    x: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    inverse: np.ndarray


def minimise(objective: Objective, start: np.ndarray) -> Minima:
    """Minimises smooth functions that do not depend on each other.

    Args:
        objective: (problem, parameter) -> values (problem,) and gradients (problem, parameter); values
            that are not finite count as too large.
        start: shape (problem, parameter), in units of order one.
    """
    x = np.array(start, dtype=np.float64)
    count, size = x.shape
    identity = np.eye(size)
    value, gradient = objective(x)
    inverse = np.tile(identity, (count, 1, 1))
    fresh = np.ones(count, dtype=bool)  # whether the inverse is still the identity
    done = _finished(gradient, inverse, fresh)
    for _ in range(MOST_STEPS):
        if done.all():
            break
        step = -np.einsum("bij,bj->bi", inverse, gradient)
        slope = np.einsum("bi,bi->b", step, gradient)
        uphill = ~(slope < 0)
        inverse[uphill] = identity
        step[uphill] = -gradient[uphill]
        # the first step of a search has no scale of its own
        longest = np.abs(step).max(axis=1, initial=0.0)
        limit = np.where(fresh | uphill, 1.0, 8.0)
        step *= np.minimum(1.0, limit / np.maximum(longest, 1e-300))[:, None]
        slope = np.einsum("bi,bi->b", step, gradient)
        moved, new = _search(objective, x, value, step, slope, done)
        change = np.where(moved[:, None], new[0] - x, 0.0)
        bend = np.where(moved[:, None], new[2] - gradient, 0.0)
        stuck = ~moved & ~done
        # a search that finds nothing lower starts once more from the steepest way down
        done |= stuck & fresh
        inverse[stuck] = identity
        _update(inverse, change, bend, moved, fresh)
        fresh = np.where(moved, False, fresh | stuck)
        x = np.where(moved[:, None], new[0], x)
        value = np.where(moved, new[1], value)
        gradient = np.where(moved[:, None], new[2], gradient)
        done |= _finished(gradient, inverse, fresh)
    return Minima(x, value, gradient, inverse)


def _finished(gradient: np.ndarray, inverse: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    promise = 0.5 * np.einsum("bi,bij,bj->b", gradient, inverse, gradient)
    flat = np.abs(gradient).max(axis=1, initial=0.0) < SLOPE
    return flat | (
        ~fresh & (promise < PROMISE) & (promise >= 0) & (abs(gradient).max(axis=1) < 1e-3)
    )


def _search(
    objective: Objective,
    x: np.ndarray,
    value: np.ndarray,
    step: np.ndarray,
    slope: np.ndarray,
    done: np.ndarray,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Shortens steps until each goes down; returns which did, and what was found there."""
    scale = np.where(done, 0.0, 1.0)
    open_ = ~done
    moved = np.zeros(len(x), dtype=bool)
    kept: list[np.ndarray] = [x.copy(), value.copy(), np.zeros_like(x)]
    for _ in range(MOST_HALVINGS):
        trial = x + scale[:, None] * step
        found, gradient = objective(trial)
        good = np.isfinite(found) & np.isfinite(gradient).all(axis=1)
        # close to the optimum values differ by rounding alone, and the slope decides
        lower = found <= value + 1e-4 * scale * slope
        level = np.abs(found - value) <= 1e-13 * (1 + np.abs(value))
        accept = open_ & good & (lower | (level & (scale > 0.2)))
        for old, fresh in zip(kept, (trial, found, gradient), strict=True):
            old[accept] = fresh[accept]
        moved |= accept
        open_ &= ~accept
        if not open_.any():
            break
        with np.errstate(all="ignore"):
            parabola = -slope * scale**2 / (2 * (found - value - slope * scale))
        usable = good & np.isfinite(parabola)
        shorter = np.where(usable, np.clip(parabola, 0.1 * scale, 0.5 * scale), 0.2 * scale)
        scale = np.where(open_, shorter, scale)
    return moved, kept


def _update(
    inverse: np.ndarray, change: np.ndarray, bend: np.ndarray, moved: np.ndarray, fresh: np.ndarray
) -> None:
    """The BFGS update of the inverse Hessian, in place, where the curvature is positive."""
    curvature = np.einsum("bi,bi->b", change, bend)
    norm = np.linalg.norm(change, axis=1) * np.linalg.norm(bend, axis=1)
    good = moved & (curvature > 1e-10 * norm) & (curvature > 1e-200)
    for b in np.flatnonzero(good):
        s, y, rho = change[b], bend[b], 1 / curvature[b]
        if fresh[b]:
            inverse[b] *= curvature[b] / (y @ y)
        hy = inverse[b] @ y
        inverse[b] += (1 + rho * (y @ hy)) * rho * np.outer(s, s)
        inverse[b] -= rho * (np.outer(hy, s) + np.outer(s, hy))


def hessian(objective: Objective, x: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """Returns Hessians by central differences of exact gradients, in units of order one.

    Args:
        objective: as for `minimise`.
        x: shape (problem, parameter).
        h: the step.
    """
    count, size = x.shape
    out = np.empty((count, size, size))
    for i in range(size):
        step = np.zeros(size)
        step[i] = h
        out[:, i] = (objective(x + step)[1] - objective(x - step)[1]) / (2 * h)
    return 0.5 * (out + np.swapaxes(out, 1, 2))
