"""Poisson and gamma mixed models: `python benchmarks/glmm/jobs.py JOB FOLDER` writes the tables."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import make as write
from arrays import scaled
from tables import Bar, TableJob, slopes

if TYPE_CHECKING:
    import numpy as np


def crossed(rng: np.random.Generator, subjects: int, items: int) -> dict[str, np.ndarray]:
    """Draw counts of every subject on every item: sds 0.5 (subject) and 0.4 (item)."""
    import numpy as np

    subject = np.repeat(np.arange(subjects, dtype="int32"), items)
    item = np.tile(np.arange(items, dtype="int32"), subjects)
    x = rng.standard_normal(len(item))
    eta = 0.5 + 0.3 * x + 0.5 * rng.standard_normal(subjects)[subject]
    eta += 0.4 * rng.standard_normal(items)[item]
    y = rng.poisson(np.exp(eta)).astype(float)
    return {"y": y, "x": x, "subject": subject, "item": item}


def with_slopes(name: str, rows: int, groups: int, family: str) -> TableJob:
    """A job `y ~ x + z + (1 + x | g)` with log link."""
    return TableJob(
        name=name,
        formula="y ~ x + z + (1 + x | g)",
        size=f"{family}, {rows:,} rows, {groups} groups",
        make=partial(slopes, rows=rows, groups=groups, family=family),
        common=("x", "z"),
        bars=(Bar(("g",), "x"),),
        family=family,
        link="log",
    )


JOBS = {
    job.name: job
    for job in (
        with_slopes("poisson", scaled(10_000, 1000), 50, "poisson"),
        with_slopes("gamma", scaled(10_000, 1000), 50, "gamma"),
        TableJob(
            name="poisson_crossed",
            formula="y ~ x + (1 | subject) + (1 | item)",
            size=f"poisson, {100 * scaled(200, 10):,} rows, {scaled(200, 10)} subjects, 100 items",
            make=partial(crossed, subjects=scaled(200, 10), items=100),
            bars=(Bar(("subject",)), Bar(("item",))),
            family="poisson",
            link="log",
        ),
        with_slopes("poisson_100k", scaled(100_000, 2000), 200, "poisson"),
    )
}

if __name__ == "__main__":
    write(JOBS)
