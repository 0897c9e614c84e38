"""The sampling jobs: a formula, a family and a table, the same for every contender.

`sleepstudy` is the classic small mixed model; the others are simulated at known values.
`python benchmarks/mcmc/jobs.py JOB FOLDER` writes a job's tables.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import make as write
from arrays import scaled
from tables import Bar, TableJob, like_sleepstudy, sleepstudy, slopes

if TYPE_CHECKING:
    import numpy as np

CHAINS, TUNE, DRAWS = 4, scaled(1000, 50), scaled(1000, 50)
ROWS, MICE = scaled(10_000, 1000), 50


def gamma(rng: np.random.Generator, rows: int, mice: int) -> dict[str, np.ndarray]:
    """Draw band power: stim 0.3, shape 3, sds of mice 0.4 and 0.15, independent.

    Independent, so that models with and without a correlation are both right.

    Args:
        rng: Source of randomness.
        rows: Number of rows, the same for every mouse.
        mice: Number of mice.

    Returns:
        Columns `power` (> 0), `stim` (0 or 1) and `mouse`.
    """
    import numpy as np

    mouse = np.repeat(np.arange(mice, dtype="int32"), rows // mice)
    stim = np.tile([0.0, 1.0], len(mouse) // 2)
    intercept = np.log(5.0) + 0.4 * rng.standard_normal(mice)
    slope = 0.3 + 0.15 * rng.standard_normal(mice)
    mean = np.exp(intercept[mouse] + slope[mouse] * stim)
    return {"power": rng.gamma(3.0, mean / 3.0), "stim": stim, "mouse": mouse}


def nested(rng: np.random.Generator, mice: int, neurons: int, each: int) -> dict[str, np.ndarray]:
    """Draw `neurons` per mouse and `each` rows per neuron: sds 0.5 (mouse), 0.8 (neuron), noise 1."""
    import numpy as np

    mouse = np.repeat(np.arange(mice, dtype="int32"), neurons * each)
    neuron = np.tile(np.repeat(np.arange(neurons, dtype="int32"), each), mice)
    x, noise = rng.standard_normal((2, len(mouse)))
    effects = 0.5 * rng.standard_normal((mice, 1)) + 0.8 * rng.standard_normal((mice, neurons))
    return {"y": 1 + 0.3 * x + effects[mouse, neuron] + noise, "x": x, "mouse": mouse} | {
        "neuron": neuron
    }


def crossed(rng: np.random.Generator, subjects: int, items: int) -> dict[str, np.ndarray]:
    """Draw every subject on every item once: sds 0.5 (subject), 0.8 (item), noise 1."""
    import numpy as np

    subject = np.repeat(np.arange(subjects, dtype="int32"), items)
    item = np.tile(np.arange(items, dtype="int32"), subjects)
    x, noise = rng.standard_normal((2, len(item)))
    eta = 1 + 0.3 * x + 0.5 * rng.standard_normal(subjects)[subject]
    eta += 0.8 * rng.standard_normal(items)[item]
    return {"y": eta + noise, "x": x, "subject": subject, "item": item}


def with_slopes(name: str, rows: int, groups: int, family: str, link: str) -> TableJob:
    """A job `y ~ x + z + (1 + x | g)`."""
    return TableJob(
        name=name,
        formula="y ~ x + z + (1 + x | g)",
        size=f"{rows:,} rows, {groups} groups, true correlation 0.5",
        make=partial(slopes, rows=rows, groups=groups, family=family),
        common=("x", "z"),
        bars=(Bar(("g",), "x"),),
        family=family,
        link=link,
    )


JOBS = {
    job.name: job
    for job in (
        TableJob(
            name="sleepstudy",
            formula="Reaction ~ Days + (Days | Subject)",
            size="180 rows, 18 subjects",
            make=like_sleepstudy,
            first=sleepstudy,
            response="Reaction",
            common=("Days",),
            bars=(Bar(("Subject",), "Days"),),
        ),
        TableJob(
            name="gamma",
            formula="power ~ stim + (1 + stim | mouse)",
            size=f"{ROWS:,} rows, {MICE} mice",
            make=partial(gamma, rows=ROWS, mice=MICE),
            response="power",
            common=("stim",),
            bars=(Bar(("mouse",), "stim"),),
            family="gamma",
            link="log",
        ),
        with_slopes("poisson", ROWS, MICE, "poisson", "log"),
        TableJob(
            name="nested",
            formula="y ~ x + (1 | mouse/neuron)",
            size=f"{100 * scaled(50, 5):,} rows, 10 mice, 10 neurons each",
            make=partial(nested, mice=10, neurons=10, each=scaled(50, 5)),
            bars=(Bar(("mouse",)), Bar(("mouse", "neuron"))),
        ),
        TableJob(
            name="crossed",
            formula="y ~ x + (1 | subject) + (1 | item)",
            size=f"{40 * scaled(100, 20):,} rows, {scaled(100, 20)} subjects, 40 items",
            make=partial(crossed, subjects=scaled(100, 20), items=40),
            bars=(Bar(("subject",)), Bar(("item",))),
        ),
        with_slopes("normal_100k", scaled(100_000, 2000), 200, "normal", "identity"),
        with_slopes("normal_1m", scaled(1_000_000, 2000), 200, "normal", "identity"),
    )
}

if __name__ == "__main__":
    write(JOBS)
