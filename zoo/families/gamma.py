"""Gamma responses by mean and shape: variance mu^2 / alpha."""

from ..distributions import MeanGamma
from ..family import POSITIVE, Family, Parameter, Summary
from ..priors import make


def _shape(summary: Summary) -> float:
    return summary.mean**2 / summary.variance


GAMMA = Family(
    name="gamma",
    equation="Gamma(shape = alpha, rate = alpha / mu)",
    support=POSITIVE,
    links=("log", "identity"),
    parameters=(
        Parameter(
            "alpha",
            "log",
            prior=lambda s: make("HalfCauchy", _shape(s)),
            guess=_shape,
            story="shape: the squared ratio of mean to standard deviation of one row",
        ),
    ),
    distribution=lambda mu, p, _: MeanGamma(mu, p["alpha"]),
    dispersion=True,
    glm="Gamma",
    story="Positive values whose standard deviation grows with their mean, such as power.",
    source="McCullagh and Nelder (1989), chapter 8",
)
