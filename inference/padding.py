"""A problem in array shapes of which there are few, so that data of about one size share programs.

Rows are added with weight 0 and groups without rows. An added row is a copy of a real one; the effects
of an added group follow their prior, so that the posterior of everything else is what it was:

    p(theta, u | y) p(u' | theta) = p(theta, u, u' | y).

Laplace's method integrates u' out exactly where effects are normal; others keep their groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from ..zoo.statistics import bucket
from .backend import Problem


def padded(problem: Problem) -> Problem:
    """Returns a problem with the counts of rows and groups rounded up to one of few.

    Args:
        problem: what there is to fit; its arrays are made when the result's are first asked for.

    Returns:
        A problem whose `design` and `numbers` have more rows and groups, always with response weights,
        and whose `training` is as before; problems of several neurons are returned unchanged. Backends
        cut group effects to the groups that there are.
    """
    if problem.structure.population:
        return problem
    return replace(
        problem,
        find_design=lambda: _pad_rows(problem.design),
        find_numbers=lambda: _pad_groups(problem),
    )


def _pad_rows(design: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = len(design["response"]["y"])
    picked = np.minimum(np.arange(bucket(rows)), rows - 1)
    out: Any = jax.tree.map(lambda array: np.asarray(array)[picked], dict(design))
    counts = np.array(out["response"].get("weights", np.ones(len(picked))))
    counts[rows:] = 0.0
    return {**out, "response": {**out["response"], "weights": counts}}


def _pad_groups(problem: Problem) -> dict[str, Any]:
    """Effects of groups without rows are in the coordinates of their prior, not centred."""
    out = dict(problem.numbers)
    for predictor in problem.structure.predictors:
        entry = out[predictor.parameter]
        terms = tuple(
            {**term, "centred": _lengthen(term["centred"])} if group.member.gaussian else term
            for group, term in zip(predictor.groups, entry["groups"], strict=True)
        )
        out[predictor.parameter] = {**entry, "groups": terms}
    return out


def _lengthen(array: np.ndarray) -> np.ndarray:
    extra = np.zeros((bucket(len(array)) - len(array), *array.shape[1:]), dtype=array.dtype)
    return np.concatenate([array, extra])
