"""Linear mixed models by (restricted) maximum likelihood: the answers of R's lme4."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FitError, OptionError, shown
from ...formula.terms import MEAN
from ...zoo.links import LINKS
from ..backend import Backend, Draws, Problem
from ..estimator import Estimator
from ..frequentist import (
    BAYESIAN,
    Estimate,
    Rows,
    prior_note,
    quiet,
    read_rows,
    refuse,
    singular,
    table,
)
from ..mixed.effects import Effects, draw_effects
from ..mixed.engine import fit_statsmodels
from ..mixed.factors import read_factors
from ..mixed.optimum import Optimum, find_optimum
from ..mixed.result import make_result
from ..mixed.satterthwaite import satterthwaite
from ..mixed.spread import SpreadDraws, draw_spread, singular_terms
from ..mixed.start import find_start
from ..mixed.system import Factor, System, assemble
from ..mixed.threads import one_thread
from ..mixed.twin import fit_near, make_twin, obstacle, takes_long
from ..options import choice, whole
from ..variables import printed_rows, variables

MANY, LARGE = 20_000, 60
"""Rows of the data, or of what is factorised, from which on it matters how many threads multiply."""
ENGINES, DEGREES = ("own", "statsmodels"), ("satterthwaite", "normal")


@dataclass(frozen=True)
class Settings:
    """Settings of linear mixed models.

    Attributes:
        reml: restricted maximum likelihood, which corrects variances for the coefficients; False for
            maximum likelihood.
        df: degrees of freedom of the coefficients' t distribution: "satterthwaite", or "normal" for
            the normal distribution.
        engine: "own", or "statsmodels" for the estimates, standard errors and log likelihood of its
            MixedLM, to check ours with; it takes the normal distribution.
        draws: draws from the estimator's normal distribution.
    """

    reml: bool = True
    df: str = "satterthwaite"
    engine: str = "own"
    draws: int = 1000

    def __post_init__(self) -> None:
        if not isinstance(self.reml, bool | np.bool_):
            raise OptionError(f"reml= takes True or False, not {shown(self.reml)}.")
        choice("df", self.df, DEGREES)
        choice("engine", self.engine, ENGINES)
        whole("draws", self.draws, 1)


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Maximises the (restricted) likelihood of a normal model with normal group effects.

    The optimum is our own (the profiled likelihood of lme4). The result is made when it is asked for:
    statsmodels' MixedLM, started at our optimum, where it can express the model, and else our own small
    `MixedResult`. Coefficients and group effects are drawn jointly given the variances; standard
    deviations are drawn on the log scale and correlations on the atanh scale. Standard errors of group
    effects count the uncertainty of the coefficients in.

    Args:
        settings: kind of likelihood, degrees of freedom, engine, number of draws.
        problem: a normal model with identity link and group terms.
        seed: of the draws.
        progress: not used.

    Raises:
        FitError: the model is none of these, the data leave no noise, or the engine cannot fit it.
    """
    _check(problem)
    rows = read_rows(problem, "lme")
    factors = read_factors(problem, rows.kept)
    generator = np.random.default_rng(seed)
    theirs: Any = None
    with quiet(), ExitStack() as stack:
        if len(rows.y) > MANY or _others(factors) > LARGE:
            stack.enter_context(one_thread())
        system = assemble(
            rows.matrix,
            rows.y - rows.offset,
            rows.counts,
            rows.precision,
            factors,
            rows.known,
            bool(settings.reml),
        )
        start = find_start(system)
        if not start.has_noise:
            raise FitError(
                'method "lme" found no noise: the predictors and groups reproduce the response '
                "exactly. Look for a predictor that holds the response, or for rows that repeat."
            )
        system = start.system
        if settings.engine == "statsmodels":
            theirs, optimum = fit_statsmodels(rows, system, _scale_names(problem))
        else:
            optimum = find_optimum(start)
        spread = draw_spread(system, optimum, generator, settings.draws)
        effects = draw_effects(system, optimum, generator, settings.draws)
        estimator = Estimator(effects.covariance)
        if theirs is not None:
            estimator = Estimator(_fixed_covariance(theirs, len(rows.names)))
        elif settings.df == "satterthwaite":
            estimator = satterthwaite(system, optimum)
        df = estimator.degrees_of_freedom(np.eye(len(rows.names)))
    coefficients = Estimate(
        effects.coefficients, np.sqrt(np.diag(effects.covariance)), df, tested=True
    )
    notes = _singular(problem, spread, optimum, system)
    if theirs is None:
        notes += _flat(spread)
    else:
        coefficients = Estimate(
            np.asarray(theirs.fe_params), np.asarray(theirs.bse_fe), df, tested=True
        )
    estimates, natural = _arrays(problem, coefficients, spread, effects)
    exact = table(problem.spec, estimates)
    log_likelihood = -0.5 * optimum.deviance

    def result() -> Any:
        """statsmodels' result where it has one."""
        if theirs is not None:
            return theirs
        twin = _near(problem, system, rows, spread, effects.coefficients)
        return make_result(system, optimum, effects, exact, rows.names) if twin is None else twin

    return Draws(
        natural,
        converged=optimum.converged,
        notes=prior_note(problem, "lme") + notes,
        result=result,
        table=exact,
        log_likelihood=log_likelihood,
        parameters=len(rows.names) + system.parameters + (not system.known),
        estimator=estimator,
    )


