"""Successes out of trials: y ~ Binomial(trials, mu); the response is written prop(y, trials)."""

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import softplus
from jax.scipy.special import log_ndtr

from ..distributions import log1mexp
from ..family import COUNT, Family


def _logit(eta, y, p, extras):  # type: ignore[no-untyped-def]
    return y * eta - extras["trials"] * softplus(eta)


def _probit(eta, y, p, extras):  # type: ignore[no-untyped-def]
    return y * log_ndtr(eta) + (extras["trials"] - y) * log_ndtr(-eta)


def _cloglog(eta, y, p, extras):  # type: ignore[no-untyped-def]
    return y * log1mexp(-jnp.exp(eta)) - (extras["trials"] - y) * jnp.exp(eta)


BINOMIAL = Family(
    name="binomial",
    equation="Binomial(trials, mu)",
    support=COUNT,
    links=("logit", "probit", "cloglog"),
    distribution=lambda mu, p, extras: dist.BinomialProbs(mu, jnp.asarray(extras["trials"], int)),
    draw=lambda rng, mu, p, extras: rng.binomial(extras["trials"].astype(int), mu),
    mean=lambda mu, p, extras: mu * extras["trials"],
    extras=("weights", "trials"),
    required=("trials",),
    kernels=(("logit", _logit), ("probit", _probit), ("cloglog", _cloglog)),
    glm="Binomial",
    story="Numbers of successes among known numbers of trials.",
    source="McCullagh and Nelder (1989), chapter 4",
)
