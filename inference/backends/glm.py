"""Generalised linear models by statsmodels: maximum likelihood without priors, `glm` of R."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from ...errors import FitError, listing
from ...formula.terms import MEAN
from ..backend import Backend, Draws, Problem
from ..escape import escape_note
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
from ..noiseless import noiseless
from ..options import whole

LINKS = {
    "identity": "Identity",
    "log": "Log",
    "logit": "Logit",
    "probit": "Probit",
    "cloglog": "CLogLog",
}
"""Our links -> statsmodels' classes."""

SILENT, WIDE = 1e-6, 30.0
"""Rows with less information than the first and, on the scale of the link, standard errors above the
second mean that the likelihood has no maximum."""


GAIN = 1e-8
"""A further step that promises less is none."""


@dataclass(frozen=True)
class Settings:
    """Settings of generalised linear models.

    Attributes:
        robust: None, or "HC0" to "HC3" for standard errors that allow a wrong variance function.
        draws: draws from the estimator's normal distribution.
    """

    robust: str | None = None
    draws: int = 1000

    def __post_init__(self) -> None:
        check_robust(self.robust)
        whole("draws", self.draws, 1)


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Maximises the likelihood of a generalised linear model.

    `weighted(y, w)` becomes statsmodels' freq_weights, because it counts each row w times. A free
    scale phi is Pearson's chi-square over the residual degrees of freedom.

    Args:
        settings: kind of standard errors, number of draws.
        problem: a model whose family statsmodels has, without group terms.
        seed: of the draws.
        progress: not used.

    Returns:
        Draws from the estimator's normal distribution, the exact table, and statsmodels' result.

    Raises:
        FitError: the model is none of these, or the iterations broke down.
    """
    _check(problem)
    rows = read_rows(problem, "glm")
    if not rows.names:
        raise FitError('method "glm" needs at least one coefficient, but the formula has none.')
    with quiet():
        result = _maximise(problem, rows, rows.frame, settings.robust)
        transform = well_conditioned(rows.matrix, problem.structure.predictors[0].intercept)
        exact = result
        if transform is not None:
            exact = _maximise(problem, rows, rows.matrix @ transform, settings.robust)
        transform = np.eye(len(rows.names)) if transform is None else transform
        value = transform @ np.asarray(exact.params)
        covariance = transform @ np.asarray(exact.cov_params()) @ transform.T
        if not np.isfinite(value).all():
            raise FitError(_broken(problem, "the estimates are not finite"))
        se = np.sqrt(np.diag(covariance))
        scalars = {name: _scalar(problem, exact, rows) for name in problem.structure.scalars}
        notes = prior_note(problem, "glm") + _separation(rows, exact, problem, se)
        log_likelihood = _log_likelihood(problem, exact, rows)
        arrived = _arrived(exact)
    generator = np.random.default_rng(seed)
    estimates = {f"{MEAN}.coefficients": Estimate(value, se, tested=True)}
    natural = {
        f"{MEAN}.coefficients": normal_draws(generator, value, covariance, settings.draws)[None]
    }
    for name, (scalar, relative) in scalars.items():
        estimates[name] = Estimate(np.asarray(scalar), np.asarray(scalar * relative), scale="log")
        natural[name] = positive_draws(generator, scalar, relative, settings.draws)
    return Draws(
        natural,
        converged=bool(exact.converged) or arrived,
        notes=notes,
        result=result,
        table=table(problem.spec, estimates),
        log_likelihood=log_likelihood,
        parameters=len(value) + len(scalars),
        estimator=Estimator(covariance),
    )


def _check(problem: Problem) -> None:
    family = problem.spec.family
    if family.glm is None:
        raise FitError(
            f'method "glm" cannot fit family `{family.name}`. Methods that can: {BAYESIAN}.'
        )
    groups = problem.spec.schema.predictors[0].groups
    if groups:
        named = ", ".join(f"`{g.term}`" for g in groups)
        lme = '"lme" (identity link), ' if family.least_squares else ""
        raise FitError(
            f'method "glm" has no group effects, but the formula has {named}. Methods that can: '
            f"{lme}{BAYESIAN}."
        )
    refuse(problem, "glm")


def _maximise(problem: Problem, rows: Rows, matrix: Any, robust: str | None) -> Any:
    sm = load_statsmodels()

    member = problem.spec.family
    link = getattr(sm.families.links, LINKS[problem.structure.predictors[0].link])()
    family = getattr(sm.families, str(member.glm))(link)
    y = rows.y
    if "trials" in problem.training.response:
        y = np.column_stack([y, problem.training.response["trials"][rows.kept] - y])
    options = {"freq_weights": rows.counts} if rows.weighted else {}
    if rows.known:
        options["var_weights"] = rows.precision
    fixed = rows.known or not member.dispersion
    try:
        model = sm.GLM(y, matrix, family=family, offset=rows.offset, **options)
        result = model.fit(maxiter=200, atol=1e-10, rtol=1e-12, scale=1.0 if fixed else None)
    except (ValueError, FloatingPointError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise FitError(_why(problem) or _broken(problem, str(error))) from None
    if robust is not None:
        inner = result._results
        inner.cov_params_default = _robust(result, np.asarray(matrix), rows, robust)
        inner.cov_type = robust
    return result


def _log_likelihood(problem: Problem, result: Any, rows: Rows) -> float:
    """With all constants, at the scale that maximises it where the scale is free."""
    if rows.known or not problem.spec.family.dispersion:
        return float(result.llf_scaled(scale=1.0))

    def minus(log_scale: float) -> float:
        return -float(result.llf_scaled(scale=np.exp(log_scale)))

    centre = float(np.log(result.scale))
    best: Any = minimize_scalar(minus, bracket=(centre - 0.1, centre + 0.1), tol=1e-10)
    return -float(best.fun)


def _robust(result: Any, matrix: np.ndarray, rows: Rows, robust: str) -> np.ndarray:
    """The sandwich of our own: statsmodels computes HC0 for a GLM whichever kind is asked for."""
    model, mu = result.model, np.asarray(result.mu)
    prior = model.n_trials * model.var_weights
    weight = prior * model.family.weights(mu)
    score = weight * (model.endog - mu) * model.family.link.deriv(mu)
    return sandwich(robust, matrix, score, weight, rows.counts)


def _arrived(result: Any) -> bool:
    """Whether a Newton step promises nothing, where deviances are so large that they never settle."""
    score = np.asarray(result.model.score(result.params, scale=1.0))
    return bool(score @ np.asarray(result.normalized_cov_params) @ score < GAIN)


def _scalar(problem: Problem, result: Any, rows: Rows) -> tuple[float, float]:
    """The family's scalar from the scale phi, and its relative standard error.

    sigma is sqrt(phi), a shape is 1 / phi. The error of phi is that of a mean of squared Pearson
    residuals, whatever their distribution.
    """
    phi = float(result.scale)
    squares = np.asarray(result.resid_pearson) ** 2 / phi
    mean = np.average(squares, weights=rows.counts)
    variance = np.average((squares - mean) ** 2, weights=rows.counts)
    relative = float(np.sqrt(variance / (rows.total - len(rows.names))))
    if problem.spec.family.least_squares:
        return phi**0.5, relative / 2
    return 1 / phi, relative


def _separation(rows: Rows, result: Any, problem: Problem, se: np.ndarray) -> tuple[str, ...]:
    """A note where some coefficients run to infinity because they predict some rows perfectly."""
    information = result.model.family.weights(np.asarray(result.mu))
    silent = information < SILENT
    size = np.abs(rows.matrix).max(axis=0)
    names = [f"`{name}`" for name, wide in zip(rows.names, se * size > WIDE, strict=True) if wide]
    if problem.spec.family.dispersion or not silent.any() or not names:
        return ()
    return (
        f"some predictors separate the outcomes: {int(silent.sum()):,} of {len(silent):,} rows are "
        f"predicted perfectly, so the likelihood has no maximum, and {listing(names)} with their "
        'standard errors mean nothing. Use "map" or "nuts", whose default priors keep them finite, or '
        "join levels.",
    )


def _why(problem: Problem) -> str:
    """Returns what about the data breaks the iterations, if it is known."""
    how = noiseless(problem)
    if how:
        return (
            f'{how}, so there is no noise to measure, and method "glm" breaks down. Look for a '
            "predictor that holds the response, or for values that were rounded."
        )
    return " ".join(escape_note(problem))


def _broken(problem: Problem, reason: str) -> str:
    predictor = problem.structure.predictors[0]
    return (
        f'method "glm" broke down: {reason.rstrip(".")}. With link `{predictor.link}` a fitted mean '
        f"may have left the range of family `{problem.spec.family.name}`; try another link, or "
        f"{BAYESIAN}."
    )


GLM = Backend(
    "glm", Settings, run, frequentist=True, story="Generalised linear models, by statsmodels."
)
