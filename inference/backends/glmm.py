"""Generalised linear mixed models by maximum likelihood: the answers of lme4's glmer and of glmmTMB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ...errors import FitError
from ...formula.terms import MEAN
from ...zoo.compile import laplace_frame
from ...zoo.laplace import draw
from ...zoo.links import LINKS, Link
from ...zoo.marginal import Conditions
from ...zoo.statistics import shape_obstacle
from ..backend import Backend, Draws, Problem
from ..constrain import trim
from ..escape import escape_note
from ..estimator import Estimator
from ..frequentist import (
    BAYESIAN,
    Estimate,
    normal_draws,
    prior_note,
    read_rows,
    refuse,
    singular,
    table,
)
from ..glmm import Optimum, Point, find_optimum
from ..marginalise import by_laplace
from ..options import whole
from ..programs import double_precision, program

EDGE = 1 - 1e-6
"""A correlation beyond this is at its boundary."""
SMALL = 1e-6
"""A standard deviation this small beside a guess of it is zero."""


@dataclass(frozen=True)
class Settings:
    """Settings of generalised linear mixed models.

    Attributes:
        draws: draws from the estimator's normal distribution.
    """

    draws: int = 1000

    def __post_init__(self) -> None:
        whole("draws", self.draws, 1)


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Maximises the likelihood with normal group effects integrated out by Laplace's method.

    Standard errors come from the curvature in all parameters together, those of standard deviations on
    the log scale and of correlations on Fisher's; those of group effects are the spread of the draws,
    which count the uncertainty of the coefficients in, but not that of the variances.

    Args:
        settings: number of draws.
        problem: a model with normal group effects.
        seed: of the draws.
        progress: not used.

    Raises:
        FitError: the model has no group effects, or others than normal ones, or several predictors.
    """
    _check(problem)
    read_rows(problem, "glmm")
    found = find_optimum(by_laplace(problem))
    at = found.read(found.x)
    generator = np.random.default_rng(seed)
    names, value = _flat(problem, at)
    jacobian = _jacobian(problem, found)
    covariance = jacobian @ found.covariance @ jacobian.T
    open_ended = np.abs(jacobian @ found.flat).max(axis=1, initial=0.0) > 1e-3
    covariance[open_ended, open_ended] = np.nan
    drawn = normal_draws(generator, value, covariance, settings.draws)
    se = np.sqrt(np.diag(covariance))
    estimates, arrays = _arrays(problem, at, names, value, se, drawn)
    effects = _effects(found, at, drawn[:, : len(at.coefficients)], seed)
    for site, values in effects.items():
        arrays[site] = values[:, 1:]
        estimates[site] = Estimate(values[0, 0], values[0, 1:].std(axis=0))
    return Draws(
        arrays,
        converged=found.converged,
        notes=prior_note(problem, "glmm") + escape_note(problem) + _notes(problem, at),
        table=table(problem.spec, estimates),
        log_likelihood=found.log_likelihood,
        parameters=len(found.x),
        estimator=Estimator(covariance[: len(at.coefficients), : len(at.coefficients)]),
    )


def _check(problem: Problem) -> None:
    refuse(problem, "glmm")
    if not problem.structure.groups:
        raise FitError(
            'method "glmm" needs group effects, such as (1 | g). Without them use "glm".'
        )
    why_not = shape_obstacle(problem.structure)
    if why_not:
        raise FitError(f'method "glmm" cannot fit this: {why_not}. Methods that can: {BAYESIAN}.')


