"""Overdispersed counts: variance mu + mu^2 / alpha."""

import jax.numpy as jnp
import numpyro.distributions as dist
from jax.scipy.special import gammaln

from ..distributions import poisson
from ..family import COUNT, Family, Parameter, Summary
from ..priors import make


def _concentration(summary: Summary) -> float:
    excess = max(summary.variance - summary.mean, 0.1 * summary.mean)
    return summary.mean**2 / excess


def _log_link(eta, y, p, _):  # type: ignore[no-untyped-def]
    alpha, mu = p["alpha"], jnp.exp(eta)
    spread = y * (eta - jnp.log(alpha + mu)) - alpha * jnp.log1p(mu / alpha)
    return spread + gammaln(y + alpha) - gammaln(alpha)


NEGATIVE_BINOMIAL = Family(
    name="negative_binomial",
    aliases=("negbinomial", "negbin", "negativebinomial"),
    equation="NegativeBinomial(mu, alpha)",
    support=COUNT,
    links=("log", "identity"),
    parameters=(
        Parameter(
            "alpha",
            "log",
            prior=lambda s: make("HalfCauchy", max(_concentration(s), 1.0)),
            guess=_concentration,
            story="concentration: small for overdispersed counts, large for nearly Poisson ones",
        ),
    ),
    distribution=lambda mu, p, _: dist.NegativeBinomial2(mu, p["alpha"]),
    draw=lambda rng, mu, p, _: poisson(rng, rng.gamma(p["alpha"], mu / p["alpha"])),
    kernels=(("log", _log_link),),
    extras=("weights",),
    dispersion=True,
    story="Counts that vary more than Poisson counts do.",
    source="Hilbe (2011), Negative Binomial Regression",
)
