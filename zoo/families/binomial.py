"""Successes out of trials: y ~ Binomial(trials, mu); the response is written prop(y, trials)."""

import jax.numpy as jnp
import numpyro.distributions as dist

from ..family import COUNT, Family

BINOMIAL = Family(
    name="binomial",
    equation="Binomial(trials, mu)",
    support=COUNT,
    links=("logit", "probit", "cloglog"),
    distribution=lambda mu, p, extras: dist.BinomialProbs(mu, jnp.asarray(extras["trials"], int)),
    mean=lambda mu, p, extras: mu * extras["trials"],
    extras=("weights", "trials"),
    required=("trials",),
    glm="Binomial",
    story="Numbers of successes among known numbers of trials.",
    source="McCullagh and Nelder (1989), chapter 4",
)
