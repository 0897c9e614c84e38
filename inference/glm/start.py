"""Where the search for a mode begins: the model of intercepts and scalars alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...zoo.family import Summary
from .descent import Newton, descend
from .objective import Objective
from .problem import GlmProblem
from .rows import Rows, block_rows
from .sample import of_rows, sample_rows, without_features, without_penalty
from .scalars import Scalars
from .sums import HESSIAN

ROWS, PASSES, STOP = 2**14, 30, 1e-4
"""Rows of the model without features, passes over them, and the promise at which they end."""
FAR = 2.0
"""So far scalars may come from their guesses: without the features the response has another shape,
which may ask for the end of a scale, from which no slope leads back."""
SHARE = 0.1
"""Where the mean lies outside the range of the link, it is moved inside by this share of the spread."""


@dataclass(frozen=True, eq=False)
class Start:
    """Where a search begins, and how informative the rows are there.

    Attributes:
        level: the linear predictor without its offset, shape (neuron,).
        raw: unconstrained scalars, shape (scalar, neuron).
        information: about the linear predictor, summed over all rows; shape (neuron,).
        curvature: of the scalars, shape (neuron, scalar, scalar).
        value: minus the log-likelihood there, estimated for all rows; shape (neuron,).
        spread: a step of the linear predictor that is worth speaking of: 1 on a scale that is free of
            units, else the standard deviation of the response; shape (neuron,).
    """

    level: np.ndarray
    raw: np.ndarray
    information: np.ndarray
    curvature: np.ndarray
    value: np.ndarray
    spread: np.ndarray


def find_start(problem: GlmProblem, memory_budget: float, exact: bool) -> Start:
    """Fits intercepts and scalars to some rows.

    Args:
        problem: whose.
        memory_budget: bytes that may be held.
        exact: whether the search will use exact Hessians; their program then serves here too.
    """
    mean, variance = _moments(problem)
    whole = replace(without_penalty(problem), start=None)
    if not (exact and problem.intercept):
        whole = without_features(whole)
    sample = of_rows(whole, sample_rows(problem.rows, ROWS))
    rows = Rows(sample, memory_budget, block_rows(whole))
    layout, scalars, everybody = sample.layout, Scalars(sample), np.arange(problem.neurons)
    level = problem.link.forward(_inside(problem, mean, variance)) - np.mean(problem.offset)
    raw = scalars.raw(_guesses(problem, mean, variance, level))
    x = layout.join(level, np.zeros((layout.coefficients, problem.neurons)), raw)
    moves = np.ones(x.shape, dtype=bool)
    moves[layout.w] = False
    objective = Objective(rows, scalars, sample.penalty(scalars.natural(raw)), moves)
    x = descend(objective, Newton(*x.shape), x, PASSES, STOP).x
    x[layout.raw] = np.clip(x[layout.raw], raw - FAR, raw + FAR)
    last = objective.evaluate(x, everybody, HESSIAN)
    level, _, raw = layout.split(x)
    information = np.abs(last.sums["information"])
    curvature = last.hessian if last.hessian is not None else np.zeros((0, 0, 0))
    return Start(
        level,
        raw,
        information=np.where(information > 0, information, 1.0),
        curvature=curvature[:, layout.raw, layout.raw],
        value=-last.sums["value"],
        spread=np.sqrt(variance) if problem.link.linear else np.ones(problem.neurons),
    )


def _moments(problem: GlmProblem) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and variance of every neuron, of successes per trial where there are trials."""
    trials = problem.extras.get("trials")
    total, squares = np.zeros((2, problem.neurons))
    count, origin = 0.0, np.zeros(problem.neurons)
    step = max(1, 2**20 // problem.neurons)
    for start in range(0, problem.rows, step):
        part = slice(start, start + step)
        y = np.asarray(problem.y[part], dtype=np.float64)
        w = np.ones((len(y), 1)) if problem.weights is None else problem.weights[part, None]
        if trials is not None:
            y = y / np.reshape(trials[part], (len(y), -1))
        if not start:
            origin = y.mean(axis=0)
        y = y - origin
        total, squares = total + (w * y).sum(axis=0), squares + (w * y**2).sum(axis=0)
        count += w.sum()
    shift = total / count
    return origin + shift, np.maximum(squares / count - shift**2, 0.0)


def _inside(problem: GlmProblem, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Moves means into the range of the link; half an event stands for none at all."""
    low, high = problem.link.bounds
    half = 0.5 / problem.rows
    if np.isfinite(low):
        mean = np.where(mean > low, mean, low + np.maximum(SHARE * np.sqrt(variance), half))
    if np.isfinite(high):
        mean = np.where(mean < high, mean, high - half)
    return np.where((mean == 0) & (variance == 0), half, mean)


def _guesses(
    problem: GlmProblem, mean: np.ndarray, variance: np.ndarray, level: np.ndarray
) -> np.ndarray:
    """Returns plausible natural scalars, shape (scalar, neuron)."""
    parameters = [problem.family.parameter(name) for name in problem.scalars]
    out = np.ones((len(parameters), problem.neurons))
    for n in range(problem.neurons):
        summary = Summary(float(mean[n]), float(variance[n]) or 1.0, float(level[n]), 1.0, 1.0)
        for i, parameter in enumerate(parameters):
            guess = parameter.guess(summary)
            out[i, n] = guess if np.isfinite(guess) and guess > 0 else 1.0
    return out
