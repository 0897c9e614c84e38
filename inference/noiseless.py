"""Responses without noise: all equal, or reproduced by the predictors and groups.

The likelihood then grows for ever as the noise goes to zero, faster than any prior of it falls, so that
there is neither a maximum nor a posterior.
"""

from __future__ import annotations

import numpy as np

from ..formula.terms import MEAN
from ..zoo.family import COUNT
from ..zoo.links import LINKS
from .backend import Problem

EXACT = 1e-13
"""Residuals beside the response that are nothing but rounding."""
SOME, LARGEST = 400, 2_000_000
"""Rows that are looked at first, and numbers that are looked through."""


def noiseless(problem: Problem) -> str:
    """Returns in what way the response has no noise, as the start of a sentence; else nothing."""
    spec, response = problem.spec, problem.training.response
    y, schema = response["y"], spec.schema
    known = spec.family.known_scale is not None and "standard_error" in response
    if not spec.family.dispersion or spec.family.support is COUNT or known or y.ndim > 1:
        return ""
    if "status" in response:
        return ""
    rows = np.flatnonzero(response["weights"] > 0) if "weights" in response else np.arange(y.size)
    if len(rows) > 1 and np.ptp(y[rows]) == 0:
        return f"`{schema.response}` is {y[rows[0]]:.6g} in all {len(rows):,} rows"
    found = None
    if len(rows) > SOME:
        found = _reproduced(problem, rows[:: len(rows) // SOME][:SOME])
    if found is None or found:
        found = _reproduced(problem, rows)
    return "the predictors reproduce the response exactly" if found else ""


def _reproduced(problem: Problem, rows: np.ndarray) -> bool | None:
    """Whether least squares leaves nothing of these rows; None where it cannot leave anything."""
    spec, arrays = problem.spec, problem.training.predictors[MEAN]
    columns = int(spec.schema.predictors[0].intercept) + arrays.shared.shape[1]
    columns += sum(min(len(rows), g.effects.size) for g in arrays.groups)
    if len(rows) * columns > LARGEST:
        return None if len(rows) <= SOME else False
    with np.errstate(all="ignore"):
        target = LINKS[dict(spec.links)[MEAN]].forward(problem.training.response["y"][rows])
        target = target - arrays.offset[rows]
    if not np.isfinite(target).all():
        return False
    parts = [np.ones((len(rows), int(spec.schema.predictors[0].intercept)))]
    parts.append(np.asarray(arrays.shared.take(rows)))
    for group in arrays.groups:
        present, index = np.unique(group.index[rows], return_inverse=True)
        member = (index[:, None] == np.arange(len(present))).astype(float)
        parts += [member * column[:, None] for column in group.effects[rows].T]
    matrix = np.hstack(parts)
    size = np.abs(matrix).max(axis=0, initial=0.0)
    matrix = matrix / np.where(size > 0, size, 1.0)
    solution, _, rank, _ = np.linalg.lstsq(matrix, target, rcond=None)
    if rank >= len(rows):
        return None
    left = np.abs(target - matrix @ solution).max()
    return bool(left <= EXACT * max(np.abs(target).max(), np.finfo(float).tiny))
