"""Proportions strictly between 0 and 1 by mean and precision."""

import jax.numpy as jnp
import numpy as np

from ..distributions import Beta
from ..family import UNIT, Family, Parameter, Summary
from ..priors import make


def _precision(summary: Summary) -> float:
    return max(summary.mean * (1 - summary.mean) / summary.variance - 1, 1.0)


def _distribution(mu, p, _):  # type: ignore[no-untyped-def]
    inside = jnp.clip(mu, 1e-12, 1 - 1e-12)
    return Beta(inside * p["kappa"], (1 - inside) * p["kappa"])


def _draw(rng, mu, p, _):  # type: ignore[no-untyped-def]
    inside = np.clip(mu, 1e-12, 1 - 1e-12)
    return rng.beta(inside * p["kappa"], (1 - inside) * p["kappa"])


BETA = Family(
    name="beta",
    equation="Beta(mu kappa, (1 - mu) kappa)",
    support=UNIT,
    links=("logit", "probit", "cloglog"),
    parameters=(
        Parameter(
            "kappa",
            "log",
            prior=lambda s: make("HalfCauchy", _precision(s)),
            guess=_precision,
            story="precision: the variance is mu (1 - mu) / (1 + kappa)",
        ),
    ),
    distribution=_distribution,
    draw=_draw,
    extras=("weights",),
    dispersion=True,
    story="Proportions measured as such, without a count of trials.",
    source="Ferrari and Cribari-Neto (2004), J. Appl. Stat. 31:799",
)
