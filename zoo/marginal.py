"""Normal models with everything normal integrated out exactly, from cross products of the columns.

    y = X beta + sum_f Z_f u_f + e,     u_f = L_f v_f,   v_f ~ N(0, I),   e ~ N(0, sigma^2),

beta ~ N(m, S) where its priors are normal or flat. The joint density of y, v and beta is a quadratic
form, whose matrix is eliminated (see `elimination`); the cost of a gradient does not depend on the
number of rows. Common columns enter nearly orthonormal and the response as its least-squares residual,
so that neither means nor units nor collinearity cost digits.

Source: Bates et al. (2015), J. Stat. Softw. 67; Lindley and Smith (1972), JRSS B 34.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.scipy.linalg import block_diag

from .elimination import Eliminated, Order, eliminate


class Conditions(NamedTuple):
    """What the response depends on beside the effects that are integrated out.

    Attributes:
        factors: L in natural units by the site of the group term, shape (effect, effect).
        sigma: residual standard deviation, or 1 where errors are known.
        coefficients: common coefficients, the intercept first, shape (p,); None: integrated out.
        prior: their normal prior, (centre, precision, lean), each of shape (p,): the first coefficient
            plus lean . coefficients, and the others, are independent; None where they are given.
        parameters: further parameters of the response by name.
    """

    factors: Mapping[str, Any]
    sigma: Any
    coefficients: Any
    prior: tuple[Any, Any, Any] | None = None
    parameters: Mapping[str, Any] = {}


def stack_factors(order: Sequence[Sequence[str]], factors: Mapping[str, Any]) -> list[Any]:
    """Returns L of each grouping factor, of all its terms."""
    return [block_diag(*(factors[site] for site in sites)) for sites in order]


def _eliminated(
    order: Order, given: Conditions, known: Mapping[str, Any]
) -> tuple[Eliminated, Any]:
    """Returns the Cholesky factor, and the logarithms that come with the coefficients' prior."""
    noise = given.sigma / known["unit"]
    chain, dense = (
        [
            t * unit[:, None] / given.sigma
            for t, unit in zip(stack_factors(sites, given.factors), units, strict=True)
        ]
        for sites, units in (
            (order.chain, known["chain_units"]),
            (order.dense, known["dense_units"]),
        )
    )
    p = known["location"].shape[0]
    if given.prior is None:
        b = known["inverse"] @ (given.coefficients - known["location"]) / known["unit"]
        columns = jnp.concatenate([-b, jnp.ones(1)])[:, None] / noise
        common = known["common"].turn(chain, dense, columns)
        return eliminate(known["products"], chain, dense, common), jnp.zeros(())
    centre, precision, lean = given.prior
    # natural = location + basis b unit; prior of turned = natural with the lean added to the first
    first = (jnp.arange(p) == 0).astype(float)
    turn = (known["basis"] + jnp.outer(first, lean @ known["basis"])) * known["unit"]
    away = centre - known["location"] - first * (lean @ known["location"])
    weighted = turn.T * precision[None, :]
    prior = jnp.zeros((p + 1, p + 1))
    prior = prior.at[:p, :p].set(weighted @ turn)
    prior = prior.at[:p, p].set(weighted @ away).at[p, :p].set(weighted @ away)
    prior = prior.at[p, p].set(jnp.sum(precision * away**2))
    common = known["common"].turn(chain, dense, jnp.eye(p + 1) / noise)
    common = common._replace(square=common.square + prior)
    logs = jnp.where(precision > 0, jnp.log(jnp.maximum(precision, 1e-300)), jnp.log(2 * jnp.pi))
    constant = known["log_volume"] + p * jnp.log(known["unit"]) + 0.5 * jnp.sum(logs)
    return eliminate(known["products"], chain, dense, common), constant


def log_likelihood(order: Order, given: Conditions, known: Mapping[str, Any]) -> Any:
    """Returns log p(y), group effects and maybe coefficients integrated out.

    Args:
        order: the order of elimination.
        given: the other parameters.
        known: from `statistics.statistics`.
    """
    at, constant = _eliminated(order, given, known)
    normaliser = known["rows"] * jnp.log(2 * jnp.pi * given.sigma**2)
    total = constant + known["constant"] - at.log_determinant()
    return total - 0.5 * (normaliser + at.rest)


def draw(key: Any, order: Order, given: Conditions, known: Mapping[str, Any]) -> dict[str, Any]:
    """Draws what is integrated out exactly from its normal distribution given the rest.

    Args:
        key: of the draw; None: the mean of that distribution.
        order: the order of elimination.
        given: the other parameters.
        known: from `statistics.statistics`.

    Returns:
        Effects in natural units by site, shape (groups, effect); the coefficients by the name
        `coefficients`, where they are integrated out.
    """
    at, _ = _eliminated(order, given, known)
    chain, corner = at.solve(None if key is None else at.noise(key))
    out: dict[str, Any] = {}
    for sites, v in zip(order.chain, chain, strict=True):
        out |= natural_effects(sites, v, given.factors)
    start = 0
    for sites, product in zip(order.dense, known["common"].dense, strict=True):
        groups, size = product.shape[:2]
        v = corner[start : start + groups * size].reshape(groups, size)
        out |= natural_effects(sites, v, given.factors)
        start += groups * size
    if given.prior is not None:
        b = corner[start:] * known["unit"]
        out["coefficients"] = known["location"] + known["basis"] @ b
    return out


def natural_effects(sites: Sequence[str], v: Any, factors: Mapping[str, Any]) -> dict[str, Any]:
    """Splits the standardised effects of a grouping factor, and gives them their units."""
    out, start = {}, 0
    for site in sites:
        size = factors[site].shape[0]
        out[site] = v[:, start : start + size] @ factors[site].T
        start += size
    return out
