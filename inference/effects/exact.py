"""Exact answers of frequentist fits: gradients by the coefficients, for the delta method.

    se^2 = g V g',    g = dq/dbeta,    V the estimator's covariance

A cell's mean is q = sum_r w_r h(eta_r), with eta = X beta + offset, so g = sum_r w_r h'(eta_r) X_r; for
identity links the averaged rows of the design, as in `emmeans`. A slope is q = sum_r w_r h'(eta_r) s_r
with s = dX beta, so g = sum_r w_r (h''(eta_r) s_r X_r + h'(eta_r) dX_r).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ...formula import Design
from ...formula.terms import MEAN
from ...zoo.links import LINKS
from ...zoo.structure import Structure
from ..evaluate import BLOCK, linear_predictors
from ..programs import double_precision
from .averages import fitted_sites, rows_of, without_groups
from .derivatives import still
from .grid import Plan
from .new_groups import integrated
from .request import Request

if TYPE_CHECKING:
    from ..fit import Fit


def has_gradient(fit: Fit, request: Request) -> bool:
    """Whether the common coefficients of the mean are all that the answers depend on.

    With identity links group effects may be added to them: they do not change the gradient, and where
    they cancel, as in comparisons within a group, nothing else is needed.
    """
    structure = fit.model.spec.structure
    others = frozenset(structure.groups) if request.groups == "new" else frozenset()
    return (
        fit.draws.estimator is not None
        and len(structure.predictors) == 1
        and not structure.population
        and structure.predictors[0].coefficients.size > 0
        and (LINKS[structure.predictors[0].link].linear or not fitted_sites(request))
        and not integrated(structure, others)
        and not _needs_scalars(structure)
    )


def _needs_scalars(structure: Structure) -> bool:
    """Whether the mean depends on other parameters of the family than mu."""
    extras = {name: np.ones(1) for name in structure.family.required}
    found = [
        float(
            np.asarray(
                structure.family.mean(
                    np.full(1, 0.5), {name: np.full(1, v) for name in structure.scalars}, extras
                )
            )[0]
        )
        for v in (0.25, 0.75)
    ]
    return found[0] != found[1]


def cell_gradients(
    fit: Fit,
    request: Request,
    plan: Plan,
    flat: Mapping[str, np.ndarray],
    variable: str | None = None,
) -> np.ndarray:
    """Returns the gradients of the cells' means, or slopes, at the estimates, shape (cell, coef).

    Args:
        fit: the fit.
        request: the question, for which `is_exact` holds.
        plan: cells and rows.
        flat: the estimates, (1, ...).
        variable: slopes by this predictor, where one is named.
    """
    structure = fit.model.spec.structure
    intercept = structure.predictors[0].intercept
    coefficients = flat[f"{MEAN}.coefficients"].shape[1]
    out = np.zeros((len(plan.codes), coefficients))
    for part in plan.parts:
        rows = rows_of(fit, part, variable)
        values = without_groups(structure, flat, rows.design, frozenset())
        size = max(1, BLOCK // coefficients)
        for start in range(0, rows.design.size, size):
            count = min(size, rows.design.size - start)
            block = rows.design.part(start, count)
            matrix = _matrix(block, float(intercept), intercept)
            first, second = _derivatives(structure, block, values)
            if rows.moved is None:
                found = first[:, None] * matrix
            else:
                moved = rows.moved.part(start, count)
                slope = linear_predictors(structure, moved, still(structure, values))[MEAN][0]
                found = (second * slope)[:, None] * matrix
                found += first[:, None] * _matrix(moved, 0.0, intercept)
            cells = part.cells[start : start + count]
            at = np.flatnonzero(np.r_[True, np.diff(cells) > 0])
            weighted = found * part.weights[start : start + count, None]
            out[cells[at]] += np.add.reduceat(weighted, at, axis=0)
    return out


def _matrix(design: Design, constant: float, intercept: bool) -> np.ndarray:
    columns = design.predictors[MEAN].matrix
    if not intercept:
        return columns
    return np.hstack([np.full((design.size, 1), constant), columns])


def _derivatives(
    structure: Structure, design: Design, flat: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns h' and h'' of the mean by the linear predictor, each of shape (obs,)."""
    eta = linear_predictors(structure, design, flat)[MEAN][0]
    link = LINKS[structure.predictors[0].link]
    scalars = {name: flat[name][0] for name in structure.scalars}
    response: dict[str, Any] = dict(design.response)

    def mean(eta: Any) -> Any:
        mu = link.inverse(eta)
        return structure.family.mean(mu, {**scalars, MEAN: mu}, response) + 0.0 * eta

    def along(eta: Any) -> Any:
        return jax.jvp(mean, (eta,), (jnp.ones_like(eta),))[1]

    with double_precision():
        first, second = jax.jvp(along, (jnp.asarray(eta),), (jnp.ones(eta.shape),))
        return np.asarray(first), np.asarray(second)
