"""Mixed models fitted by statsmodels' MixedLM alone, to check our own answers with.

Coefficients, their standard errors, variances and the log likelihood are MixedLM's, from its own start.
It has no standard errors of standard deviations, no drawn effects and none of crossed factors by name,
so group effects are those of Henderson's equations at its variances.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import FitError
from ..frequentist import Rows, quiet
from .deviance import factorise, fixed_covariance
from .optimum import Optimum
from .spread import Spread
from .system import System
from .twin import Twin, make_twin, obstacle

METHODS = (["bfgs", "lbfgs", "cg"], ["powell"], ["nm"])
"""Optimisers of statsmodels, in the order in which they are tried."""


def fit_statsmodels(rows: Rows, system: System, names: list[list[str]]) -> tuple[Any, Optimum]:
    """Returns statsmodels' result, and its estimates in our parameters.

    Args:
        rows: the data.
        system: their cross products.
        names: printed names of each term's standard deviations.

    Raises:
        FitError: MixedLM cannot express the model, or breaks down.
    """
    reason = obstacle(rows, system.factors)
    if reason:
        raise FitError(
            f'statsmodels\' MixedLM cannot express {reason}. Use engine="own", which is the default.'
        )
    twin, result, failure = make_twin(rows, system.factors, names), None, ""
    for method in METHODS:
        with quiet():
            try:
                result = twin.model.fit(reml=system.reml, method=method, maxiter=1000)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                failure = str(error).rstrip(".")
                continue
        if result.converged and np.isfinite(result.llf):
            break
    if result is None:
        raise FitError(f'statsmodels\' MixedLM broke down: {failure}. Use engine="own".')
    sigma = float(np.sqrt(result.scale))
    theta = find_theta(system, _estimate(twin, result, names), sigma)
    at, size = factorise(system, theta), len(theta)
    p = system.coefficients
    log_sigma = float(np.log(sigma / system.basis[2]))
    return result, Optimum(
        theta=theta,
        log_sigma=log_sigma,
        deviance=-2 * float(result.llf),
        covariance=np.full((size + 1, size + 1), np.nan),
        flat=np.zeros((size, 0)),
        converged=bool(result.converged),
        fixed=fixed_covariance(at),
        moves=np.zeros((size, p, p)),
    )


def _estimate(twin: Twin, result: Any, names: list[list[str]]) -> Spread:
    """Standard deviations and correlations of each term."""
    out = [(np.zeros(len(n)), np.eye(len(n))) for n in names]
    if twin.correlated is not None:
        covariance = np.atleast_2d(np.asarray(result.cov_re))
        sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        safe = np.where(sd > 0, sd, 1.0)
        corr = np.where(np.outer(sd, sd) > 0, covariance / np.outer(safe, safe), np.eye(len(sd)))
        out[twin.correlated] = (sd, corr)
    for (position, j), variance in zip(twin.components, np.asarray(result.vcomp), strict=True):
        out[position][0][j] = np.sqrt(max(variance, 0.0))
    return out


def find_theta(system: System, estimate: Spread, sigma: float) -> np.ndarray:
    """Returns theta of given standard deviations and correlations."""
    matrices = []
    for factor, unit in zip(system.factors, system.units, strict=True):
        covariance = np.zeros(factor.scale.shape)
        for position, span in factor.terms:
            sd, corr = estimate[position]
            covariance[span, span] = corr * np.outer(sd, sd)
        inverse = np.linalg.inv(factor.scale) / (unit * sigma)
        values, vectors = np.linalg.eigh(inverse @ covariance @ inverse.T)
        # the triangle of QR is a Cholesky factor that may be singular
        half = (vectors * np.sqrt(np.maximum(values, 0.0))).T
        root = np.asarray(np.linalg.qr(half, mode="r")).T
        matrices.append(root * np.where(np.diag(root) < 0, -1.0, 1.0))
    return system.flat(matrices)