def _fixed_covariance(theirs: Any, coefficients: int) -> np.ndarray:
    """The coefficients' covariance of statsmodels' result, which holds the variances' after them."""
    return np.asarray(theirs.cov_params())[:coefficients, :coefficients]


def _others(factors: tuple[Factor, ...]) -> int:
    """The effects of all factors but the largest."""
    sizes = [factor.groups * factor.size for factor in factors]
    return sum(sizes) - max(sizes)


def _arrays(
    problem: Problem, coefficients: Estimate, spread: SpreadDraws, effects: Effects
) -> tuple[dict[str, Estimate], dict[str, np.ndarray]]:
    """Estimates and draws by generic name."""
    estimates: dict[str, Estimate] = {}
    natural: dict[str, np.ndarray] = {}
    if len(coefficients.value):
        estimates[f"{MEAN}.coefficients"] = coefficients
        natural[f"{MEAN}.coefficients"] = effects.draws[None]
    for i, group in enumerate(problem.structure.predictors[0].groups):
        site = f"{MEAN}.group{i}"
        (sd, corr), (sd_error, corr_error) = spread.estimate[i], spread.error[i]
        estimates[f"{site}.sd"] = Estimate(sd, sd * sd_error, scale="log")
        natural[f"{site}.sd"] = spread.draws[i][0][None]
        if group.correlated:
            undefined = np.where(np.outer(sd > 0, sd > 0), corr, np.nan)
            se = (1 - corr**2) * corr_error
            estimates[f"{site}.corr"] = Estimate(undefined, se, scale="atanh")
            natural[f"{site}.corr"] = spread.draws[i][1][None]
        estimates[f"{site}.effects"] = Estimate(*effects.modes[i])
        natural[f"{site}.effects"] = effects.group_draws[i][None]
    for name in problem.structure.scalars:
        sigma, relative, drawn = spread.sigma
        estimates[name] = Estimate(np.asarray(sigma), np.asarray(sigma * relative), scale="log")
        natural[name] = drawn[None]
    return estimates, natural


def _check(problem: Problem) -> None:
    family, predictor = problem.spec.family, problem.structure.predictors[0]
    schema = problem.spec.schema.predictors[0]
    if not family.least_squares or not LINKS[predictor.link].linear:
        raise FitError(
            f'method "lme" fits normal responses with identity link, not family `{family.name}` with '
            f"link `{predictor.link}`. Methods that can: {BAYESIAN}."
        )
    if not predictor.groups:
        raise FitError('method "lme" needs group effects, such as (1 | g). Without them use "ols".')
    for group, term in zip(predictor.groups, schema.groups, strict=True):
        if not group.member.gaussian:
            raise FitError(
                f'method "lme" has normal group effects, not those of `{term.term}`. Methods that '
                f"can: {BAYESIAN}."
            )
    refuse(problem, "lme")


def _scale_names(problem: Problem) -> list[list[str]]:
    """The printed names of each term's standard deviations."""
    found, coords = variables(problem.spec)
    names: dict[str, list[str]] = {}
    for variable in found:
        if variable.kind == "scale":
            printed = [name for name, _ in printed_rows(variable, coords)]
            names.setdefault(variable.source, []).extend(printed)
    return list(names.values())


def _near(
    problem: Problem, system: System, rows: Rows, spread: SpreadDraws, coefficients: np.ndarray
) -> Any:
    """statsmodels' result from our optimum, or None."""
    if obstacle(rows, system.factors) or takes_long(rows, system.factors):
        return None
    with quiet():
        twin = make_twin(rows, system.factors, _scale_names(problem))
    return fit_near(twin, spread.estimate, coefficients, spread.sigma[0], system.reml)


def _singular(
    problem: Problem, spread: SpreadDraws, optimum: Optimum, system: System
) -> tuple[str, ...]:
    """Notes on correlations at boundaries; diagnose() names the standard deviations at zero."""
    terms = singular_terms(system, optimum.theta, spread.estimate)
    return tuple(singular(problem.spec.group_names(MEAN, i)["corr"]) for i in terms)


def _flat(spread: SpreadDraws) -> tuple[str, ...]:
    """A note where standard errors are missing without any boundary."""
    alive = [
        np.isnan(error[0][sd > 0]).any()
        for (sd, _), error in zip(spread.estimate, spread.error, strict=True)
    ]
    if not any(alive):
        return ()
    return (
        "the likelihood is too flat for standard errors of some standard deviations or "
        'correlations, so their draws repeat the estimate. Let fewer effects vary, or use "nuts".',
    )


LME = Backend(
    "lme", Settings, run, frequentist=True, story="Linear mixed models by REML or ML, as lme4 does."
)
