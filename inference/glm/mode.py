"""Modes of generalised linear models of one or many neurons without group effects.

The search runs in coordinates in which the posterior is nearly round: columns are centred, and
whitened by their covariance and the prior, which makes it independent of units. A model of intercepts
and scalars alone gives the first information about the linear predictor; where there are many rows, a
part of them gives a start from which a few passes over all rows suffice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...formula.features import BUDGET_BYTES
from .descent import Arrival, descend
from .metric import even_spread, spread_metric
from .normal import is_least_squares, solve_normal
from .objective import Objective
from .problem import GlmMode, GlmProblem
from .proximal import Proximal
from .rows import Rows
from .sample import batches, join_modes, of_neurons
from .scalars import Scalars
from .search import PASSES, exact, search
from .start import ROWS, Start, find_start

PROMISE, SMALL_STEP = 1e-10, 1e-3
"""A search has converged if a further step promises less log-density than the first, and moves the
linear predictor and the unconstrained scalars by less than the second."""
ROUNDS = 30
"""Alternations between coefficients and scalars, where the penalty depends on the scalars."""


def find_mode(problem: GlmProblem, memory_budget: float = BUDGET_BYTES) -> GlmMode:
    """Finds the mode of every neuron.

    Args:
        problem: the posterior.
        memory_budget: bytes that may be held; features that take more are read block by block.

    Returns:
        The mode. Neurons whose mode was not reached are marked, and no error is raised.
    """
    parts = batches(problem, memory_budget)
    return join_modes([_find(of_neurons(problem, part), memory_budget) for part in parts])


def _find(problem: GlmProblem, memory_budget: float) -> GlmMode:
    rows, scalars = Rows(problem, memory_budget), Scalars(problem)
    start = find_start(problem, memory_budget, exact(problem, min(problem.rows, ROWS), True))
    x = _begin(problem, start, rows, scalars)
    natural = scalars.natural(x[problem.layout.raw])
    penalty = problem.penalty(natural)
    if is_least_squares(problem) and not penalty.kinked:
        found = solve_normal(rows, scalars, problem.penalty, problem.moves, x)
    elif not penalty.kinked and not _relative(problem, natural):
        objective = Objective(rows, scalars, penalty, problem.moves)
        found = search(objective, x, start, memory_budget, problem.start is None)
    else:
        found = _alternate(rows, scalars, x, start, memory_budget)
    return _finish(rows, scalars, start, found)


def _begin(problem: GlmProblem, start: Start, rows: Rows, scalars: Scalars) -> np.ndarray:
    """Returns the coordinates to begin at."""
    layout, known = problem.layout, problem.start
    if known is not None:
        w = np.where(problem.moves[layout.w], known.coefficients, 0.0)
        return layout.join(known.intercept + rows.shift @ w, w, scalars.raw(known.scalars))
    x = layout.join(start.level, np.zeros((layout.coefficients, problem.neurons)), start.raw)
    if problem.intercept or not layout.coefficients:
        return x
    # without an intercept, the coefficients that come closest to a constant predictor
    penalty = problem.penalty(scalars.natural(start.raw))
    objective, everybody = Objective(rows, scalars, penalty, problem.moves), np.arange(x.shape[1])
    metric = spread_metric(objective, even_spread(problem), start.information, start.curvature)
    pull = np.zeros_like(x)
    pull[layout.w] = np.outer(problem.means, start.information * start.level)
    return x + metric.leave(metric.enter(np.where(problem.moves, pull, 0.0), everybody), everybody)


def _relative(problem: GlmProblem, natural: np.ndarray) -> bool:
    """Whether the penalty depends on the scalars."""
    here, there = problem.penalty(natural), problem.penalty(0.5 * natural)
    pairs = zip(vars(here).values(), vars(there).values(), strict=True)
    return any(not np.array_equal(a, b) for a, b in pairs if isinstance(a, np.ndarray))


def _alternate(
    rows: Rows, scalars: Scalars, x: np.ndarray, start: Start, memory_budget: float
) -> Arrival:
    """Alternates between coefficients given the scalars, and scalars given the coefficients."""
    problem, layout = rows.problem, rows.problem.layout
    below, above = problem.moves, problem.moves
    below[layout.raw], above[layout.linear] = False, False
    fresh = problem.start is None
    found: Any = None
    for _ in range(ROUNDS):
        penalty = problem.penalty(scalars.natural(x[layout.raw]))
        objective = Objective(rows, scalars, penalty, below)
        if penalty.kinked:
            directions = Proximal(objective, start, exact(problem, problem.rows, True))
            found = descend(objective, directions, x, PASSES)
        else:
            found = search(objective, x, start, memory_budget, fresh)
        if not problem.scalars:
            break
        at = _further(found)
        rest = search(Objective(rows, scalars, penalty, above), at, start, memory_budget, False)
        still = np.array_equal(found.x, x) and np.array_equal(rest.x, at)
        fresh, x = False, _further(rest)
        found = Arrival(x, rest.value, found.step + rest.step, found.promise + rest.promise)
        if still:
            break
    return found


def _further(found: Arrival) -> np.ndarray:
    """Takes the last step, which is too small to be worth another pass."""
    return found.x + np.where(found.promise < PROMISE, found.step, 0.0)


def _finish(rows: Rows, scalars: Scalars, start: Start, found: Arrival) -> GlmMode:
    """Returns natural parameters, and whether they are the mode."""
    problem, layout = rows.problem, rows.problem.layout
    step = found.step[layout.linear]
    with np.errstate(all="ignore"):
        reach = np.sqrt(np.sum(step * (even_spread(problem) @ step), axis=0)) / start.spread
        reach = np.maximum(reach, np.abs(found.step[layout.raw]).max(axis=0, initial=0.0))
        converged = (found.promise < PROMISE) & (reach < SMALL_STEP) & np.isfinite(found.value)
    c, w, raw = layout.split(_further(found))
    return GlmMode(
        c - rows.shift @ w,
        w,
        scalars.natural(raw),
        found.promise,
        converged,
        -found.value,
        rows.passes,
    )
