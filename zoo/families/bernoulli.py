"""Yes or no: y ~ Bernoulli(mu)."""

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import softplus
from jax.scipy.special import log_ndtr

from ..distributions import log1mexp
from ..family import BINARY, Family

BERNOULLI = Family(
    name="bernoulli",
    equation="Bernoulli(mu)",
    support=BINARY,
    links=("logit", "probit", "cloglog"),
    distribution=lambda mu, p, _: dist.BernoulliProbs(mu),
    draw=lambda rng, mu, p, _: rng.random(mu.shape) < mu,
    extras=("weights",),
    kernels=(
        ("logit", lambda eta, y, p, _: y * eta - softplus(eta)),
        ("probit", lambda eta, y, p, _: y * log_ndtr(eta) + (1 - y) * log_ndtr(-eta)),
        ("cloglog", lambda eta, y, p, _: y * log1mexp(-jnp.exp(eta)) - (1 - y) * jnp.exp(eta)),
    ),
    glm="Binomial",
    story="One yes or no per row.",
    source="McCullagh and Nelder (1989), chapter 4",
)
