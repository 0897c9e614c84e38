"""NumPyro distributions that NumPyro lacks."""

# NumPyro declares `support` as a property and lets subclasses set a constant instead.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import gammaln, log_ndtr, logsumexp
from numpyro.distributions import constraints
from numpyro.distributions.util import promote_shapes

from ..errors import PriorError

LARGEST_COUNT = 9e18
"""NumPy draws no Poisson counts of a larger mean."""


def poisson(generator: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Draws Poisson counts of given means; of huge ones, real numbers from the normal limit."""
    counts = generator.poisson(np.minimum(mean, LARGEST_COUNT))
    huge = mean > LARGEST_COUNT
    if not huge.any():
        return counts
    limit = mean + np.sqrt(mean) * generator.standard_normal(np.shape(mean))
    return np.where(huge, limit, counts)


LARGE = 20.0
"""Stirling's series is exact to rounding from here on."""


def stirling(x: Any) -> Any:
    """log Gamma(x) - x log x + x, also where these are so large that their difference is rounding."""
    far = jnp.where(x > LARGE, x, LARGE)
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * far**2)) / far**2) / far**2) / far
    near = jnp.where(x > LARGE, LARGE, x)
    exact = gammaln(near) - near * jnp.log(near) + near
    return jnp.where(x > LARGE, 0.5 * jnp.log(2 * jnp.pi / far) + series, exact)


def log_beta(a: Any, b: Any) -> Any:
    """log B(a, b), to rounding; JAX's `betaln` is off by 1e-6 where one is below 8 and one above."""
    total = a + b
    return (
        a * jnp.log(a / total)
        + b * jnp.log(b / total)
        + stirling(a)
        + stirling(b)
        - stirling(total)
    )


class HalfStudentT(dist.Distribution):
    """|T| for T a Student t variable with `df` degrees of freedom and a scale."""

    df: Any
    scale: Any

    arg_constraints = {"df": constraints.positive, "scale": constraints.positive}
    support = constraints.positive

    def __init__(self, df: Any, scale: Any = 1.0, *, validate_args: bool | None = None) -> None:
        self.df, self.scale = promote_shapes(df, scale)
        shape = jnp.broadcast_shapes(jnp.shape(df), jnp.shape(scale))
        super().__init__(shape, (), validate_args=validate_args)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws samples."""
        return jnp.abs(dist.StudentT(self.df, 0.0, self.scale).sample(key, sample_shape))

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """log p(value) = log 2 + log t(value)."""
        return jnp.log(2.0) + dist.StudentT(self.df, 0.0, self.scale).log_prob(value)


class Flat(dist.Distribution):
    """The improper density 1 on an interval, by default the whole line. It cannot be sampled."""

    low: Any
    high: Any

    arg_constraints = {"low": constraints.real, "high": constraints.real}
    pytree_aux_fields = ("bounded",)

    def __init__(
        self, low: Any, high: Any, finite_low: bool = False, finite_high: bool = False
    ) -> None:
        self.low, self.high = promote_shapes(low, high)
        self.bounded = (finite_low, finite_high)
        super().__init__(jnp.shape(low), (), validate_args=False)

    @constraints.dependent_property
    def support(self) -> Any:
        """The interval."""
        if self.bounded == (True, True):
            return constraints.interval(self.low, self.high)
        if self.bounded == (True, False):
            return constraints.greater_than(self.low)
        if self.bounded == (False, True):
            return constraints.less_than(self.high)
        return constraints.real

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Raises: an improper prior has no draws."""
        raise PriorError(
            "a Flat prior is improper and cannot be drawn from; give proper priors for prior draws."
        )

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """log p(value) = 0."""
        return jnp.zeros(jnp.broadcast_shapes(jnp.shape(value), self.batch_shape))


