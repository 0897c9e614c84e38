"""Parameters that the data put where a prior given by the user expects nothing.

The prior is moved to a standard normal one, z = ndtri(cdf(theta)). Where prior and data agree, the
posterior mean of z is normal with the variance 1 - var(z | y):

    score = E[z | y] / sqrt(1 - var(z | y))

Source: Evans and Moshonov (2006), Bayesian Analysis 1:893.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from ...zoo.priors import Prior
from ..diagnostic import Diagnostic, Evidence
from ..programs import double_precision
from ..variables import Variable, printed_rows, variables

TAIL = 0.00135
"""Beyond three standard deviations; divided by the number of parameters that are looked at."""
FARTHEST = 8.0
"""Scores are cut here, where double precision ends."""
NOISE = 1.0
"""Variances are known to so many of their Monte-Carlo standard errors."""


def _find(evidence: Evidence) -> list[str]:
    fit = evidence.fit
    spec = fit.model.spec
    if fit.backend.frequentist:  # which use no priors, and say so
        return []
    found, coords = variables(spec)
    scored = []
    for variable in found:
        if variable.name in spec.explicit and variable.kind in ("common", "scale", "scalar"):
            draws = variable.pick(fit.draws.natural)
            draws = draws.reshape(-1, *draws.shape[2:])
            z = _scores(spec.prior[variable.name], variable, draws)
            if z is None:
                continue
            score = _conflict(z)
            for name, position in printed_rows(variable, coords):
                scored.append((name, variable.name, score[position], draws[(..., *position)]))
    if not scored:
        return []
    limit = -float(ndtri(TAIL / len(scored)))
    findings = {}
    for name, key, score, draws in sorted(scored, key=lambda item: -abs(item[2])):
        if abs(score) > limit and key not in findings:
            findings[key] = (
                f"the prior given for `{name}`, {spec.prior[key]}, and the data disagree: they "
                f"pull it to {draws.mean():.3g}, farther than such data would under this prior "
                f"({min(abs(score), FARTHEST):.1f} standard deviations). Widen the prior if it was a "
                "guess; if it was knowledge, look at the units and for errors in the data."
            )
    return list(findings.values())


def _scores(prior: Prior, variable: Variable, draws: np.ndarray) -> np.ndarray | None:
    """Returns draws on the scale where the prior is standard normal; None where it has no scale."""
    if prior.form.relative or prior.form.joint or prior.form.local or prior.is_correlation:
        return None  # penalties say how much to shrink, not where a parameter is
    distribution = prior.distribution()
    if distribution.event_shape:
        return None
    shape = tuple(distribution.batch_shape)
    turn = len(shape) == 1 and draws.ndim == 3 and shape[0] == draws.shape[1] != draws.shape[2]
    values = np.swapaxes(draws, 1, 2) if turn else draws
    if len(shape) > values.ndim - 1:  # one number, given as an array of one
        values = values.reshape(*values.shape, *(1,) * (len(shape) - values.ndim + 1))
    z = _standardise(distribution, values)
    if z is None:
        return None
    return (np.swapaxes(z, 1, 2) if turn else z).reshape(draws.shape)


def _standardise(distribution: Any, values: np.ndarray) -> np.ndarray | None:
    with double_precision(), np.errstate(all="ignore"):
        try:
            below = np.asarray(distribution.cdf(values), dtype=np.float64)
        except (NotImplementedError, AttributeError):
            return None
    return np.clip(ndtri(below), -FARTHEST, FARTHEST)


def _conflict(z: np.ndarray) -> np.ndarray:
    """Returns the score of every parameter from draws (sample, ...)."""
    variance = z.var(axis=0) if len(z) > 1 else np.zeros(z.shape[1:])
    error = NOISE * np.sqrt(2 / len(z)) if len(z) > 1 else 0.0
    return z.mean(axis=0) / np.sqrt(np.maximum(1 - variance, max(error, 1e-12)))


PRIOR_CONFLICT = Diagnostic("prior_conflict", _find, 55)
