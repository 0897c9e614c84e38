"""The curvature of the log posterior at a mode, neuron by neuron."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...formula.features import BUDGET_BYTES
from .objective import Objective, freeze
from .problem import GlmMode, GlmProblem
from .rows import Rows
from .sample import batches, mode_of, of_neurons
from .scalars import Scalars
from .sums import HESSIAN


def curvature(
    problem: GlmProblem, mode: GlmMode, memory_budget: float = BUDGET_BYTES
) -> np.ndarray:
    """Returns the negative Hessian of the log posterior of every neuron.

    Args:
        problem: the posterior; kinks of its penalty are left out.
        mode: where.
        memory_budget: bytes that may be held, the result not counted.

    Returns:
        Shape (neuron, q, q) in the order intercept, coefficients, unconstrained scalars. Rows and
        columns of coefficients that are not free are those of the identity.
    """
    return np.concatenate([part for _, part in curvatures(problem, mode, memory_budget)])


def curvatures(
    problem: GlmProblem, mode: GlmMode, memory_budget: float = BUDGET_BYTES
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields (neurons, their curvatures) in batches that fit into memory; see `curvature`."""
    for part in batches(problem, memory_budget):
        yield part, _of_batch(of_neurons(problem, part), mode_of(mode, part), memory_budget)


def _of_batch(problem: GlmProblem, mode: GlmMode, memory_budget: float) -> np.ndarray:
    layout, moves = problem.layout, problem.moves
    rows, scalars = Rows(problem, memory_budget), Scalars(problem)
    w = mode.coefficients
    x = layout.join(mode.intercept + rows.shift @ w, w, scalars.raw(mode.scalars))
    objective = Objective(rows, scalars, problem.penalty(mode.scalars), moves)
    centred: Any = objective.evaluate(x, np.arange(problem.neurons), HESSIAN).hessian
    if not layout.intercept:
        return centred
    # from the intercept about the centred columns to the one about 0
    back = np.tile(np.eye(layout.size), (problem.neurons, 1, 1))
    back[:, 0, layout.w] = np.where(moves[layout.w].T, rows.shift, 0.0)
    return freeze(np.swapaxes(back, 1, 2) @ centred @ back, moves)
