"""Ordinary least squares by statsmodels: `lm` of R, with robust standard errors on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FitError
from ...formula.terms import MEAN
from ...zoo.links import LINKS
from ..backend import Backend, Draws, Problem
from ..estimator import Estimator
from ..frequentist import (
    BAYESIAN,
    Estimate,
    Rows,
    load_statsmodels,
    normal_draws,
    positive_draws,
    prior_note,
    quiet,
    read_rows,
    refuse,
    table,
)
from ..linear import check_robust, sandwich, well_conditioned
from ..options import whole


@dataclass(frozen=True)
class Settings:
    """Settings of least squares.

    Attributes:
        robust: None, or "HC0" to "HC3" for standard errors that allow unequal variances.
        draws: draws from the estimator's normal distribution.
    """

    robust: str | None = None
    draws: int = 1000

    def __post_init__(self) -> None:
        check_robust(self.robust)
        whole("draws", self.draws, 1)


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Fits y = X b + e by least squares, weighted where rows count differently or errors are known.

    `weighted(y, w)` counts each row w times, as everywhere in bayeszoo: two rows that are alike and
    one of weight 2 give one answer (but the result's own `llf` takes weights for precisions).
    `measured(y, se)` weighs by 1 / se^2, and its standard errors
    need no estimate of scale.

    Args:
        settings: kind of standard errors, number of draws.
        problem: a normal model with identity link and without group terms.
        seed: of the draws.
        progress: not used.

    Returns:
        Draws from the estimator's normal distribution, the exact table, and statsmodels' result.

    Raises:
        FitError: the model is none that least squares fit.
    """
    _check(problem)
    rows = read_rows(problem, "ols")
    if not rows.names:
        raise FitError('method "ols" needs at least one coefficient, but the formula has none.')
    predictor = problem.structure.predictors[0]
    with quiet():
        result = _least_squares(rows, rows.frame, settings.robust)
        transform = well_conditioned(rows.matrix, predictor.intercept)
        exact = result
        if transform is not None:
            exact = _least_squares(rows, rows.matrix @ transform, settings.robust)
        transform = np.eye(len(rows.names)) if transform is None else transform
        value = transform @ np.asarray(exact.params)
        covariance = transform @ np.asarray(exact.cov_params()) @ transform.T
        sigma = float(np.sqrt(exact.scale))
    df = np.inf if rows.known else rows.total - len(value)
    generator = np.random.default_rng(seed)
    coefficients = Estimate(value, np.sqrt(np.diag(covariance)), df, tested=True)
    estimates = {f"{MEAN}.coefficients": coefficients}
    natural = {
        f"{MEAN}.coefficients": normal_draws(generator, value, covariance, settings.draws)[None]
    }
    for name in problem.structure.scalars:
        relative = (2 * df) ** -0.5
        estimates[name] = Estimate(np.asarray(sigma), np.asarray(sigma * relative), scale="log")
        natural[name] = positive_draws(generator, sigma, relative, settings.draws)
    notes = prior_note(problem, "ols")
    return Draws(
        natural,
        notes=notes,
        result=result,
        table=table(problem.spec, estimates),
        log_likelihood=_log_likelihood(rows, value),
        parameters=len(value) + (not rows.known),
        estimator=Estimator(covariance, df),
    )


def _log_likelihood(rows: Rows, coefficients: np.ndarray) -> float:
    """With all constants, at the variance that maximises it."""
    residual = rows.y - rows.offset - rows.matrix @ coefficients
    squares = float(np.sum(rows.counts * rows.precision * residual**2))
    variance = 1.0 if rows.known else max(squares / rows.total, np.finfo(float).tiny)
    constant = rows.total * np.log(2 * np.pi * variance) - rows.counts @ np.log(rows.precision)
    return float(-0.5 * (constant + squares / variance))


def _check(problem: Problem) -> None:
    predictor = problem.structure.predictors[0]
    if not problem.spec.family.least_squares:
        raise FitError(
            f'method "ols" fits normal responses, not family `{problem.spec.family.name}`. '
            f'Methods that can: "glm" (for some families), {BAYESIAN}.'
        )
    if not LINKS[predictor.link].linear:
        raise FitError(
            f'method "ols" fits the identity link, not `{predictor.link}`. Methods that can: "glm", '
            f"{BAYESIAN}."
        )
    if predictor.groups:
        named = ", ".join(f"`{g.term}`" for g in problem.spec.schema.predictors[0].groups)
        raise FitError(
            f'method "ols" has no group effects, but the formula has {named}. Use "lme", or leave '
            "them out."
        )
    refuse(problem, "ols")


def _least_squares(rows: Rows, matrix: Any, robust: str | None) -> Any:
    sm = load_statsmodels()

    y = rows.y - rows.offset
    if not rows.weighted and not rows.known:
        return sm.OLS(y, matrix).fit(cov_type=robust or "nonrobust", use_t=True)
    model = sm.WLS(y, matrix, weights=rows.counts * rows.precision)
    model.df_resid = rows.total - len(rows.names)
    if rows.known:
        result = model.fit(cov_type="fixed scale", cov_kwds={"scale": 1.0}, use_t=False)
    else:
        result = model.fit(use_t=True)
    if robust is not None:
        # statsmodels' own takes weights for precisions, here they are counts
        columns = np.asarray(matrix)
        score = rows.precision * (y - columns @ np.asarray(result.params))
        inner = result._results
        inner.cov_params_default = sandwich(robust, columns, score, rows.precision, rows.counts)
        inner.cov_type = robust
    return result


OLS = Backend("ols", Settings, run, frequentist=True, story="Least squares, by statsmodels.")
