"""Inverse Gaussian responses by mean and shape: variance mu^3 / lam."""

from ..distributions import InverseGaussian
from ..family import POSITIVE, Family, Parameter, Summary
from ..priors import make


def _shape(summary: Summary) -> float:
    return summary.mean**3 / summary.variance


INVERSE_GAUSSIAN = Family(
    name="inverse_gaussian",
    aliases=("wald", "inversegaussian"),
    equation="InverseGaussian(mu, lam)",
    support=POSITIVE,
    links=("log", "identity"),
    parameters=(
        Parameter(
            "lam",
            "log",
            prior=lambda s: make("HalfCauchy", _shape(s)),
            guess=_shape,
            story="shape, in units of the response",
        ),
    ),
    distribution=lambda mu, p, _: InverseGaussian(mu, p["lam"]),
    draw=lambda rng, mu, p, _: rng.wald(mu, p["lam"]),
    dispersion=True,
    glm="InverseGaussian",
    story="First-passage times of a drifting diffusion, such as intervals of a noisy integrator.",
    source="Tweedie (1957), Ann. Math. Stat. 28:362",
)
