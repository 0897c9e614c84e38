"""Exponential responses by their mean, such as intervals between events of a Poisson process."""

import jax.numpy as jnp
import numpyro.distributions as dist

from ..family import POSITIVE, Family

EXPONENTIAL = Family(
    name="exponential",
    equation="Exponential(rate = 1 / mu)",
    support=POSITIVE,
    links=("log", "identity"),
    distribution=lambda mu, p, _: dist.Exponential(1 / mu),
    draw=lambda rng, mu, p, _: rng.exponential(mu),
    kernels=(("log", lambda eta, y, p, _: -eta - y * jnp.exp(-eta)),),
    glm="Gamma",
    story="Waiting times without memory; the standard deviation equals the mean.",
    source="McCullagh and Nelder (1989), chapter 8",
)
