"""Log-normal responses by their mean: log y ~ Normal(log(mu) - sigma^2 / 2, sigma)."""

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from ..family import POSITIVE, Family, Parameter, Summary
from ..priors import make


def _log_deviation(summary: Summary) -> float:
    return float(np.sqrt(np.log1p(summary.variance / summary.mean**2)))


LOGNORMAL = Family(
    name="lognormal",
    aliases=("log_normal",),
    equation="LogNormal(log(mu) - sigma^2/2, sigma)",
    support=POSITIVE,
    links=("log", "identity"),
    parameters=(
        Parameter(
            "sigma",
            "log",
            prior=lambda s: make("HalfStudentT", 4, max(_log_deviation(s), 1e-3)),
            guess=_log_deviation,
            story="the standard deviation of log y",
        ),
    ),
    distribution=lambda mu, p, _: dist.LogNormal(jnp.log(mu) - p["sigma"] ** 2 / 2, p["sigma"]),
    draw=lambda rng, mu, p, _: mu * rng.lognormal(-(p["sigma"] ** 2) / 2, p["sigma"], mu.shape),
    dispersion=True,
    story="Positive values with multiplicative noise; mu is the mean of y, not its median.",
    source="Aitchison and Brown (1957)",
)
