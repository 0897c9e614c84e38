"""Successes out of trials: y ~ Binomial(trials, mu); the response is written prop(y, trials)."""

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import softplus
from jax.scipy.special import log_ndtr

from ..distributions import log1mexp
from ..family import COUNT, Family


def _logit(eta, y, p, extras):  # type: ignore[no-untyped-def]
    """Beside the best value of each row, which is exact for billions of trials too."""
    trials = extras["trials"]
    inside = (y > 0) & (y < trials)
    share = jnp.where(inside, y / jnp.where(trials > 0, trials, 1.0), 0.5)
    step = jnp.where(inside, eta - jnp.log(share) + jnp.log1p(-share), 0.0)
    near = jnp.abs(step) < 0.5
    close = jnp.where(near, step, 0.0)
    exact = y * close - trials * jnp.log1p(share * jnp.expm1(close))
    best = y * jnp.log(share) + (trials - y) * jnp.log1p(-share)
    plain = y * eta - trials * softplus(eta) - jnp.where(inside, best, 0.0)
    return jnp.where(inside & near, exact, plain)


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
