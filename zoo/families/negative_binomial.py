"""Overdispersed counts: variance mu + mu^2 / alpha."""

import jax.numpy as jnp
import numpyro.distributions as dist

from ..distributions import poisson, stirling
from ..family import COUNT, Family, Parameter, Summary
from ..priors import make


def _concentration(summary: Summary) -> float:
    excess = max(summary.variance - summary.mean, 0.1 * summary.mean)
    return summary.mean**2 / excess


HIGHEST = 600.0
"""Beyond this linear predictor the mean is so large that logarithms alone are used."""


def _log_link(eta, y, p, _):  # type: ignore[no-untyped-def]
    """Beside the best mean of each row, so that counts and alpha may be as large as they like."""
    alpha = p["alpha"]
    step = jnp.where(y > 0, eta - jnp.log(jnp.where(y > 0, y, 1.0)), 0.0)
    mu = jnp.exp(jnp.minimum(eta, HIGHEST))
    excess = jnp.where((y > 0) & (jnp.abs(step) < 1), y * jnp.expm1(jnp.clip(step, -1, 1)), mu - y)
    part = excess / (alpha + mu)
    near = (jnp.abs(part) < 0.5) & (eta < HIGHEST)
    far = jnp.log(y + alpha) - jnp.logaddexp(jnp.log(alpha), eta)
    ratio = jnp.where(near, jnp.log1p(-jnp.where(near, part, 0.0)), far)  # log (y + a) / (mu + a)
    return (y + alpha) * ratio + y * step + stirling(y + alpha) - stirling(alpha)


class NegativeBinomial(dist.GammaPoisson):
    """NumPyro's, with a density that is exact to rounding."""

    def log_prob(self, value, intermediates=None):  # type: ignore[no-untyped-def]
        """The density of the log link, and log y! beside the best mean of the row."""
        alpha = jnp.asarray(self.concentration)
        eta = jnp.log(alpha / jnp.asarray(self.rate))
        after = value + 1.0
        ratio = jnp.where(value > 0, value * jnp.log(jnp.where(value > 0, value, 1.0) / after), 0.0)
        factorial = ratio + 1.0 - jnp.log(after) - stirling(after)  # y log y - y - log y!
        return _log_link(eta, value, {"alpha": alpha}, None) + factorial


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
    distribution=lambda mu, p, _: NegativeBinomial(p["alpha"], p["alpha"] / mu),
    draw=lambda rng, mu, p, _: poisson(rng, rng.gamma(p["alpha"], mu / p["alpha"])),
    kernels=(("log", _log_link),),
    extras=("weights",),
    dispersion=True,
    story="Counts that vary more than Poisson counts do.",
    source="Hilbe (2011), Negative Binomial Regression",
)
