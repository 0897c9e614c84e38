"""Priors that are penalties per row of data, and priors of a term as a whole.

A penalty of strength lambda is what regularised regression adds to the *mean* over rows of its loss;
on T rows it is the prior exp(-T unit penalty(w)), where `unit` is what the family's loss is to the
log-likelihood (1 for counts, 1 / (2 sigma^2) for squared errors).
"""

# NumPyro declares `support` as a property and lets subclasses set a constant instead.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import erfcx, gammaln, ndtr, ndtri
from numpyro.distributions import constraints

FAR = 30.0
"""So many deviations out, the tail of a normal density is an exponential one."""


@dataclass(frozen=True, eq=False)
class TermFacts:
    """What a penalty knows of the term that it is put on.

    Attributes:
        rows: rows used.
        size: coefficients of the term (of one neuron).
        sources: into how many equal parts the coefficients fall, one for each series filtered.
        kernel: the filters of the basis, shape (window, basis), where the term is a filtered series.
    """

    rows: int
    size: int
    sources: int = 1
    kernel: np.ndarray | None = None


class ElasticNet(dist.Distribution):
    """p(w) proportional to exp(-a |w| - b w^2 / 2)."""

    absolute: Any
    precision: Any

    arg_constraints: dict[str, Any] = {}
    support = constraints.real

    def __init__(self, absolute: Any, precision: Any) -> None:
        self.absolute, self.precision = absolute, precision
        super().__init__(
            jnp.broadcast_shapes(jnp.shape(absolute), jnp.shape(precision)), (), validate_args=False
        )

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density; the normaliser is 2 sqrt(pi / 2b) erfcx(a / sqrt(2b))."""
        a, b = self.absolute, self.precision
        normaliser = jnp.log(jnp.sqrt(2 * jnp.pi / b) * erfcx(a / jnp.sqrt(2 * b)))
        return -a * jnp.abs(value) - 0.5 * b * value**2 - normaliser

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws a normal variable beyond a cut by its tail, and a sign."""
        key, sign_key = jax.random.split(key)
        shape = sample_shape + self.batch_shape
        a = jnp.broadcast_to(self.absolute, shape)
        b = jnp.broadcast_to(self.precision, shape)
        cut = a / jnp.sqrt(b)
        u = jax.random.uniform(key, shape, minval=jnp.finfo(a.dtype).tiny)
        near = jnp.minimum(cut, FAR)
        beyond = -ndtri(u * ndtr(-near)) - near
        size = jnp.where(cut < FAR, beyond, -jnp.log(u) / cut) / jnp.sqrt(b)
        sign = jnp.where(jax.random.bernoulli(sign_key, 0.5, shape), 1.0, -1.0)
        return sign * jnp.maximum(size, 0.0)


class GroupNorm(dist.Distribution):
    """p(w) proportional to exp(-sum_g rate |w_g|_2), w falling into `parts` equal groups."""

    rate: Any

    arg_constraints: dict[str, Any] = {}
    support = constraints.real_vector
    pytree_aux_fields = ("parts", "size")

    def __init__(self, rate: Any, parts: int, size: int) -> None:
        self.rate, self.parts, self.size = rate, parts, size
        super().__init__(jnp.shape(rate), (size,), validate_args=False)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density; the normaliser of a group of d is rate^d Gamma(d/2) / (2 pi^(d/2) Gamma(d))."""
        d = self.size // self.parts
        grouped = jnp.reshape(value, (*jnp.shape(value)[:-1], self.parts, d))
        squares = jnp.sum(grouped**2, axis=-1)
        norms = jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.0)), 0.0)
        constant = d * jnp.log(self.rate) + gammaln(d / 2) - gammaln(d * 1.0)
        constant = constant - jnp.log(2.0) - d / 2 * jnp.log(jnp.pi)
        return self.parts * constant - self.rate * jnp.sum(norms, axis=-1)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws a direction, and a radius ~ Gamma(d, rate), for each group."""
        d = self.size // self.parts
        direction_key, radius_key = jax.random.split(key)
        shape = (*sample_shape, *self.batch_shape, self.parts)
        z = jax.random.normal(direction_key, (*shape, d))
        rate = jnp.asarray(self.rate)
        rate = rate[..., None] if rate.ndim else rate
        radius = jax.random.gamma(radius_key, float(d), shape) / rate
        unit = z / jnp.sqrt(jnp.sum(z**2, axis=-1, keepdims=True))
        return jnp.reshape(unit * radius[..., None], (*shape[:-1], self.size))


class Smooth(dist.Distribution):
    """A normal prior by its precision: differences of a kernel are Normal(0, scale)."""

    precision: Any
    root: Any

    arg_constraints: dict[str, Any] = {}
    support = constraints.real_vector

    def __init__(self, precision: Any, root: Any) -> None:
        self.precision, self.root = precision, root
        super().__init__((), (jnp.shape(precision)[-1],), validate_args=False)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density."""
        whitened = value @ self.root
        size = jnp.shape(self.precision)[-1]
        half = jnp.sum(jnp.log(jnp.abs(jnp.diagonal(self.root)))) - 0.5 * size * jnp.log(2 * jnp.pi)
        return half - 0.5 * jnp.sum(whitened**2, axis=-1)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws samples."""
        size = jnp.shape(self.precision)[-1]
        z = jax.random.normal(key, (*sample_shape, size))
        return z @ jnp.linalg.inv(self.root)


def smooth_numbers(scale: float, order: float, ridge: float, facts: TermFacts) -> dict[str, Any]:
    """The precision of a smooth kernel: K'D'DK / scale^2 + K'K ridge, for each source alike."""
    size = facts.size // facts.sources
    kernel = np.eye(size) if facts.kernel is None else facts.kernel
    steps = min(int(order), len(kernel) - 1)
    rough = np.diff(kernel, n=steps, axis=0)
    single = rough.T @ rough / scale**2 + ridge * (kernel.T @ kernel) / scale**2
    single = single + 1e-12 * np.trace(single) / size * np.eye(size)
    precision = np.kron(np.eye(facts.sources), single)
    return {"precision": precision, "root": np.linalg.cholesky(precision)}
