"""Normal responses with the identity link: the mode by linear algebra on second moments.

Given sigma the coefficients solve normal equations; given the coefficients sigma has one equation of
its own. Both need only second moments, so that the rows are read once before, and once after to remove
what rounding (or moments estimated from part of the rows) left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .descent import Arrival
from .layout import Layout
from .metric import Metric, even_spread, spread_metric
from .objective import Objective, likelihood_hessian
from .problem import GlmProblem, Penalty
from .rows import Rows
from .scalars import Scalars
from .sums import HESSIAN, Sums

FIXED_POINT, CLOSE = 200, 1e-12
CORRECTIONS, TIGHT = 8, 1e-20
LEAST = 1e-30
"""The variance of a response without noise, beside its mean square; the optimum is 0."""


def is_least_squares(problem: GlmProblem) -> bool:
    """Whether the log-likelihood is a weighted sum of squares, its weights common to all neurons."""
    known = {name: np.ndim(values) for name, values in problem.extras.items()}
    return (
        problem.family.least_squares
        and problem.link.linear
        and "status" not in known
        and max(known.values(), default=1) == 1
    )


@dataclass(frozen=True, eq=False)
class _Moments:
    """The likelihood as a function of steps d from a point: squares - 2 d'turn + total d'spread d.

    Attributes:
        squares: weighted sum of squared residuals, shape (neuron,).
        turn: products of columns and residuals, shape (coef, neuron), the intercept's first.
        spread: weighted mean products of columns, shape (coef, coef).
        total: the sum of weights.
    """

    squares: np.ndarray
    turn: np.ndarray
    spread: np.ndarray
    total: float

    def after(self, step: np.ndarray) -> np.ndarray:
        """Returns the sum of squares after a step; what rounding makes of 0 stays positive."""
        bent = 2 * self.turn - self.total * (self.spread @ step)
        return np.maximum(self.squares - np.sum(step * bent, axis=0), 1e-30 * self.squares)


def solve_normal(
    rows: Rows,
    scalars: Scalars,
    penalty: Callable[[np.ndarray], Penalty],
    moves: np.ndarray,
    x: np.ndarray,
) -> Arrival:
    """Returns the mode of normal responses.

    Args:
        rows: of the problem.
        scalars: none, or sigma, whose unconstrained form is its logarithm.
        penalty: natural scalars -> penalty without kinks.
        moves: which coordinates move, shape (coordinate, neuron).
        x: where to begin, shape (coordinate, neuron).
    """
    problem, everybody = rows.problem, np.arange(x.shape[1])
    total = float(problem.rows if problem.weights is None else problem.weights.sum())
    spread = _spread(rows, x) / total
    raw = problem.layout.raw
    objective = Objective(rows, scalars, penalty(scalars.natural(x[raw])), moves)
    here = objective.evaluate(x, everybody)
    step, promise = np.zeros_like(x), np.zeros(x.shape[1])
    for _ in range(CORRECTIONS):
        moments = _moments(here.sums, x[raw], spread, total, problem.layout)
        x, objective, metric = _solve(moments, rows, scalars, penalty, moves, x)
        here = objective.evaluate(x, everybody)
        step = -metric.leave(metric.enter(here.gradient, everybody), everybody)
        promise = -0.5 * np.sum(step * here.gradient, axis=0)
        if not (promise > TIGHT).any():
            break
    return Arrival(x, here.value, step, promise)


def _spread(rows: Rows, x: np.ndarray) -> np.ndarray:
    """Returns weighted products of columns, summed over rows."""
    problem, layout = rows.problem, rows.problem.layout
    if problem.weights is None and not problem.extras:
        return problem.rows * even_spread(problem)
    one = np.zeros(1, dtype=int)
    sums = rows.sums(HESSIAN, one, *layout.split(x[:, one]))
    linear = layout.linear
    return likelihood_hessian(sums, layout)[0, linear, linear] * _variance(x[layout.raw, one])


def _variance(raw: np.ndarray) -> np.ndarray:
    """Returns sigma^2, or 1 where it is known and part of the weights."""
    return np.exp(2 * raw.sum(axis=0))


def _moments(
    sums: Sums, raw: np.ndarray, spread: np.ndarray, total: float, layout: Layout
) -> _Moments:
    variance = _variance(raw)
    slopes = layout.join(sums["intercept"], sums["coefficients"], np.zeros((0, raw.shape[1])))
    squares = variance * (sums["scalars"].sum(axis=0) + total)
    return _Moments(squares, variance * slopes, spread, total)


def _solve(
    moments: _Moments,
    rows: Rows,
    scalars: Scalars,
    penalty: Callable[[np.ndarray], Penalty],
    moves: np.ndarray,
    x: np.ndarray,
) -> tuple[np.ndarray, Objective, Metric]:
    """Returns the mode according to the moments, its objective and metric."""
    layout, everybody = rows.problem.layout, np.arange(x.shape[1])
    x, raw = x.copy(), layout.raw
    bend = np.full((x.shape[1], layout.scalars, layout.scalars), 2 * moments.total)
    step: Any = None
    objective: Any = None
    metric: Any = None
    for _ in range(FIXED_POINT):
        precision = 1 / _variance(x[raw])
        objective = Objective(rows, scalars, penalty(scalars.natural(x[raw])), moves)
        metric = spread_metric(objective, moments.spread, moments.total * precision, bend)
        slope = -objective.prior(x, everybody, False)[1]
        slope[raw] = 0.0
        slope[layout.linear] += moments.turn * precision
        step = metric.leave(metric.enter(np.where(moves, slope, 0.0), everybody), everybody)
        squares = _some(moments.after(step[layout.linear]), rows)
        before, x[raw] = x[raw].copy(), _sigma(squares, moments.total, scalars, x[raw], everybody)
        if not np.abs(x[raw] - before).max(initial=0.0) > CLOSE:
            break
    return x + step, objective, metric


def _some(squares: np.ndarray, rows: Rows) -> np.ndarray:
    """Puts rounding where nothing is left of the response, so that its logarithm is finite."""
    if (squares > 0).all():
        return squares
    size = np.sum(np.square(np.asarray(rows.problem.y, dtype=float)), axis=0)
    return np.maximum(squares, LEAST * np.where(size > 0, size, len(rows.problem.y)))


def _sigma(
    squares: np.ndarray, total: float, scalars: Scalars, raw: np.ndarray, index: np.ndarray
) -> np.ndarray:
    """Returns log sigma given the sum of squares, by Newton's method."""
    if not len(raw):
        return raw
    raw = 0.5 * np.log(squares / total)[None]
    for _ in range(FIXED_POINT):
        _, slope, bend = scalars.prior(raw, index)
        fall = squares * np.exp(-2 * raw)
        step = -(slope + total - fall) / np.maximum(bend[0] + 2 * fall, total)
        raw = raw + np.clip(step, -1.0, 1.0)
        if not np.abs(step).max() > CLOSE:
            break
    return raw
