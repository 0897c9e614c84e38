"""Counts with extra zeros: Poisson(mu) with probability psi, else 0."""

import jax.numpy as jnp
import numpyro.distributions as dist

from ..distributions import poisson
from ..family import COUNT, Family, Parameter
from ..priors import make


def _log_link(eta, y, p, _):  # type: ignore[no-untyped-def]
    log_psi, mu = jnp.log(p["psi"]), jnp.exp(eta)
    zero = jnp.logaddexp(jnp.log1p(-p["psi"]), log_psi - mu)
    return jnp.where(y == 0, zero, log_psi + y * eta - mu)


ZERO_INFLATED_POISSON = Family(
    name="zero_inflated_poisson",
    aliases=("zip",),
    equation="psi Poisson(mu) + (1 - psi) [y = 0]",
    support=COUNT,
    links=("log",),
    parameters=(
        Parameter(
            "psi",
            "logit",
            prior=lambda s: make("Beta", 2, 2),
            guess=lambda s: 0.7,
            story="the probability that a row is a Poisson count and not a structural zero",
        ),
    ),
    distribution=lambda mu, p, _: dist.ZeroInflatedPoisson(1 - p["psi"], rate=mu),
    draw=lambda rng, mu, p, _: poisson(rng, mu) * (rng.random(mu.shape) < p["psi"]),
    kernels=(("log", _log_link),),
    mean=lambda mu, p, _: mu * p["psi"],
    extras=("weights",),
    story="Counts with more zeros than a Poisson model allows.",
    source="Lambert (1992), Technometrics 34:1",
)
