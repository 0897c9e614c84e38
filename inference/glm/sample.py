"""Problems on part of the rows or neurons of another."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np

from ...formula.features import BLOCK_BYTES, Dense
from .problem import GlmMode, GlmProblem, Penalty

MATRICES = 8
"""Matrices of second derivatives that are held for each neuron of a batch."""


def sample_rows(rows: int, count: int) -> np.ndarray:
    """Returns row numbers, always the same, one from each of `count` equal stretches.

    They are drawn, so that no rhythm of the data falls in step with them.
    """
    if count >= rows:
        return np.arange(rows)
    edges = np.linspace(0, rows, count + 1)
    return np.floor(edges[:-1] + np.random.default_rng(0).random(count) * np.diff(edges)).astype(
        int
    )


def of_rows(problem: GlmProblem, rows: np.ndarray) -> GlmProblem:
    """Returns the problem of some rows, weighted so that they stand for all; features in memory."""
    chosen = np.empty((len(rows), problem.coefficients))
    size = max(1, BLOCK_BYTES // (8 * max(problem.coefficients, 1)))
    for start in range(0, len(rows) if problem.coefficients else 0, size):
        chosen[start : start + size] = problem.features.take(rows[start : start + size])
    weights = np.ones(len(rows)) if problem.weights is None else problem.weights[rows]
    return replace(
        problem,
        features=Dense(chosen),
        y=problem.y[rows],
        offset=problem.offset[rows],
        weights=weights * (problem.rows / len(rows)),
        extras={name: values[rows] for name, values in problem.extras.items()},
    )


def without_penalty(problem: GlmProblem) -> GlmProblem:
    """Returns the problem with flat priors of intercepts and coefficients."""
    nothing = Penalty.flat(problem.coefficients, problem.neurons)
    flat = np.zeros(problem.neurons)
    return replace(problem, penalty=lambda scalars: nothing, intercept_precision=flat)


def without_features(problem: GlmProblem) -> GlmProblem:
    """Returns the problem of intercepts and scalars alone, the intercepts' priors flat."""
    bare = replace(
        problem,
        features=Dense(np.zeros((problem.rows, 0))),
        means=np.zeros(0),
        gram=np.zeros((0, 0)),
        intercept=True,
        lean=np.zeros(0),
        free=None,
    )
    return without_penalty(bare)


def batches(problem: GlmProblem, memory_budget: float) -> list[np.ndarray]:
    """Returns neurons in batches of which some matrices of second derivatives fit into memory."""
    each = 8 * MATRICES * problem.layout.size**2
    batch = max(1, int(memory_budget / 2 / each))
    starts = range(0, problem.neurons, batch)
    return [np.arange(start, min(start + batch, problem.neurons)) for start in starts]


def of_neurons(problem: GlmProblem, index: np.ndarray) -> GlmProblem:
    """Returns the problem of some neurons."""
    if len(index) == problem.neurons:
        return problem
    neurons = problem.neurons

    def penalty(scalars: np.ndarray) -> Penalty:
        everybody = np.ones((len(scalars), neurons))
        everybody[:, index] = scalars
        whole = problem.penalty(everybody)
        return replace(
            whole,
            precision=whole.precision[:, index],
            centre=whole.centre[:, index],
            absolute=whole.absolute[:, index],
            group_weight=whole.group_weight[:, index],
        )

    prior = problem.scalar_prior
    return replace(
        problem,
        y=problem.y[:, index],
        penalty=penalty,
        intercept_precision=problem.intercept_precision[index],
        intercept_centre=problem.intercept_centre[index],
        scalar_prior=replace(
            prior, numbers=jax.tree.map(lambda leaf: np.asarray(leaf)[index], prior.numbers)
        ),
        free=None if problem.free is None else problem.free[:, index],
        extras={k: v[:, index] if np.ndim(v) == 2 else v for k, v in problem.extras.items()},
        start=None if problem.start is None else mode_of(problem.start, index),
    )


def mode_of(mode: GlmMode, index: np.ndarray) -> GlmMode:
    """Returns the mode of some neurons."""
    return GlmMode(
        mode.intercept[index],
        mode.coefficients[:, index],
        mode.scalars[:, index],
        mode.promise[index],
        mode.converged[index],
        mode.value[index],
        mode.passes,
    )


def join_modes(modes: list[GlmMode]) -> GlmMode:
    """Puts the modes of batches of neurons side by side."""
    if len(modes) == 1:
        return modes[0]
    return GlmMode(
        np.concatenate([mode.intercept for mode in modes]),
        np.concatenate([mode.coefficients for mode in modes], axis=1),
        np.concatenate([mode.scalars for mode in modes], axis=1),
        np.concatenate([mode.promise for mode in modes]),
        np.concatenate([mode.converged for mode in modes]),
        np.concatenate([mode.value for mode in modes]),
        sum(mode.passes for mode in modes),
    )
