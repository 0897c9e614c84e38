"""Normal responses: y ~ Normal(mu, sigma)."""

from ..distributions import Normal
from ..family import REAL, Family, Parameter
from ..priors import make

SIGMA = Parameter(
    "sigma",
    "log",
    prior=lambda s: make("HalfStudentT", 4, s.variance**0.5),
    guess=lambda s: s.variance**0.5,
    story="the standard deviation of one row, in units of the response",
)

NORMAL = Family(
    name="normal",
    aliases=("gaussian",),
    equation="Normal(mu, sigma)",
    support=REAL,
    links=("identity", "log"),
    parameters=(SIGMA,),
    distribution=lambda mu, p, _: Normal(mu, p["sigma"]),
    draw=lambda rng, mu, p, _: mu + p["sigma"] * rng.standard_normal(mu.shape),
    extras=("weights", "status", "standard_error"),
    known_scale="sigma",
    dispersion=True,
    loss_unit=lambda p: 0.5 / p["sigma"] ** 2,
    glm="Gaussian",
    least_squares=True,
    story="Real values with symmetric noise of the same size everywhere.",
    source="Gauss (1809)",
)
