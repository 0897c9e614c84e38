"""Yes or no: y ~ Bernoulli(mu)."""

import numpyro.distributions as dist

from ..family import BINARY, Family

BERNOULLI = Family(
    name="bernoulli",
    equation="Bernoulli(mu)",
    support=BINARY,
    links=("logit", "probit", "cloglog"),
    distribution=lambda mu, p, _: dist.BernoulliProbs(mu),
    extras=("weights",),
    glm="Binomial",
    story="One yes or no per row.",
    source="McCullagh and Nelder (1989), chapter 4",
)