class InverseGaussian(dist.Distribution):
    """The inverse Gaussian (Wald) distribution with a mean and a shape: variance mean^3 / shape."""

    mean_: Any
    shape_: Any

    arg_constraints = {"mean_": constraints.positive, "shape_": constraints.positive}
    support = constraints.positive

    def __init__(self, mean_: Any, shape_: Any, *, validate_args: bool | None = None) -> None:
        self.mean_, self.shape_ = promote_shapes(mean_, shape_)
        batch = jnp.broadcast_shapes(jnp.shape(mean_), jnp.shape(shape_))
        super().__init__(batch, (), validate_args=validate_args)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws samples by the transformation of Michael, Schucany and Haas (1976)."""
        normal_key, uniform_key = jax.random.split(key)
        shape = sample_shape + self.batch_shape
        y = jax.random.normal(normal_key, shape) ** 2
        m, lam = self.mean_, self.shape_
        root = jnp.sqrt(4 * m * lam * y + (m * y) ** 2)
        # the smaller root without cancellation
        x = m * (1 - 2 * m * y / (m * y + root + 1e-300))
        x = jnp.maximum(x, jnp.finfo(x.dtype).tiny)
        return jnp.where(jax.random.uniform(uniform_key, shape) <= m / (m + x), x, m**2 / x)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """log p = (log lam - log 2 pi - 3 log x) / 2 - lam (x - m)^2 / (2 m^2 x)."""
        m, lam = self.mean_, self.shape_
        quadratic = lam * (value - m) ** 2 / (2 * m**2 * value)
        return 0.5 * (jnp.log(lam) - jnp.log(2 * jnp.pi) - 3 * jnp.log(value)) - quadratic

    def cdf(self, value: Any) -> Any:
        """P(X <= value)."""
        m, lam = self.mean_, self.shape_
        root = jnp.sqrt(lam / value)
        first = jax.scipy.special.ndtr(root * (value / m - 1))
        return first + jnp.exp(2 * lam / m + log_ndtr(-root * (value / m + 1)))


class Beta(dist.Beta):
    """The beta distribution with a density written out (NumPyro goes through the Dirichlet's)."""

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """log p = (a - 1) log y + (b - 1) log(1 - y) - log B(a, b)."""
        a: Any = self.concentration1
        b: Any = self.concentration0
        return (a - 1) * jnp.log(value) + (b - 1) * jnp.log1p(-value) - log_beta(a, b)


class MeanGamma(dist.Gamma):
    """The gamma distribution by mean and shape, with a density that is cheap after a log link."""

    arg_constraints = {"mu": constraints.positive, "alpha": constraints.positive}

    def __init__(self, mu: Any, alpha: Any, *, validate_args: bool | None = None) -> None:
        self.mu, self.alpha = mu, alpha
        super().__init__(alpha, alpha / mu, validate_args=validate_args)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """log p = a (log a - log mu) + (a - 1) log y - a y / mu - log Gamma(a)."""
        a = self.alpha
        head = a * (jnp.log(a) - jnp.log(self.mu)) + (a - 1) * jnp.log(value)
        return head - a * value / self.mu - gammaln(a)

    def log_tails(self, value: Any) -> tuple[Any, Any]:
        """Returns log P(X <= value) and log P(X > value)."""
        x = jnp.asarray(self.alpha * value / self.mu)
        return log_gamma_tails(jnp.broadcast_to(self.alpha, x.shape), x)


SERIES_TERMS = 400


def log_gamma_tails(a: Any, x: Any) -> tuple[Any, Any]:
    """Returns log P(X <= x) and log P(X > x) of Gamma(a, 1), differentiable any number of times.

    JAX's incomplete gamma function has no second derivative in a. Below the mean its power series is
    summed; above, the integral of exp(-t) (1 + t / x)^(a - 1) is taken by Gauss-Laguerre quadrature
    on the scale on which it falls. Good to 1e-8 for shapes up to 1,000.
    """
    small = x < a + 1
    near = jnp.where(small, x, a)

    def add(carry: Any, n: Any) -> Any:
        term, total = carry
        term = term * near / (a + n)
        return (term, total + term), None

    start = (jnp.ones_like(near), jnp.ones_like(near))
    (_, total), _ = jax.lax.scan(add, start, jnp.arange(1.0, SERIES_TERMS))
    below = a * jnp.log(near) - near - gammaln(a + 1) + jnp.log(total)
    nodes, weights = (
        np.reshape(values, (1,) * jnp.ndim(x) + (-1,))
        for values in np.polynomial.laguerre.laggauss(64)
    )
    far = jnp.where(small, a + 2.0, x)
    scale = 1 / (1 - (a - 1) / far + 1 / jnp.sqrt(far))
    t = scale[..., None] * nodes
    outer = nodes - t + (a[..., None] - 1) * jnp.log1p(t / far[..., None])
    integral = logsumexp(outer, b=weights, axis=-1) + jnp.log(scale)
    above = jnp.minimum((a - 1) * jnp.log(far) - far - gammaln(a) + integral, -1e-300)
    below = jnp.minimum(below, -1e-300)
    return jnp.where(small, below, log1mexp(above)), jnp.where(small, log1mexp(below), above)


def log1mexp(x: Any) -> Any:
    """log(1 - exp(x)) for x < 0."""
    return jnp.where(x > -0.693, jnp.log(-jnp.expm1(x)), jnp.log1p(-jnp.exp(x)))


class Weighted(dist.Distribution):
    """A distribution whose log-density counts `weights` times; samples are unchanged."""

    arg_constraints: dict[str, Any] = {}
    pytree_data_fields = ("base", "weights")

    def __init__(self, base: Any, weights: Any) -> None:
        self.base, self.weights = base, weights
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    @constraints.dependent_property
    def support(self) -> Any:
        """The support of the base."""
        return self.base.support

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws samples of the base."""
        return self.base.sample(key, sample_shape)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """w log p(value)."""
        return self.weights * self.base.log_prob(value)


class Censored(dist.Distribution):
    """A distribution of which some values are bounds: status 1 right-, -1 left-censored, 0 seen."""

    arg_constraints: dict[str, Any] = {}
    pytree_data_fields = ("base", "status")

    def __init__(self, base: Any, status: Any) -> None:
        self.base, self.status = base, status
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    @constraints.dependent_property
    def support(self) -> Any:
        """The support of the base."""
        return self.base.support

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws uncensored samples of the base."""
        return self.base.sample(key, sample_shape)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """log p(x) where seen, log P(X > x) where right-, log P(X <= x) where left-censored."""
        below, above = log_tails(self.base, value)
        return jnp.select(
            [self.status > 0, self.status < 0], [above, below], self.base.log_prob(value)
        )


def log_tails(base: Any, value: Any) -> tuple[Any, Any]:
    """Returns log P(X <= value) and log P(X > value)."""
    exact = getattr(base, "log_tails", None)
    if exact is not None:
        return exact(value)
    tiny = jnp.finfo(jnp.result_type(float)).tiny
    cdf = base.cdf(value)
    return jnp.log(jnp.maximum(cdf, tiny)), jnp.log(jnp.maximum(1 - cdf, tiny))


class Normal(dist.Normal):
    """The normal distribution with tails that stay accurate far out."""

    def log_tails(self, value: Any) -> tuple[Any, Any]:
        """Returns log P(X <= value) and log P(X > value)."""
        z = (value - self.loc) / self.scale
        return log_ndtr(z), log_ndtr(-z)


def log_spherical_student(radius2: Any, size: int, nu: Any) -> Any:
    """log density of a standard multivariate t vector of `size` entries with |z|^2 = radius2."""
    constant = gammaln((nu + size) / 2) - gammaln(nu / 2) - size / 2 * jnp.log(nu * jnp.pi)
    return constant - (nu + size) / 2 * jnp.log1p(radius2 / nu)
