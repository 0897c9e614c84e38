"""Criteria of mixed models at given estimates, in float64 NumPy, the same for every contender.

Estimates are named numbers: `Intercept` and the predictors, `sd(1|g)`, `sd(x|g)`, `corr(g)`, and
`sigma` (normal) or `alpha` (shape of a gamma).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from scipy import sparse
    from tables import TableJob


class Rows(NamedTuple):
    """A table as matrices.

    Args:
        y: Response, (obs,).
        x: Intercept and predictors, (obs, coef).
        z: Design of the group effects, times their covariance's factor: (obs, effect).
        coefficients: Estimates, (coef,).
    """

    y: np.ndarray
    x: np.ndarray
    z: sparse.csc_array
    coefficients: np.ndarray


def rows_of(job: TableJob, table: pd.DataFrame, told: Mapping[str, float], unit: float) -> Rows:
    """Make the matrices of a job at given estimates.

    Args:
        job: Its model.
        table: Its data.
        told: The estimates.
        unit: What standard deviations of groups are divided by.

    Returns:
        The matrices; the group effects that belong to `z` are standard normal times `unit`.
    """
    import numpy as np
    from scipy import sparse

    count = len(table)
    names = ["Intercept", *job.common]
    x = np.column_stack([np.ones(count), *(table[name] for name in job.common)])
    parts = []
    for bar in job.bars:
        codes, levels = bar.codes(table)
        shape = (count, levels)
        ones = sparse.csc_array((np.ones(count), (np.arange(count), codes)), shape=shape)
        first = told[f"sd(1|{bar.name})"] / unit
        if not bar.slope:
            parts.append(ones * first)
            continue
        second, corr = told[f"sd({bar.slope}|{bar.name})"] / unit, told[f"corr({bar.name})"]
        by_x = sparse.csc_array(
            (table[bar.slope].to_numpy(), (np.arange(count), codes)), shape=shape
        )
        parts.append(ones * first + by_x * (second * corr))
        parts.append(by_x * (second * np.sqrt(max(0.0, 1 - corr**2))))
    coefficients = np.array([told[name] for name in names])
    y = table[job.response].to_numpy()
    return Rows(y, x, sparse.hstack(parts, format="csc"), coefficients)


def reml(job: TableJob, table: pd.DataFrame, told: Mapping[str, float]) -> dict[str, float]:
    """The REML criterion, minus twice the restricted log-likelihood, at given variances.

    Args:
        job: A normal model.
        table: Its data.
        told: The estimates, of which the standard deviations and the correlations count.

    Returns:
        `criterion`.
    """
    import numpy as np
    from scipy import linalg

    sigma = told["sigma"]
    y, x, z, _ = rows_of(job, table, told, sigma)
    gram = (z.T @ z).toarray()
    gram[np.diag_indices_from(gram)] += 1.0
    lower = linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    solve = lambda right: linalg.solve_triangular(lower, right, lower=True, check_finite=False)
    zx, zy = solve(z.T @ x), solve(z.T @ y)
    upper = linalg.cholesky(x.T @ x - zx.T @ zx)
    beta = linalg.cho_solve((upper, False), x.T @ y - zx.T @ zy)
    u = linalg.solve_triangular(lower, zy - zx @ beta, lower=True, trans=1)
    residual = y - x @ beta - z @ u
    freedom = len(y) - x.shape[1]
    logs = np.log(np.diag(lower)).sum() + np.log(np.diag(upper)).sum()
    squares = residual @ residual + u @ u
    criterion = 2 * logs + freedom * np.log(2 * np.pi * sigma**2) + squares / sigma**2
    return {"criterion": float(criterion)}


def laplace(job: TableJob, table: pd.DataFrame, told: Mapping[str, float]) -> dict[str, float]:
    """Minus twice the log-likelihood by Laplace's approximation, log link, observed curvature.

    -2 [log p(y | u) - u'u / 2 - log det(I + Z' W Z) / 2] at the mode of the group effects u

    Args:
        job: A Poisson or gamma model with log link.
        table: Its data.
        told: All estimates.

    Returns:
        `criterion`.
    """
    import numpy as np
    from scipy import linalg, special

    y, x, z, coefficients = rows_of(job, table, told, 1.0)
    fixed, alpha = x @ coefficients, told.get("alpha", 1.0)

    def parts(u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log density of y, its slope and minus its curvature along the linear predictor."""
        eta = fixed + z @ u
        if job.family == "poisson":
            mean = np.exp(eta)
            return float((y * eta - mean - special.gammaln(y + 1)).sum()), y - mean, mean
        ratio = y * np.exp(-eta)
        own = alpha * np.log(alpha) - special.gammaln(alpha) + (alpha - 1) * np.log(y)
        value = (own - alpha * eta - alpha * ratio).sum()
        return float(value), alpha * (ratio - 1), alpha * ratio

    u = np.zeros(z.shape[1])
    value, slope, weight = parts(u)
    for _ in range(100):
        hessian = (z.T @ (z * weight[:, None]).tocsc()).toarray()
        hessian[np.diag_indices_from(hessian)] += 1.0
        factor = linalg.cho_factor(hessian)
        step = linalg.cho_solve(factor, z.T @ slope - u)
        size, before = 1.0, value - u @ u / 2
        while True:
            new = u + size * step
            value, slope, weight = parts(new)
            if value - new @ new / 2 >= before - 1e-9 or size < 1e-6:
                break
            size /= 2
        u = new
        if np.abs(step).max() < 1e-9:
            break
    hessian = (z.T @ (z * weight[:, None]).tocsc()).toarray()
    hessian[np.diag_indices_from(hessian)] += 1.0
    log_det = np.linalg.slogdet(hessian)[1]
    return {"criterion": float(-2 * (value - u @ u / 2 - log_det / 2))}


def judge(criterion: Callable[..., dict], jobs: Mapping[str, TableJob], record: Mapping) -> dict:
    """Judge the estimates of all data sets of a run.

    Args:
        criterion: `reml` or `laplace`.
        jobs: Of the kind, by name.
        record: The run's own record, with `estimates` by data set.

    Returns:
        `criteria` by data set.
    """
    job = jobs[record["job"]]
    told = record["estimates"].items()
    found = {name: criterion(job, job.frame(name), own)["criterion"] for name, own in told}
    return {"criteria": found}
