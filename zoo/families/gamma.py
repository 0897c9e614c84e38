"""Gamma responses by mean and shape: variance mu^2 / alpha."""

import jax.numpy as jnp
from jax.scipy.special import gammaln

from ..distributions import MeanGamma
from ..family import POSITIVE, Family, Parameter, Summary
from ..priors import make


def _shape(summary: Summary) -> float:
    return summary.mean**2 / summary.variance


def _log_link(eta, y, p, _):  # type: ignore[no-untyped-def]
    alpha = p["alpha"]
    log_ratio = jnp.log(y) - eta
    return alpha * (jnp.log(alpha) + log_ratio - jnp.exp(log_ratio)) - gammaln(alpha)


GAMMA = Family(
    name="gamma",
    equation="Gamma(shape = alpha, rate = alpha / mu)",
    support=POSITIVE,
    links=("log", "identity"),
    parameters=(
        Parameter(
            "alpha",
            "log",
            prior=lambda s: make("HalfCauchy", _shape(s)),
            guess=_shape,
            story="shape: the squared ratio of mean to standard deviation of one row",
        ),
    ),
    distribution=lambda mu, p, _: MeanGamma(mu, p["alpha"]),
    draw=lambda rng, mu, p, _: rng.gamma(p["alpha"], mu / p["alpha"]),
    kernels=(("log", _log_link),),
    dispersion=True,
    loss_unit=lambda p: p["alpha"],
    glm="Gamma",
    story="Positive values whose standard deviation grows with their mean, such as power.",
    source="McCullagh and Nelder (1989), chapter 8",
)
