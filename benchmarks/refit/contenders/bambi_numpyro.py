"""bambi with NumPyro (JAX)."""

from __future__ import annotations

import _contender
from _bambi import prepare_bambi

PACKAGES = ("bambi", "pymc", "pytensor", "arviz", "numpyro", "jax")

if __name__ == "__main__":
    _contender.main(lambda job: prepare_bambi(job, "numpyro"), PACKAGES)
