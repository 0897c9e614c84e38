"""Robust responses: y ~ StudentT(nu, mu, sigma)."""

import numpyro.distributions as dist

from ..family import REAL, Family, Parameter
from ..priors import make
from .normal import SIGMA

STUDENT = Family(
    name="student",
    aliases=("robust", "t", "student_t"),
    equation="StudentT(nu, mu, sigma)",
    support=REAL,
    links=("identity", "log"),
    parameters=(
        SIGMA,
        Parameter(
            "nu",
            "log",
            prior=lambda s: make("Gamma", 2, 0.1),
            guess=lambda s: 10.0,
            story="degrees of freedom: small for outliers, large for nearly normal noise",
        ),
    ),
    distribution=lambda mu, p, _: dist.StudentT(p["nu"], mu, p["sigma"]),
    draw=lambda rng, mu, p, _: mu + p["sigma"] * rng.standard_t(p["nu"], mu.shape),
    extras=("weights", "standard_error"),
    known_scale="sigma",
    dispersion=True,
    story="Real values with outliers, which then hardly move the estimates.",
    source="Lange, Little and Taylor (1989), JASA 84:881; prior of nu: Juarez and Steel (2010)",
)
