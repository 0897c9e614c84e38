"""Temporal features: every series filtered by 8 raised cosines over 200 bins of its past.

`python benchmarks/convolution/jobs.py JOB FOLDER` writes a job's arrays: `series` (bin, source) and
`kernel` (window, basis), both float64.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import ArrayJob, scaled
from arrays import make as write

if TYPE_CHECKING:
    import numpy as np

BASES, WINDOW = 8, 200
STEP = 997
"""Every so many rows of a result are judged."""
WIDTH, SCALING = 2.0, 50.0


def kernel() -> np.ndarray:
    """Evaluate raised cosines of logarithmic time, which decay to 0 within the window.

    bump_i(u) = (1 + cos(clip(pi (u - p_i) / (width d), -pi, pi))) / 2, u = log(1 + s t) / log(1 + s)

    with t on [0, 1], peaks p_i from 0 to 1 - width / (n + width - 1), and d their spacing.

    Returns:
        Values, (window, basis).
    """
    import numpy as np

    u = np.log1p(SCALING * np.linspace(0, 1, WINDOW)) / np.log1p(SCALING)
    peaks = np.linspace(0, 1 - WIDTH / (BASES + WIDTH - 1), BASES)
    angle = np.pi * (u[:, None] - peaks) / (WIDTH * (peaks[1] - peaks[0]))
    return 0.5 * (1 + np.cos(np.clip(angle, -np.pi, np.pi)))


def series(rng: np.random.Generator, bins: int, sources: int) -> dict[str, np.ndarray]:
    """Draw spike trains, 0.1 spikes per bin.

    Args:
        rng: Source of randomness.
        bins: How many time bins.
        sources: How many trains.

    Returns:
        `series` and `kernel`.
    """
    return {"series": rng.poisson(0.1, (bins, sources)).astype(float), "kernel": kernel()}


def job(name: str, bins: int, sources: int) -> ArrayJob:
    """Build a job."""
    bins = scaled(bins, 5000)
    mib = bins * sources * BASES * 8 / 2**20
    size = f"{bins:,} bins, {sources} source(s), {BASES} kernels of {WINDOW} bins"
    size += f"; {mib:.0f} MiB of features in float64"
    formula = f"conv(series, raised_cos_log({BASES}, {WINDOW}))"
    return ArrayJob(name, formula, size, make=partial(series, bins=bins, sources=sources))


JOBS = {
    item.name: item
    for item in (
        job("convolution_1", bins=1_000_000, sources=1),
        job("convolution_100", bins=100_000, sources=100),
    )
}

if __name__ == "__main__":
    write(JOBS)
