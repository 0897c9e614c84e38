"""Normal group effects integrated out exactly, from per-group sufficient statistics.

For rows r = Z u + noise of one grouping factor, with u = L v, v ~ Normal(0, I) per group,

    log p(y) = -1/2 [ N log(2 pi sigma^2) + sum_j log |M_j| + (r'r - sum_j |C_j^-1 L'Z_j'r_j / sigma|^2)
               / sigma^2 ],   M_j = I + L' Z_j'Z_j L / sigma^2 = C_j C_j',

where every product over rows is an entry of a small matrix computed once from the data. The cost of
a gradient does not depend on the number of rows.

Source: Bates et al. (2015), J. Stat. Softw. 67, without profiling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..formula import Design
from .family import Summary
from .links import LINKS

if TYPE_CHECKING:
    from .compile import Structure

UNROLLED = 6
"""Up to this many effects per group the factorisation is written out, which is several times faster
than LAPACK called once per group."""


class Conditions(NamedTuple):
    """What the rows depend on once group effects are integrated out.

    Attributes:
        coefficients: common coefficients, the intercept first, shape (p,).
        factor: L in natural units, shape (effect, effect).
        sigma: residual standard deviation, or 1 where errors are known.
        intercept: whether the first coefficient is an intercept.
    """

    coefficients: Any
    factor: Any
    sigma: Any
    intercept: bool


def obstacle(structure: Structure, response: Mapping[str, Any]) -> str:
    """Returns why the group effects cannot be integrated out exactly, or an empty text."""
    groups = list(structure.groups.values())
    if not groups:
        return "the model has no group effects"
    if not structure.family.least_squares or not LINKS[structure.predictors[0].link].linear:
        return "the response is not normal with identity link"
    if structure.population:
        return "the response has several neurons"
    if len(structure.predictors) > 1:
        return "further parameters are modelled"
    if "status" in response:
        return "some values are censored"
    if not all(group.member.gaussian for group in groups):
        return "some group effects are not normal"
    if len({group.factor for group in groups}) > 1:
        return "there is more than one grouping factor"
    return ""


def statistics(structure: Structure, design: Design, summary: Summary) -> dict[str, Any]:
    """Returns the sufficient statistics of a design, in dimensionless columns.

    Columns are, per group, the effects' columns Z, the common columns X (centred beside an
    intercept) and the response; products are weighted by the rows' precisions.
    """
    predictor = structure.predictors[0]
    arrays = design.predictors[predictor.parameter]
    weights = design.response.get("weights", np.ones(design.size))
    noise = design.response.get("standard_error")
    precision = weights if noise is None else weights / noise**2
    matrix = arrays.matrix
    means = matrix.mean(axis=0) if predictor.intercept else np.zeros(matrix.shape[1])
    centred = matrix - means
    columns = np.sqrt((centred**2).mean(axis=0))
    columns = np.where(columns > 0, columns, 1.0)
    y = design.response["y"] - arrays.offset
    middle = float(y.mean()) if predictor.intercept else 0.0
    unit = float(np.sqrt(summary.variance)) or 1.0
    parts = [np.ones((design.size, 1))] if predictor.intercept else []
    x = np.concatenate([*parts, centred / columns, ((y - middle) / unit)[:, None]], axis=1)
    z = np.concatenate([group.effects for group in arrays.groups], axis=1)
    effects = np.sqrt((z**2).mean(axis=0))
    effects = np.where(effects > 0, effects, 1.0)
    z = z / effects
    index = arrays.groups[0].index
    count = int(index.max()) + 1
    order = np.argsort(index, kind="stable")
    bounds = np.searchsorted(index[order], np.arange(count + 1))
    zz = np.zeros((count, z.shape[1], z.shape[1]))
    zx = np.zeros((count, z.shape[1], x.shape[1]))
    for j in range(count):
        rows = order[bounds[j] : bounds[j + 1]]
        weighted = z[rows] * precision[rows, None]
        zz[j], zx[j] = weighted.T @ z[rows], weighted.T @ x[rows]
    return {
        "zz": zz,
        "zx": zx,
        "xx": (x * precision[:, None]).T @ x,
        "means": means,
        "columns": columns,
        "effects": effects,
        "middle": np.asarray(middle),
        "unit": np.asarray(unit),
        "rows": np.asarray(float(weights.sum())),
        "constant": np.asarray(0.0 if noise is None else -float((weights * np.log(noise)).sum())),
    }


def _parts(
    coefficients: Any, factor: Any, sigma: Any, intercept: bool, known: Mapping[str, Any]
) -> tuple[Any, Any, Any, Any]:
    """Returns chol(M), the whitened L'Z'r / sigma, r'r / sigma^2, and L in dimensionless units."""
    unit = known["unit"]
    slopes = coefficients[1:] if intercept else coefficients
    entries = [slopes * known["columns"] / unit]
    if intercept:
        level = coefficients[0] + jnp.dot(known["means"], slopes) - known["middle"]
        entries.insert(0, level[None] / unit)
    c = jnp.concatenate([*(-e for e in entries), jnp.ones(1)])
    noise = sigma / unit
    scaled = known["effects"][:, None] * factor / unit / noise
    zr = (known["zx"] @ c) / noise
    right = zr @ scaled
    m = jnp.einsum("ki,jkl,lm->jim", scaled, known["zz"], scaled)
    m = m + jnp.eye(factor.shape[0])[None]
    cholesky = _cholesky(m)
    whitened = _forward(cholesky, right)
    return cholesky, whitened, c @ known["xx"] @ c / noise**2, scaled


