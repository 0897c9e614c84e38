"""Whether and how the group effects of a model are integrated out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import FitError
from ..formula.terms import MEAN
from ..zoo.compile import Marginal
from ..zoo.elimination import Order
from ..zoo.statistics import find_order, obstacle, position, statistics
from .backend import Problem

MOST_DENSE = 300
"""More effects than this outside of the chain of nested factors make an elimination dear."""
MOST_COEFFICIENTS = 100


def dense_effects(problem: Problem, order: Order) -> int:
    """Returns the number of effects of the factors outside of the chain."""
    groups = problem.training.predictors[MEAN].groups
    counts = [
        (int(groups[i].index.max(initial=0)) + 1) * groups[i].effects.shape[1]
        for sites in order.dense
        for i in map(position, sites)
    ]
    return int(np.sum(counts, initial=0))


def marginalise(problem: Problem, wanted: bool | str, coefficients: bool) -> Problem:
    """Integrates what is normal out of a normal model, where that is exact and wanted.

    Args:
        problem: the model.
        wanted: False: never; True: or an error; "auto": where it is exact and cheap.
        coefficients: whether the common coefficients may be integrated out, too.

    Raises:
        FitError: it is wanted and cannot be done; the message says why.
    """
    if wanted is False:
        return problem
    why_not = obstacle(problem.structure, problem.training.response)
    if why_not and wanted == "auto":
        return problem
    if why_not:
        raise FitError(f"marginalize=True cannot be done: {why_not}.")
    predictor = problem.structure.predictors[0]
    order = find_order(predictor, problem.training.predictors[MEAN])
    if wanted == "auto" and dense_effects(problem, order) > MOST_DENSE:
        return problem
    shape = predictor.coefficients
    normal = all(form.gaussian for form in shape.forms) and 0 < shape.size <= MOST_COEFFICIENTS
    structure = replace(problem.structure, marginal=Marginal(order, coefficients and normal))

    def find_design() -> dict[str, object]:
        known = statistics(problem.structure, order, problem.training, problem.spec.summary)
        return {"statistics": known}

    return replace(problem, structure=structure, find_design=find_design)
