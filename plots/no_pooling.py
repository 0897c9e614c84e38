"""Estimates of each group alone, without pooling: maximum likelihood from the group's own rows."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ..formula.terms import MEAN
from ..inference.evaluate import linear_predictors, parameters, response_rows
from ..inference.fit import Fit
from ..inference.point import point_values
from ..inference.programs import double_precision
from ..zoo.compile import observe
from ..zoo.links import LINKS
from .group_coefficients import GroupCoefficients

STEPS = 60
"""Newton steps at most; without a maximum, as where all responses of a group are 0, there is no end."""
RUNAWAY = 1e-6
"""A coefficient whose variance grows a million times on the way runs to infinity."""


def no_pooling(fit: Fit, found: GroupCoefficients) -> np.ndarray:
    """Returns the coefficients of every group by maximum likelihood from its own rows.

    beta_g = argmax sum_{i in g} log p(y_i | eta_i = offset_i + z_i beta_g), by Newton's method, where
    z_i are the columns that vary over groups. Everything else (other terms, the effects of other
    grouping factors, the family's parameters) stays as the whole fit estimates it.

    Args:
        fit: the fit.
        found: the coefficients wanted.

    Returns:
        Shape (level, coef); NaN for coefficients that the group's rows do not identify.
    """
    design, structure = fit.model.design, fit.model.spec.structure
    arrays = design.predictors[MEAN].groups[found.position]
    index, columns, count = arrays.index, arrays.effects, len(found.levels)
    values = point_values(fit)
    etas = linear_predictors(structure, design, values)
    offset = etas[MEAN][0] - (columns * found.point[index]).sum(axis=1)
    link = LINKS[dict(fit.model.spec.links)[MEAN]]
    response = response_rows(structure, design.response)

    def log_prob(eta: Any) -> Any:
        rest = parameters(structure, etas, values)
        distribution = observe(structure.family, {**rest, MEAN: link.inverse(eta)[None]}, response)
        return distribution.log_prob(response["y"])[0]

    def derivatives(eta: Any) -> Any:
        gradient = jax.grad(lambda e: log_prob(e).sum())
        return log_prob(eta), *jax.jvp(gradient, (eta,), (jax.numpy.ones_like(eta),))

    def sums(rows: np.ndarray) -> np.ndarray:
        out = np.zeros((count, *rows.shape[1:]))
        np.add.at(out, index, rows)
        return out

    beta = found.point.copy()
    good = _identified(sums(columns[:, :, None] * columns[:, None, :]))
    damping, gain = np.zeros(count), np.full(count, np.inf)
    with double_precision():
        at = jax.jit(derivatives)
        evaluate = lambda b: [np.asarray(a) for a in at(offset + (columns * b[index]).sum(axis=1))]
        value, first, second = evaluate(beta)
        start = _variances(sums(columns[:, :, None] * columns[:, None, :] * -second[:, None, None]))
        for _ in range(STEPS):
            gradient = sums(columns * first[:, None])
            curvature = -sums(columns[:, :, None] * columns[:, None, :] * second[:, None, None])
            step, gain = _step(gradient, curvature, damping, good)
            if not (good & (gain > 1e-12)).any():
                break
            trial = evaluate(beta + step)
            with np.errstate(invalid="ignore"):
                better = sums(trial[0] - value) >= -1e-12
            better &= np.isfinite(sums(trial[0]))
            beta = np.where(better[:, None], beta + step, beta)
            damping = np.where(better, damping / 10, np.maximum(damping * 10, 1e-3))
            damping[damping < 1e-9] = 0.0
            value, first, second = evaluate(beta)
        good &= gain <= 1e-8
        last = _variances(sums(columns[:, :, None] * columns[:, None, :] * -second[:, None, None]))
    return np.where(good[:, None] & (last * RUNAWAY < start), beta, np.nan)


def _identified(products: np.ndarray) -> np.ndarray:
    """Whether the columns of each group are independent, from their cross-products."""
    sizes = np.sqrt(np.einsum("gkk->gk", products))
    safe = np.where(sizes > 0, sizes, 1.0)
    scaled = products / safe[:, :, None] / safe[:, None, :]
    return (sizes > 0).all(axis=1) & (np.linalg.eigvalsh(scaled)[:, 0] > 1e-9)


def _variances(curvature: np.ndarray) -> np.ndarray:
    """The squared standard errors of each group's coefficients, shape (level, coef)."""
    values, vectors = np.linalg.eigh(np.where(np.isfinite(curvature), curvature, 0.0))
    with np.errstate(divide="ignore"):
        return (vectors**2 / np.maximum(values, 1e-300)[:, None, :]).sum(axis=2)


def _step(
    gradient: np.ndarray, curvature: np.ndarray, damping: np.ndarray, good: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns damped Newton steps and the log-likelihood that they promise."""
    size = gradient.shape[1]
    diagonal = np.abs(np.einsum("gkk->gk", curvature)) + 1e-300
    damped = curvature + (damping[:, None] * diagonal)[:, :, None] * np.eye(size)
    values, vectors = np.linalg.eigh(np.where(good[:, None, None], damped, np.eye(size)))
    floor = 1e-12 * np.abs(values).max(axis=1, keepdims=True) + 1e-300
    turned = np.einsum("gkj,gk->gj", vectors, gradient) / np.maximum(np.abs(values), floor)
    step = np.einsum("gkj,gj->gk", vectors, turned) * good[:, None]
    return step, 0.5 * (step * gradient).sum(axis=1)
