"""Whether and how the group effects of a model are integrated out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ..errors import FitError
from ..formula.terms import MEAN
from ..zoo.elimination import Order
from ..zoo.statistics import (
    bucket,
    find_order,
    obstacle,
    position,
    shape_obstacle,
    statistics,
)
from ..zoo.structure import Marginal
from .backend import Problem
from .layout import best_width, cut, eliminable, lay_out
from .sharding import deal_out

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
        wanted: False: never; True: or an error; "auto": where it is exact and cheap; "laplace": by
            Laplace's method where it is not exact.
        coefficients: whether the common coefficients may be integrated out, too.

    Raises:
        FitError: it is wanted and cannot be done; the message says why.
    """
    if wanted is False:
        return problem
    why_not = obstacle(problem.structure, problem.training.response)
    if why_not and wanted == "laplace":
        return by_laplace(problem)
    if why_not and wanted == "auto":
        return problem
    if why_not:
        raise FitError(
            f'marginalize=True cannot be done exactly: {why_not}. marginalize="laplace" approximates '
            "the integral, False samples the effects."
        )
    order = find_order(problem.structure.predictors[0], problem.training.predictors[MEAN])
    if wanted == "auto" and dense_effects(problem, order) > MOST_DENSE:
        return problem
    return _exactly(problem, order, coefficients)


def integrate(problem: Problem, coefficients: bool) -> Problem:
    """Integrates group effects out, exactly or by Laplace's method; else returns rows in pieces."""
    if not obstacle(problem.structure, problem.training.response):
        order = find_order(problem.structure.predictors[0], problem.training.predictors[MEAN])
        return _exactly(problem, order, coefficients)
    if not shape_obstacle(problem.structure):
        return by_laplace(problem)
    return lay_out(problem)


def integrate_many(problems: Sequence[Problem], coefficients: bool) -> list[Problem]:
    """The same for models of one structure, whose arrays are given the same shapes where possible."""
    if not shape_obstacle(problems[0].structure) and obstacle(
        problems[0].structure, problems[0].training.response
    ):
        return _alike(problems)
    return [integrate(problem, coefficients) for problem in problems]


def _alike(problems: Sequence[Problem]) -> list[Problem]:
    """Integrates by Laplace's method, with as many pieces and groups for all as the largest needs."""
    found = [by_laplace(problem) for problem in problems]
    marginals = [problem.structure.marginal for problem in found]
    orders = [how.order for how in marginals if how is not None]
    if len(set(orders)) > 1:
        return found
    order = orders[0]
    finest = position(order.chain[0][0])
    indexes = [p.training.predictors[MEAN].groups[finest].index for p in problems]
    width = best_width(np.concatenate([np.bincount(index) for index in indexes]))
    count = bucket(max(int(np.sum(-(-np.bincount(index) // width))) for index in indexes))
    groups = {
        sites: bucket(max(_groups(problem, sites) for problem in problems))
        for sites in (*order.chain, *order.dense)
    }

    def find_design(problem: Problem, index: np.ndarray) -> dict[str, object]:
        return eliminable(problem, order, cut(index, width, count), groups)

    return [
        replace(made, find_design=partial(find_design, problem, index))
        for made, problem, index in zip(found, problems, indexes, strict=True)
    ]


def _groups(problem: Problem, sites: tuple[str, ...]) -> int:
    index = problem.training.predictors[MEAN].groups[position(sites[0])].index
    return int(index.max(initial=0)) + 1


def _exactly(problem: Problem, order: Order, coefficients: bool) -> Problem:
    shape = problem.structure.predictors[0].coefficients
    normal = all(form.gaussian for form in shape.forms) and 0 < shape.size <= MOST_COEFFICIENTS
    structure = replace(problem.structure, marginal=Marginal(order, coefficients and normal))

    def find_design() -> dict[str, object]:
        known = statistics(problem.structure, order, problem.training, problem.spec.summary)
        return {"statistics": known}

    return replace(problem, structure=structure, find_design=find_design)


def by_laplace(problem: Problem) -> Problem:
    """Integrates group effects out by Laplace's method.

    Raises:
        FitError: they cannot be eliminated factor by factor.
    """
    why_not = shape_obstacle(problem.structure)
    if why_not:
        raise FitError(f'marginalize="laplace" cannot be done: {why_not}.')
    order = find_order(problem.structure.predictors[0], problem.training.predictors[MEAN])
    structure = replace(problem.structure, marginal=Marginal(order, exact=False))

    def find_design() -> dict[str, object]:
        if not problem.devices:
            return eliminable(problem, order)
        terms = problem.training.predictors[MEAN].groups
        pieces = cut(terms[position(order.chain[0][0])].index, share=len(problem.devices))
        return deal_out(eliminable(problem, order, pieces), problem.devices)

    return replace(problem, structure=structure, find_design=find_design)