def log_likelihood(
    coefficients: Any, factor: Any, sigma: Any, intercept: bool, known: Mapping[str, Any]
) -> Any:
    """Returns log p(y), group effects integrated out.

    Args:
        coefficients: common coefficients, the intercept first, shape (p,).
        factor: L in natural units, shape (effect, effect).
        sigma: residual standard deviation, or 1 where errors are known.
        intercept: whether the first coefficient is an intercept.
        known: from `statistics`.
    """
    cholesky, whitened, rr, _ = _parts(coefficients, factor, sigma, intercept, known)
    logs = sum(jnp.sum(jnp.log(cholesky[i][i])) for i in range(len(cholesky)))
    squares = sum(jnp.sum(w**2) for w in whitened)
    normaliser = known["rows"] * jnp.log(2 * jnp.pi * sigma**2)
    return known["constant"] - 0.5 * (normaliser + 2 * logs + rr - squares)


def draw_effects(
    key: Any,
    coefficients: Any,
    factor: Any,
    sigma: Any,
    intercept: bool,
    known: Mapping[str, Any],
) -> Any:
    """Draws the group effects exactly from their normal distribution given the other parameters.

    Returns:
        Effects in natural units, shape (groups, effect).
    """
    cholesky, whitened, _, _ = _parts(coefficients, factor, sigma, intercept, known)
    noise = jax.random.normal(key, (whitened[0].shape[0], len(whitened)))
    total = [w + noise[:, i] for i, w in enumerate(whitened)]
    size = len(total)
    v: list[Any] = [None] * size
    for i in reversed(range(size)):  # back substitution with C'
        rest = sum((cholesky[k][i] * v[k] for k in range(i + 1, size)), start=jnp.zeros(()))
        v[i] = (total[i] - rest) / cholesky[i][i]
    return jnp.stack(v, axis=1) @ factor.T


def _cholesky(m: Any) -> list[list[Any]]:
    """Returns Cholesky factors of many small matrices as lists of vectors over the groups."""
    size = m.shape[1]
    if size > UNROLLED:
        factor = jnp.linalg.cholesky(m)
        return [[factor[:, i, k] for k in range(i + 1)] for i in range(size)]
    out: list[list[Any]] = []
    for i in range(size):
        row: list[Any] = []
        for k in range(i + 1):
            value = m[:, i, k]
            for a in range(k):
                value = value - row[a] * (out[k][a] if k < i else row[a])
            row.append(jnp.sqrt(value) if k == i else value / out[k][k])
        out.append(row)
    return out


def _forward(cholesky: list[list[Any]], right: Any) -> list[Any]:
    """Solves C w = right for every group."""
    w: list[Any] = []
    for i, row in enumerate(cholesky):
        value = right[:, i]
        for k in range(i):
            value = value - row[k] * w[k]
        w.append(value / row[i])
    return w
