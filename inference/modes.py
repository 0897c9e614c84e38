"""Posterior modes: Newton's method in standard coordinates, with group effects integrated out.

The group effects u of a mixed model are integrated out by Laplace's method,

    log p(theta, y) ~ max_u log p(theta, u, y) - 1/2 log |H(theta)| + dim(u)/2 log 2 pi,

H being the negative Hessian in u at its maximum; for normal responses this is exact, and with flat
priors the maximum over theta is the maximum-likelihood estimate of a mixed model. Where all group
terms share one grouping factor H falls into one small block per group.

Source: Tierney and Kadane (1986), JASA 81:82; Bates et al. (2015), J. Stat. Softw. 67.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve

from ..zoo.density import Raw, log_density, site_shapes
from ..zoo.structure import Structure

MAX_NEWTON, TOLERANCE = 100, 1e-10
"""Newton stops when a further step would raise the log-density by less than the tolerance."""


def split_sites(structure: Structure, numbers: Mapping[str, Any]) -> tuple[Raw, Raw]:
    """Returns zeros for the sites theta, and for the group effects u."""
    shapes = site_shapes(structure, numbers)
    effects = {f"{site}.effects" for site in structure.groups}
    theta = {name: np.zeros(shape) for name, shape in shapes.items() if name not in effects}
    u = {name: np.zeros(shape) for name, shape in shapes.items() if name in effects}
    return theta, u


def pack(structure: Structure, u: Raw) -> Any:
    """Lays group effects out as (blocks, size): one block per group, or a single one if crossed."""
    one_factor = len({group.factor for group in structure.groups.values()}) == 1
    if one_factor:
        return jnp.concatenate([u[f"{site}.effects"] for site in structure.groups], axis=1)
    return jnp.concatenate([jnp.ravel(u[f"{s}.effects"]) for s in structure.groups])[None, :]


def unpack(structure: Structure, packed: Any, like: Raw) -> Raw:
    """The inverse of `pack`; `like` gives the shapes."""
    out, start = {}, 0
    one_factor = len({group.factor for group in structure.groups.values()}) == 1
    for site in structure.groups:
        name = f"{site}.effects"
        shape = jnp.shape(like[name])
        width = shape[1] if one_factor else shape[0] * shape[1]
        part = packed[:, start : start + width]
        out[name] = part if one_factor else jnp.reshape(part, shape)
        start += width
    return out


def block_hessian(gradient: Callable[[Any], Any], x: Any) -> Any:
    """Returns the diagonal blocks of the derivative of a gradient, shape (blocks, size, size).

    Blocks do not interact, so that one product with the vector that is 1 at the c-th place of every
    block gives the c-th column of all blocks.
    """
    blocks, size = x.shape
    tangents = jnp.broadcast_to(jnp.eye(size)[:, None, :], (size, blocks, size))
    columns = jax.vmap(lambda tangent: jax.jvp(gradient, (x,), (tangent,))[1])(tangents)
    return jnp.moveaxis(columns, 0, 2)


def positive_cholesky(h: Any) -> Any:
    """Returns Cholesky factors of symmetric blocks, shifted where they are not positive definite."""
    h = 0.5 * (h + jnp.swapaxes(h, 1, 2))
    diagonal = jnp.diagonal(h, axis1=1, axis2=2)
    radius = jnp.sum(jnp.abs(h), axis=2) - jnp.abs(diagonal)
    shift = jnp.maximum(jnp.max(radius - diagonal, axis=1), 0.0) + 1e-6
    factor = jnp.linalg.cholesky(h)
    shifted = jnp.linalg.cholesky(h + shift[:, None, None] * jnp.eye(h.shape[1])[None])
    return jnp.where(jnp.isnan(factor).any(axis=(1, 2), keepdims=True), shifted, factor)


def maximise(function: Callable[[Any], Any], start: Any) -> tuple[Any, Any, Any]:
    """Maximises a function of (blocks, size) whose Hessian is block-diagonal, by damped Newton.

    Returns:
        The maximum, the gain that one further step promises, and the number of iterations.
    """
    gradient = jax.grad(function)

    def direction(x: Any) -> tuple[Any, Any]:
        g = gradient(x)
        factor = positive_cholesky(-block_hessian(gradient, x))
        step = jax.vmap(lambda f, b: cho_solve((f, True), b))(factor, g)
        return step, jnp.sum(step * g)

    def body(carry: Any) -> Any:
        x, value, step, gain, count = carry

        def worse(state: Any) -> Any:
            scale, candidate = state
            bad = ~(candidate >= value + 1e-4 * scale * gain) | ~jnp.isfinite(candidate)
            return bad & (scale > 1e-8)

        def shrink(state: Any) -> Any:
            scale = state[0] * 0.5
            return scale, function(x + scale * step)

        scale, candidate = jax.lax.while_loop(worse, shrink, (1.0, function(x + step)))
        better = candidate >= value
        x = jnp.where(better, x + scale * step, x)
        new_step, new_gain = direction(x)
        stuck = ~better | (scale <= 1e-8)
        return (
            x,
            jnp.where(better, candidate, value),
            new_step,
            new_gain,
            jnp.where(stuck, MAX_NEWTON, count + 1),
        )

    def going(carry: Any) -> Any:
        return (carry[3] > TOLERANCE) & (carry[4] < MAX_NEWTON)

    step, gain = direction(start)
    x, _, _, gain, count = jax.lax.while_loop(going, body, (start, function(start), step, gain, 0))
    return x, gain, count


def flat_mode(
    structure: Structure,
    jacobian: bool,
    theta: Raw,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
) -> tuple[Raw, Any, Any, Any]:
    """Returns the mode of a model without group effects, its remaining gain, value and Hessian."""
    vector, restore = jax.flatten_util.ravel_pytree(theta)

    def value(x: Any) -> Any:
        return log_density(structure, restore(x[0]), design, numbers, jacobian)

    x, gain, _ = maximise(value, vector[None, :])
    return restore(x[0]), gain, value(x), -block_hessian(jax.grad(value), x)[0]


def conditional_mode(
    structure: Structure,
    jacobian: bool,
    theta: Raw,
    u: Raw,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
) -> tuple[Any, Any]:
    """Returns the group effects that maximise the density given theta, packed, and chol(H)."""

    def joint(packed: Any) -> Any:
        sites = {**theta, **unpack(structure, packed, u)}
        return log_density(structure, sites, design, numbers, jacobian)

    packed, _, _ = maximise(joint, pack(structure, u))
    return packed, positive_cholesky(-block_hessian(jax.grad(joint), packed))


def marginal(
    structure: Structure,
    jacobian: bool,
    theta: Raw,
    u: Raw,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
) -> tuple[Any, Raw]:
    """Returns the log-density of theta with group effects integrated out, and their mode.

    Derivatives with respect to theta are exact: the mode depends on theta through one Newton step
    from a fixed point, whose derivative is that of the implicit function.
    """
    frozen = jax.lax.stop_gradient(theta)
    packed, factor = jax.lax.stop_gradient(
        conditional_mode(structure, jacobian, frozen, u, design, numbers)
    )

    def joint(packed: Any) -> Any:
        sites = {**theta, **unpack(structure, packed, u)}
        return log_density(structure, sites, design, numbers, jacobian)

    gradient = jax.grad(joint)
    step = jax.vmap(lambda f, b: cho_solve((f, True), b))(factor, gradient(packed))
    moved = packed + step
    h = -block_hessian(gradient, moved)
    chol = positive_cholesky(h)
    half_log_determinant = jnp.sum(jnp.log(jnp.diagonal(chol, axis1=1, axis2=2)))
    value = joint(moved) - half_log_determinant + 0.5 * packed.size * jnp.log(2 * jnp.pi)
    return value, unpack(structure, packed, u)
