"""Sums over rows of a log-likelihood and its derivatives, as compiled programs for blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ...zoo.compile import observe
from ...zoo.families import FAMILIES
from ...zoo.family import Family
from ...zoo.links import LINKS, Link
from ...zoo.structure import LOCAL
from .problem import GlmProblem

Sums = dict[str, Any]

GRADIENT, INFORMATION, HESSIAN = "gradient", "information", "hessian"
"""What is summed: first derivatives; also second ones in the intercept and scalars; also all others."""


def structure_key(problem: GlmProblem) -> str:
    """Returns a text that is equal for problems whose rows have the same log-density."""
    family = problem.family.name
    local = FAMILIES.get(family) is not problem.family
    text = repr((family, problem.link.name, problem.scalars, sorted(problem.extras)))
    return f"{LOCAL}{id(problem.family)} {text}" if local else text


def log_density(
    family: Family, link: Link, names: tuple[str, ...]
) -> Callable[[Any, Any, Any, Mapping[str, Any]], Any]:
    """Returns (eta, y, raw scalars (scalar, neuron), extras) -> log p(y), up to terms of y alone."""
    kernel = dict(family.kernels).get(link.name)
    maps = {name: LINKS[family.parameter(name).link].inverse for name in names}

    def evaluate(eta: Any, y: Any, raw: Any, extras: Mapping[str, Any]) -> Any:
        scalars = {name: maps[name](raw[i][None, :]) for i, name in enumerate(names)}
        if kernel is not None and "status" not in extras:
            return kernel(eta, y, scalars, extras)
        response = {"y": y, **extras}
        distribution = observe(family, {"mu": link.inverse(eta), **scalars}, response)
        return distribution.log_prob(y)

    return evaluate


def sums(
    problem: GlmProblem, order: str
) -> Callable[[Any, Any, Mapping[str, Any], Any, Any, Any], Sums]:
    """Returns the function that is compiled for blocks of rows.

    It maps x (row, coef), y (row, neuron), others by row (`offset`, `weights`, extras), intercepts
    (neuron,), coefficients (coef, neuron) and raw scalars (scalar, neuron) to sums over the rows:

        value (neuron,); intercept (neuron,), coefficients (coef, neuron), scalars (scalar, neuron):
        first derivatives of the log-likelihood;
        information (neuron,), cross (scalar, neuron), curvature (scalar, scalar, neuron): minus the
        second ones in intercept and scalars;
        coupling (coef, neuron), leverage (scalar, coef, neuron), gram (neuron, coef, coef): minus the
        second ones of coefficients with intercept, scalars, and themselves.
    """
    density = log_density(problem.family, problem.link, problem.scalars)

    def evaluate(x: Any, y: Any, row: Mapping[str, Any], intercept: Any, w: Any, raw: Any) -> Sums:
        row = dict(row)
        weights, offset = row.pop("weights")[:, None], row.pop("offset")[:, None]
        eta = offset + intercept[None, :]
        if x.shape[1]:
            eta = eta + x @ w

        def total(eta: Any, raw: Any) -> Any:
            terms = weights * density(eta, y, raw, row)
            return jnp.sum(terms), jnp.sum(terms, axis=0)

        def slopes(eta: Any, raw: Any) -> Any:
            return jax.grad(total, argnums=(0, 1), has_aux=True)(eta, raw)

        (slope, scalar_slope), value = slopes(eta, raw)
        out = {
            "value": value,
            "intercept": jnp.sum(slope, axis=0),
            "coefficients": (slope.T @ x).T,
            "scalars": scalar_slope,
        }
        if order != GRADIENT:
            out |= _second(lambda e, s: slopes(e, s)[0], x, eta, raw, order == HESSIAN)
        return out

    return evaluate


def _second(slopes: Callable[[Any, Any], Any], x: Any, eta: Any, raw: Any, full: bool) -> Sums:
    def along(eta_tangent: Any, raw_tangent: Any) -> Any:
        return jax.jvp(slopes, (eta, raw), (eta_tangent, raw_tangent))[1]

    bend, cross = along(jnp.ones_like(eta), jnp.zeros_like(raw))
    columns = [
        along(jnp.zeros_like(eta), jnp.zeros_like(raw).at[i].set(1.0)) for i in range(len(raw))
    ]
    k, n = raw.shape
    out = {
        "information": -jnp.sum(bend, axis=0),
        "cross": -cross,
        "curvature": -jnp.stack([c for _, c in columns]) if k else jnp.zeros((0, 0, n)),
    }
    if full:
        mixed = [-(c.T @ x).T for c, _ in columns]
        out["coupling"] = -(bend.T @ x).T
        out["leverage"] = jnp.stack(mixed) if k else jnp.zeros((0, x.shape[1], n))
        out["gram"] = jax.lax.map(lambda h: (x * -h[:, None]).T @ x, bend.T)
    return out
