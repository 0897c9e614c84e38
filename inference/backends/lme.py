"""Linear mixed models by (restricted) maximum likelihood: the answers of R's lme4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FitError, OptionError
from ...formula.terms import MEAN
from ...zoo.links import LINKS
from ..backend import Backend, Draws, Problem
from ..frequentist import BAYESIAN, Estimate, Rows, prior_note, quiet, read_rows, refuse, table
from ..mixed_factors import read_factors
from ..mixed_optimum import Optimum, find_optimum, has_noise, well_scaled
from ..mixed_result import MixedResult, make_result
from ..mixed_spread import Effects, SpreadDraws, draw_effects, draw_spread, singular_terms
from ..mixed_system import System, assemble
from ..mixed_twin import fit_twin
from ..options import whole
from ..variables import printed_rows, variables


@dataclass(frozen=True)
class Settings:
    """Settings of linear mixed models.

    Attributes:
        reml: restricted maximum likelihood, which corrects variances for the coefficients; False for
            maximum likelihood.
        draws: draws from the estimator's normal distribution.
    """

    reml: bool = True
    draws: int = 1000

    def __post_init__(self) -> None:
        if not isinstance(self.reml, bool | np.bool_):
            raise OptionError(f"reml= takes True or False, not {self.reml!r}.")
        whole("draws", self.draws, 1)


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Maximises the (restricted) likelihood of a normal model with normal group effects.

    The optimum is our own (the profiled likelihood of lme4). The result is statsmodels' MixedLM,
    started there, where it can express the model, and else our own small `MixedResult`. Coefficients
    and group effects are drawn jointly given the variances; standard deviations are drawn on the log
    scale and correlations on the atanh scale.

    Args:
        settings: kind of likelihood, number of draws.
        problem: a normal model with identity link and group terms.
        seed: of the draws.
        progress: not used.

    Raises:
        FitError: the model is none of these, or the data leave no noise.
    """
    _check(problem)
    rows = read_rows(problem, "lme")
    factors = read_factors(problem, rows.kept)
    generator = np.random.default_rng(seed)
    with quiet():
        system = assemble(
            rows.matrix,
            rows.y - rows.offset,
            rows.counts,
            rows.precision,
            factors,
            rows.known,
            bool(settings.reml),
        )
        if not has_noise(system):
            raise FitError(
                'method "lme" found no noise: the predictors and groups reproduce the response '
                "exactly. Look for a predictor that holds the response, or for rows that repeat."
            )
        system = well_scaled(system)
        optimum = find_optimum(system)
        spread = draw_spread(system, optimum, generator, settings.draws)
        effects = draw_effects(system, optimum, generator, settings.draws)
    estimates, natural = _arrays(problem, spread, effects)
    exact = table(problem.spec, estimates)
    own = make_result(problem, system, optimum, effects, exact, rows.names)
    return Draws(
        natural,
        converged=optimum.converged,
        notes=prior_note(problem, "lme") + _notes(problem, spread, optimum, system),
        result=_twin(problem, system, rows, spread, own),
        table=exact,
    )


def _arrays(
    problem: Problem, spread: SpreadDraws, effects: Effects
) -> tuple[dict[str, Estimate], dict[str, np.ndarray]]:
    """Estimates and draws by generic name."""
    estimates: dict[str, Estimate] = {}
    natural: dict[str, np.ndarray] = {}
    if len(effects.coefficients):
        se = np.sqrt(np.diag(effects.covariance))
        estimates[f"{MEAN}.coefficients"] = Estimate(effects.coefficients, se, tested=True)
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


def _twin(
    problem: Problem, system: System, rows: Rows, spread: SpreadDraws, own: MixedResult
) -> Any:
    found, coords = variables(problem.spec)
    names: dict[str, list[str]] = {}
    for variable in found:
        if variable.kind == "scale":
            printed = [name for name, _ in printed_rows(variable, coords)]
            names.setdefault(variable.source, []).extend(printed)
    twin = fit_twin(
        rows,
        system.factors,
        list(names.values()),
        spread.estimate,
        own.params.to_numpy(),
        spread.sigma[0],
        system.reml,
    )
    return own if twin is None else twin


def _notes(
    problem: Problem, spread: SpreadDraws, optimum: Optimum, system: System
) -> tuple[str, ...]:
    """Notes on boundaries; diagnose() names the standard deviations at zero."""
    notes = []
    for i in singular_terms(system, optimum.theta, spread.estimate):
        name = problem.spec.group_names(MEAN, i)["corr"]
        notes.append(
            f"`{name}` is at its boundary (a singular fit): some effects are exact combinations of "
            "others, because the data are too few to tell them apart. Let fewer effects vary, write "
            '`||` for uncorrelated ones, or use "nuts".'
        )
    alive = [
        np.isnan(error[0][sd > 0]).any()
        for (sd, _), error in zip(spread.estimate, spread.error, strict=True)
    ]
    if any(alive):
        notes.append(
            "the likelihood is too flat for standard errors of some standard deviations or "
            'correlations, so their draws repeat the estimate. Let fewer effects vary, or use "nuts".'
        )
    return tuple(notes)


LME = Backend(
    "lme", Settings, run, frequentist=True, story="Linear mixed models by REML or ML, as lme4 does."
)
