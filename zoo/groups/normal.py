"""Normal group effects: `(1 + x | g)`."""

import jax
import jax.numpy as jnp

from ..group import GroupDistribution

NORMAL = GroupDistribution(
    name="normal",
    log_density=lambda radius2, size, _: -0.5 * (radius2 + size * jnp.log(2 * jnp.pi)),
    sample=lambda key, shape, _: jax.random.normal(key, shape),
    equation="Normal(0, Sigma)",
    gaussian=True,
    story="Groups drawn from one normal population.",
)
