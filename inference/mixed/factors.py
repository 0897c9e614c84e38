"""The grouping factors of a model, ready for the mixed model's likelihood."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ...formula.terms import MEAN
from ..backend import Problem
from .system import Factor


def read_factors(problem: Problem, kept: np.ndarray) -> tuple[Factor, ...]:
    """Returns one Factor per grouping factor; terms of one factor share their groups.

    Args:
        problem: the model.
        kept: the rows of the design to use.
    """
    predictor = problem.structure.predictors[0]
    schema = problem.spec.schema.predictors[0]
    arrays = problem.training.predictors[MEAN].groups
    positions: dict[int, list[int]] = {}
    for i, group in enumerate(predictor.groups):
        positions.setdefault(group.factor, []).append(i)
    out = []
    for members in positions.values():
        parts = [arrays[i].effects[kept] for i in members]
        edges = np.cumsum([0, *(part.shape[1] for part in parts)])
        spans = [slice(*pair) for pair in pairwise(edges)]
        mask = np.eye(edges[-1], dtype=bool)
        scale = np.zeros((edges[-1], edges[-1]))
        for i, part, span in zip(members, parts, spans, strict=True):
            if predictor.groups[i].correlated:
                mask[span, span] = np.tril(np.ones((part.shape[1], part.shape[1]), dtype=bool))
            scale[span, span] = _orthonormal(part, predictor.groups[i].correlated)
        out.append(
            Factor(
                arrays[members[0]].index[kept],
                len(schema.groups[members[0]].levels),
                np.concatenate(parts, axis=1),
                mask,
                scale,
                tuple(zip(members, spans, strict=True)),
            )
        )
    return tuple(out)


def _orthonormal(effects: np.ndarray, correlated: bool) -> np.ndarray:
    """S such that effects @ S has orthonormal columns in the mean, or only unit size.

    Only the covariance of correlated effects may be turned without changing the model.
    """
    size = np.sqrt(np.mean(effects**2, axis=0))
    size = np.where(size > 0, size, 1.0)
    if correlated:
        triangle = np.linalg.qr(effects / size / np.sqrt(len(effects)), mode="r")
        if np.abs(np.diag(triangle)).min() > 1e-8:
            return np.linalg.inv(triangle * size)
    return np.diag(1 / size)
