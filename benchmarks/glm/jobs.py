"""Poisson GLMs of spike counts: `log mean = b + x w`, one neuron or a population.

`python benchmarks/glm/jobs.py JOB FOLDER` writes a job's arrays: `x` (bin, feature) and `spikes`
(bin,) or (bin, neuron), all float64.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import ArrayJob, scaled
from arrays import make as write

if TYPE_CHECKING:
    import numpy as np

BASES = 8


def mild(rng: np.random.Generator, bins: int, features: int) -> dict[str, np.ndarray]:
    """Draw one neuron with features that have pairwise correlation 0.2.

    Args:
        rng: Source of randomness.
        bins: How many time bins.
        features: How many features.

    Returns:
        `x` and `spikes`; about 0.2 spikes per bin.
    """
    import numpy as np

    x = rng.standard_normal((bins, features))
    x += 0.5 * rng.standard_normal((bins, 1))
    weights = 0.1 * rng.standard_normal(features)
    return {"x": x, "spikes": rng.poisson(np.exp(-2 + x @ weights)).astype(float)}


def population(
    rng: np.random.Generator, bins: int, features: int, neurons: int
) -> dict[str, np.ndarray]:
    """Draw a population with features as temporal convolutions give: nearly collinear.

    Each of `features / 8` spike trains is filtered by 8 decaying exponentials with time constants
    1.5, 1.5^2, ... bins.

    Args:
        rng: Source of randomness.
        bins: How many time bins.
        features: How many features, a multiple of 8.
        neurons: How many neurons.

    Returns:
        `x` and `spikes` (bin, neuron); about 0.05 spikes per bin.
    """
    import numpy as np

    trains = rng.poisson(0.05, (bins, features // BASES)).astype(float)
    decay = np.tile(np.exp(-1 / 1.5 ** np.arange(1, BASES + 1)), features // BASES)
    x = np.repeat(trains, BASES, axis=1)
    for now in range(1, bins):
        x[now] += decay * x[now - 1]
    size = 0.05 / np.sqrt(features / BASES) / x.std(axis=0)[:, None]
    weights = size * rng.standard_normal((features, neurons))
    return {"x": x, "spikes": rng.poisson(np.exp(-3 + x @ weights)).astype(float)}


def job(name: str, make: Callable, bins: int, **others: int) -> ArrayJob:
    """Build a job; the numbers of its size are also the arguments of its maker."""
    size = {"bins": scaled(bins, 5000), **others}
    text = ", ".join(f"{count:,} {what}" for what, count in size.items())
    return ArrayJob(name=name, formula="spikes ~ x", size=text, make=partial(make, **size))


JOBS = {
    item.name: item
    for item in (
        job("glm_small", mild, bins=100_000, features=40),
        job("glm_large", mild, bins=1_000_000, features=40),
        job("population_40", population, bins=100_000, features=40, neurons=50),
        job("population_400", population, bins=100_000, features=400, neurons=50),
    )
}

if __name__ == "__main__":
    write(JOBS)
