"""Counts: y ~ Poisson(mu)."""

import jax.numpy as jnp
import numpyro.distributions as dist

from ..distributions import poisson
from ..family import COUNT, Family

POISSON = Family(
    name="poisson",
    equation="Poisson(mu)",
    support=COUNT,
    links=("log", "identity"),
    distribution=lambda mu, p, _: dist.Poisson(mu),
    draw=lambda rng, mu, p, _: poisson(rng, mu),
    extras=("weights", "status"),
    kernels=(("log", lambda eta, y, p, _: y * eta - jnp.exp(eta)),),
    glm="Poisson",
    story="Counts of independent events; the variance equals the mean.",
    source="McCullagh and Nelder (1989), chapter 6",
)
