"""Laplace's method for models that separate over neurons: one mode and one curvature for each."""

from __future__ import annotations

import numpy as np

from ...errors import FitError
from ..backend import Draws, Problem
from . import build
from .curvature import curvatures
from .mode import find_mode
from .scalars import Scalars


def draw(problem: Problem, draws: int, generator: np.random.Generator) -> Draws:
    """Draws from a normal at the mode, in natural coefficients and unconstrained scalars.

    Raises:
        FitError: a prior has a kink, where there is no curvature.
    """
    glm = build.build(problem, jacobian=True)
    if glm.penalty(np.ones((len(glm.scalars), glm.neurons))).kinked:
        raise FitError(
            'method "laplace" takes the curvature at the mode, and a lasso or Laplace prior has none '
            'where coefficients are 0. Use "nuts" or "svi" for the posterior, "map" for the mode.'
        )
    found = find_mode(glm)
    layout, moves, scalars = glm.layout, glm.moves, Scalars(glm)
    centre = layout.join(found.intercept, found.coefficients, scalars.raw(found.scalars))
    drawn = np.empty((draws, layout.size, glm.neurons))
    for part, hessians in curvatures(glm, found):
        for neuron, hessian in zip(np.arange(glm.neurons)[part], hessians, strict=True):
            noise = generator.standard_normal((draws, layout.size)) @ _root(hessian).T
            drawn[:, :, neuron] = centre[:, neuron] + noise * moves[:, neuron]
    natural = np.stack([scalars.natural(raw) for raw in drawn[:, layout.raw]])
    return Draws(
        build.arrange(problem, drawn[:, layout.linear], natural),
        {},
        converged=bool(found.converged.all()),
        notes=build.unconverged(problem, found),
    )


def _root(hessian: np.ndarray) -> np.ndarray:
    """Returns R with R R' the inverse of a curvature; directions without any stay where they are.

    Coordinates are scaled to unit curvature first, since their units may be anything.
    """
    scale = 1 / np.sqrt(np.maximum(np.diag(hessian), 1e-300))
    values, vectors = np.linalg.eigh(hessian * np.outer(scale, scale))
    return scale[:, None] * vectors / np.sqrt(np.where(values > 1e-14, values, np.inf))