def _spread(problem: Problem, at: Point, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations and correlations of a group term."""
    factor = at.factors[f"{MEAN}.group{i}"]
    sd = np.linalg.norm(factor, axis=1)
    zero = sd < SMALL * problem.numbers[MEAN]["groups"][i]["units"]
    directions = factor / np.where(zero, 1.0, sd)[:, None]
    directions[zero] = 0.0
    correlation = np.clip(directions @ directions.T, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return np.where(zero, 0.0, sd), correlation


def _flat(problem: Problem, at: Point) -> tuple[list[tuple[str, Any]], np.ndarray]:
    """Returns every free parameter on the scale where it is normal, with where it belongs."""
    names: list[tuple[str, Any]] = [
        (f"{MEAN}.coefficients", i) for i in range(len(at.coefficients))
    ]
    values = list(at.coefficients)
    for name, value in at.scalars.items():
        names.append((name, None))
        values.append(float(_link(problem, name).forward(np.asarray(value))))
    for i, group in enumerate(problem.structure.predictors[0].groups):
        sd, corr = _spread(problem, at, i)
        for k in range(len(sd)):
            names.append((f"{MEAN}.group{i}.sd", k))
            values.append(np.log(max(sd[k], 1e-300)))
        if group.correlated:
            for j in range(len(sd)):
                for k in range(j):
                    names.append((f"{MEAN}.group{i}.corr", (j, k)))
                    values.append(np.arctanh(np.clip(corr[j, k], -EDGE, EDGE)))
    return names, np.array(values)


def _link(problem: Problem, name: str) -> Link:
    """The scale on which a parameter of the family is estimated."""
    return LINKS[problem.structure.family.parameter(name).link]


def _jacobian(problem: Problem, found: Optimum) -> np.ndarray:
    """Derivatives of `_flat` with respect to the coordinates of the search."""
    columns = []
    for i in range(len(found.x)):
        step = np.eye(len(found.x))[i] * 1e-5
        upper = _flat(problem, found.read(found.x + step))[1]
        lower = _flat(problem, found.read(found.x - step))[1]
        columns.append((upper - lower) / 2e-5)
    return np.array(columns).T


def _arrays(
    problem: Problem,
    at: Point,
    names: list[tuple[str, Any]],
    value: np.ndarray,
    se: np.ndarray,
    drawn: np.ndarray,
) -> tuple[dict[str, Estimate], dict[str, np.ndarray]]:
    """Estimates and draws by generic name, without group effects."""
    draws, p = len(drawn), len(at.coefficients)
    estimates: dict[str, Estimate] = {}
    arrays: dict[str, np.ndarray] = {}
    if p:
        estimates[f"{MEAN}.coefficients"] = Estimate(at.coefficients, se[:p], tested=True)
        arrays[f"{MEAN}.coefficients"] = drawn[None, :, :p]
    places = {name: i for i, name in enumerate(names)}
    for name, scalar in at.scalars.items():
        i, link = places[name, None], _link(problem, name)
        error = se[i] * float(link.slope(np.asarray(scalar)))
        estimates[name] = Estimate(np.asarray(scalar), np.asarray(error), scale="log")
        with double_precision():
            arrays[name] = np.asarray(link.inverse(drawn[None, :, i]))
    for g, group in enumerate(problem.structure.predictors[0].groups):
        site, (sd, corr) = f"{MEAN}.group{g}", _spread(problem, at, g)
        at_sd = [places[f"{site}.sd", k] for k in range(len(sd))]
        error = np.where(sd > 0, se[at_sd], np.nan)
        estimates[f"{site}.sd"] = Estimate(sd, sd * error, scale="log")
        with np.errstate(over="ignore"):  # where the likelihood is flat, draws reach any size
            arrays[f"{site}.sd"] = np.where(sd > 0, np.exp(drawn[:, at_sd]), 0.0)[None]
        if not group.correlated:
            continue
        error = np.full(corr.shape, np.nan)
        matrices = np.tile(corr, (draws, 1, 1))
        for j in range(len(sd)):
            for k in range(j):
                inside = sd[j] > 0 and sd[k] > 0 and abs(corr[j, k]) < EDGE
                if inside:
                    i = places[f"{site}.corr", (j, k)]
                    error[j, k] = error[k, j] = (1 - corr[j, k] ** 2) * se[i]
                    matrices[:, j, k] = matrices[:, k, j] = np.tanh(drawn[:, i])
        undefined = np.where(np.outer(sd > 0, sd > 0), corr, np.nan)
        estimates[f"{site}.corr"] = Estimate(undefined, error, scale="atanh")
        arrays[f"{site}.corr"] = matrices[None]
    return estimates, arrays


def _effects(found: Optimum, at: Point, drawn: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """The effects' mode, then draws given variances and drawn coefficients, (1, 1 + draw, ...)."""
    structure = found.problem.structure
    how = structure.marginal
    assert how is not None
    coefficients = np.concatenate([at.coefficients[None], drawn])
    keys = np.random.default_rng([seed, 3]).integers(0, 2**32, (len(coefficients), 2), np.uint32)

    def function(coefficients: Any, keys: Any, factors: Any, scalars: Any, design: Any) -> Any:
        def one(given: Any) -> Any:
            beta, key = given
            conditions = Conditions(factors, 1.0, beta, None, scalars)
            frame = laplace_frame(structure, how, conditions, design)
            return draw(key, frame, design["start"], how.order, conditions)

        conditions = Conditions(factors, 1.0, coefficients[0], None, scalars)
        frame = laplace_frame(structure, how, conditions, design)
        mode = draw(None, frame, design["start"], how.order, conditions)
        rest = jax.lax.map(one, (coefficients[1:], keys[1:]))
        return {site: (mode[site], rest[site]) for site in mode}

    arguments = (coefficients, keys, at.factors, at.scalars, found.problem.design)
    compiled = program("glmm_effects", structure.key, function, arguments)
    with double_precision():
        out = compiled(*arguments)
    joined = {
        f"{site}.effects": np.concatenate([np.asarray(mode)[None], np.asarray(rest)])[None]
        for site, (mode, rest) in out.items()
    }
    return trim(found.problem, joined)


def _notes(problem: Problem, at: Point) -> tuple[str, ...]:
    """Notes on boundaries of correlations; diagnose() names standard deviations at zero."""
    notes = []
    for i, group in enumerate(problem.structure.predictors[0].groups):
        sd, _ = _spread(problem, at, i)
        units = problem.numbers[MEAN]["groups"][i]["units"]
        values = np.linalg.svd(at.factors[f"{MEAN}.group{i}"] / units[:, None], compute_uv=False)
        if group.correlated and (values > 1e-4).sum() < (sd > 0).sum():
            notes.append(singular(problem.spec.group_names(MEAN, i)["corr"]))
    return tuple(notes)


GLMM = Backend(
    "glmm",
    Settings,
    run,
    frequentist=True,
    story="Generalised linear mixed models by Laplace-approximated maximum likelihood.",
)
