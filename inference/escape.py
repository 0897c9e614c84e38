"""Coefficients that run to infinity: is there a maximum of the likelihood, or a posterior, at all?

Rows at an end of their range (counts of 0, outcomes 0 and 1) gain for ever as their linear predictor
moves one way. A direction in which every such row gains or stays, and every other row stays, has no
end; a linear program finds it. Flat priors do not stop it, proper ones do.

Source: Albert and Anderson (1984), Biometrika 71:1; Konis (2007), thesis, University of Oxford.
"""

from __future__ import annotations

import numpy as np

from ..errors import FitError, listing
from ..formula.terms import MEAN
from ..zoo.family import BINARY, COUNT
from .backend import Problem
from .noiseless import noiseless

LARGEST = 2_000_000
"""Numbers of a design that are looked through."""
STILL = 1e-9
"""Gains of a row below this, columns being of size 1, are rounding."""


def escaping(problem: Problem, priors: bool = True) -> list[str]:
    """Returns the printed names of coefficients of the mean that nothing keeps finite.

    Args:
        problem: the model.
        priors: whether proper priors count; without them all coefficients are free.
    """
    spec, response = problem.spec, problem.training.response
    y = response["y"]
    if spec.family.support not in (BINARY, COUNT) or y.ndim > 1 or "status" in response:
        return []
    if dict(spec.links)[MEAN] == "identity":
        return []
    low, high = _bounds(problem, priors)
    free = high > low
    arrays, predictor = problem.training.predictors[MEAN], spec.schema.predictors[0]
    columns = len(free)
    if not free.any() or columns * y.size > LARGEST:
        return []
    matrix = np.hstack([np.ones((y.size, int(predictor.intercept))), arrays.matrix])
    counted = response["weights"] > 0 if "weights" in response else np.ones(y.size, bool)
    top = np.full(y.size, 1.0 if spec.family.support is BINARY else np.inf)
    top = response.get("trials", top)
    counted = counted & (top > 0)
    matrix, y, top = matrix[counted][:, free], y[counted], top[counted]
    matrix = matrix / np.where((size := np.abs(matrix).max(axis=0)) > 0, size, 1.0)
    gains = np.where((y == 0)[:, None], -matrix, matrix)[(y == 0) | (y == top)]
    direction = _direction(gains, matrix[(y > 0) & (y < top)], low[free], high[free])
    names = _names(problem)
    moving = np.flatnonzero(free)[np.abs(direction) > 1e-6]
    return [names[j] for j in moving]


def refuse_improper(problem: Problem, method: str) -> None:
    """Refuses a posterior that has no finite integral.

    Raises:
        FitError: flat priors meet outcomes that some predictors separate, or there is no noise.
    """
    refuse_noiseless(problem, method)
    names = escaping(problem)
    if names:
        raise FitError(
            f'method "{method}" draws from the posterior, but there is none: some predictors separate '
            f"the outcomes, and the prior Flat() of {listing([f'`{n}`' for n in names], 5)} lets them "
            "run to infinity. Give proper priors (the default ones are) or join levels."
        )


def refuse_noiseless(problem: Problem, method: str) -> None:
    """Refuses a response without noise.

    Raises:
        FitError: all responses are equal, or reproduced by predictors and groups.
    """
    how = noiseless(problem)
    if how:
        raise FitError(
            f'{how}, so there is no noise, and no posterior for method "{method}": its density grows '
            "without end as the noise goes to zero. Look for a predictor that holds the response, or "
            "for values that were rounded."
        )


def escape_note(problem: Problem) -> tuple[str, ...]:
    """Returns a note of a method without priors on coefficients that run to infinity."""
    names = escaping(problem, priors=False)
    if not names:
        return ()
    return (
        "some predictors separate the outcomes, so the likelihood has no maximum, and "
        f"{listing([f'`{n}`' for n in names], 5)} with their standard errors mean nothing. Use "
        '"map" or "nuts", whose default priors keep them finite, or join levels.',
    )


def _names(problem: Problem) -> list[str]:
    predictor, formula = problem.spec.predictor(MEAN)
    names = ["Intercept"] * predictor.intercept + list(predictor.column_names)
    return [formula.prefixed(name) for name in names]


def _bounds(problem: Problem, priors: bool) -> tuple[np.ndarray, np.ndarray]:
    """How far every coefficient may go in a direction: not at all where a proper prior holds it."""
    low, high = [], []
    for name, size in zip(*problem.spec.coefficient_names(MEAN), strict=True):
        prior = problem.spec.prior[name]
        free = not priors or prior.name == "Flat"
        ends = dict(prior.arguments) if free and priors else {}
        low += [-float(free and np.all(np.isneginf(ends.get("low", -np.inf))))] * size
        high += [float(free and np.all(np.isposinf(ends.get("high", np.inf))))] * size
    return np.array(low), np.array(high)


def _direction(
    gains: np.ndarray, still: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Returns a direction in which no row loses, some gain, and `still` ones stay; else zeros."""
    from scipy.optimize import linprog

    nothing = np.zeros(gains.shape[1])
    if not len(gains):
        return nothing
    if len(still):  # most often nothing is left, and the program need not run
        values, vectors = np.linalg.eigh(still.T @ still)
        room = vectors[:, values < 1e-12 * max(values[-1], 1e-300)]
        if not room.shape[1]:
            return nothing
        still = np.eye(len(room)) - room @ room.T
    found = linprog(
        -gains.sum(axis=0),
        A_ub=-gains,
        b_ub=np.zeros(len(gains)),
        A_eq=still if len(still) else None,
        b_eq=np.zeros(len(still)) if len(still) else None,
        bounds=np.column_stack([low, high]),
    )
    if found.x is None or not np.max(gains @ found.x, initial=0.0) > STILL:
        return nothing
    return found.x
