"""The search for the minimum of a smooth objective: which method, and where to begin."""

from __future__ import annotations

import numpy as np

from .descent import Arrival, Newton, QuasiNewton, descend
from .metric import even_spread, spread_metric
from .objective import Objective
from .problem import GlmProblem
from .rows import Rows
from .sample import of_rows, sample_rows
from .start import Start

NEWTON_OPERATIONS = 5e7, 5e8
"""Exact Hessians are used where they take fewer multiplications than the first, or the second where
there are scalars, whose curvature a quasi-Newton search is slow to learn."""
NEWTON_PASSES, PASSES = 60, 200
SAMPLE_RATIO, SAMPLE_LEAST, SAMPLE_PART, SAMPLE_SHARE = 25, 2**12, 8, 0.25
"""A sample holds so much information per parameter (its estimates are then off by a fifth of the scale
of the link), at least so many rows, at least one in so many rows, and at most this share of all."""
SAMPLE_MEMORY = 0.125
"""And takes at most this share of the memory."""
SAMPLE_STOP, SAMPLE_PASSES, SAMPLE_GAIN = 1e-2, 30, 30
"""The promise per parameter at which it ends, how often it is read, and how much closer to the mode of
all rows it must be expected to lead."""


def search(
    objective: Objective, x: np.ndarray, start: Start, memory_budget: float, fresh: bool
) -> Arrival:
    """Minimises an objective.

    Args:
        objective: what is minimised.
        x: where to begin, shape (coordinate, neuron).
        start: the model of intercepts and scalars alone.
        memory_budget: bytes that may be held.
        fresh: whether x is that model, so that a sample of the rows can find a better start.
    """
    problem = objective.rows.problem
    if exact(problem, problem.rows, bool(problem.scalars)):
        return descend(objective, Newton(*x.shape), x, NEWTON_PASSES)
    spread = even_spread(problem)
    metric = spread_metric(objective, spread, start.information, start.curvature)
    directions, here = QuasiNewton(metric), None
    count = _sample_size(objective, start, memory_budget)
    if fresh and count <= SAMPLE_SHARE * problem.rows:
        better, directions = _sample(objective, x, count, directions, memory_budget)
        here = objective.evaluate(better, np.arange(x.shape[1]))
        worse = ~(here.value <= start.value)
        if worse.any():
            better, here = np.where(worse, x, better), None
        x = better
    return descend(objective, directions, x, PASSES, here=here)


def _sample(
    objective: Objective,
    x: np.ndarray,
    count: int,
    directions: QuasiNewton,
    memory_budget: float,
) -> tuple[np.ndarray, QuasiNewton]:
    """Minimises the objective of some of the rows.

    Returns:
        The minimum, or x where the rows do not suffice to come much closer; and directions that know
        what was learnt.
    """
    problem = objective.rows.problem
    sample = of_rows(problem, sample_rows(problem.rows, count))
    rows = Rows(sample, memory_budget, objective.rows.block)
    part = Objective(rows, objective.scalars, objective.penalty, objective.moves)
    stop = SAMPLE_STOP * len(x)
    if exact(problem, count, True):
        newton = Newton(*x.shape)
        found = descend(part, newton, x, SAMPLE_PASSES, stop)
        return found.x, QuasiNewton(newton.metric)
    here = part.evaluate(x, np.arange(x.shape[1]))
    gain = directions.promise(here)
    if np.median(gain) < SAMPLE_GAIN * len(x) * problem.rows / (2 * count):
        return x, directions
    return descend(part, directions, x, SAMPLE_PASSES, stop, here).x, directions


def exact(problem: GlmProblem, rows: int, eager: bool) -> bool:
    """Whether exact Hessians from so many rows are cheap."""
    operations = float(rows) * problem.neurons * problem.layout.size**2
    return operations <= NEWTON_OPERATIONS[eager]


def _sample_size(objective: Objective, start: Start, memory_budget: float) -> int:
    problem, size = objective.rows.problem, len(objective.moves)
    per_row = np.median(start.information * start.spread**2) / problem.rows
    needed = max(SAMPLE_RATIO * size / max(float(per_row), 1e-300), SAMPLE_LEAST)
    most = SAMPLE_MEMORY * memory_budget / (8 * (problem.coefficients + problem.neurons))
    if needed > most:
        return problem.rows  # no part that fits into memory would do
    return int(max(needed, min(problem.rows / SAMPLE_PART, most)))
