"""Coordinates in which a posterior is nearly round: roots of inverse Hessians, one per neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .objective import Objective, freeze
from .problem import GlmProblem
from .root import root


@dataclass(frozen=True, eq=False)
class Metric:
    """A root of an approximate inverse Hessian for every neuron: `roots[which[n]] * scale[n]`.

    Attributes:
        roots: shape (kinds, coordinate, coordinate).
        which: the kind of each neuron, shape (neuron,).
        scale: shape (coordinate, neuron), multiplies the root's rows.
    """

    roots: np.ndarray
    which: np.ndarray
    scale: np.ndarray

    def enter(self, gradient: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Returns B' g, gradients in round coordinates, shape (coordinate, n)."""
        return self._apply(np.swapaxes(self.roots, 1, 2), self.scale[:, index] * gradient, index)

    def leave(self, step: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Returns B z, steps from round coordinates, shape (coordinate, n)."""
        return self.scale[:, index] * self._apply(self.roots, step, index)

    def _apply(self, roots: np.ndarray, columns: np.ndarray, index: np.ndarray) -> np.ndarray:
        which = self.which[index]
        if len(roots) == 1:
            return roots[0] @ columns
        out = np.empty_like(columns)
        for kind in np.unique(which):
            here = which == kind
            out[:, here] = roots[kind] @ columns[:, here]
        return out


def even_spread(problem: GlmProblem) -> np.ndarray:
    """Returns second moments of intercept and columns over rows, as the moments of the problem say."""
    if not problem.intercept:
        return problem.gram + np.outer(problem.means, problem.means)
    out = np.eye(1 + problem.coefficients)
    out[1:, 1:] = problem.gram
    return out


def spread_metric(
    objective: Objective, spread: np.ndarray, information: np.ndarray, curvature: np.ndarray
) -> Metric:
    """Returns the metric of likelihoods that differ by a factor, and of the prior.

    Neurons whose prior is flat, and which use the same coefficients, share a root.

    Args:
        objective: what is minimised.
        spread: second moments of intercept and columns.
        information: the factor of each neuron, shape (neuron,).
        curvature: of the scalars; shape (neuron, scalar, scalar).
    """
    moves, last = objective.moves, len(spread)
    size, neurons = moves.shape
    kinds: dict[bytes, int] = {}
    roots, which, scale = [], np.zeros(neurons, dtype=int), np.ones((size, neurons))
    for n in range(neurons):
        whole = objective.prior_hessian(n) / information[n]
        relative = whole.tobytes() if whole.any() else b""
        key = moves[:, n].tobytes() + relative
        if key not in kinds:
            kinds[key] = len(roots)
            whole[:last, :last] += spread
            np.fill_diagonal(whole[last:, last:], 1.0)
            roots.append(root(freeze(whole[None], moves[:, n : n + 1])[0]))
        which[n] = kinds[key]
        scale[:last, n] = 1 / np.sqrt(information[n])
        bend = np.abs(np.diag(curvature[n]))
        scale[last:, n] = 1 / np.sqrt(np.where(bend > 0, bend, 1.0))
    return Metric(np.stack(roots), which, scale)
