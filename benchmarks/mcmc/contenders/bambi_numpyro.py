"""bambi with NumPyro (JAX)."""

from __future__ import annotations

import _contender
from _bambi import run_bambi

PACKAGES = ("bambi", "pymc", "pytensor", "arviz", "numpyro", "jax")

if __name__ == "__main__":
    _contender.main(lambda job, seed: run_bambi(job, seed, "numpyro"), PACKAGES)
