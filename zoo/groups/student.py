"""Robust group effects: `student(1 + x | g)`, a multivariate t, so that odd groups stay odd."""

import jax
import jax.numpy as jnp

from ..distributions import log_spherical_student
from ..family import Parameter
from ..group import GroupDistribution
from ..priors import make


def _sample(key, shape, parameters):  # type: ignore[no-untyped-def]
    nu = parameters["nu"]
    normal_key, gamma_key = jax.random.split(key)
    weight = jax.random.gamma(gamma_key, nu / 2, (shape[0], 1)) / (nu / 2)
    return jax.random.normal(normal_key, shape) / jnp.sqrt(weight)


STUDENT = GroupDistribution(
    name="student",
    log_density=lambda radius2, size, p: log_spherical_student(radius2, size, p["nu"]),
    sample=_sample,
    equation="StudentT(nu, 0, Sigma)",
    parameters=(
        Parameter(
            "nu",
            "log",
            prior=lambda s: make("Gamma", 2, 0.1),
            guess=lambda s: 10.0,
            story="degrees of freedom of the group effects: small where some groups are outliers",
        ),
    ),
    story="Groups of which a few lie far from the others; sd(...) is then the scale of the t.",
)
