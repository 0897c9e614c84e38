"""Linear mixed models: `python benchmarks/mixed/jobs.py JOB FOLDER` writes a job's tables."""

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


def crossed(
    rng: np.random.Generator, rows: int, students: int, lecturers: int, departments: int
) -> dict[str, np.ndarray]:
    """Draw ratings of lecturers by students, of the shape of a large evaluation of teaching.

    Every student rates about 25 of 1,128 lecturers, so the crossing is sparse; every lecturer
    teaches in two or three departments. True sds 0.33, 0.52, 0.08, noise 1.2.

    Args:
        rng: Source of randomness.
        rows: Number of ratings.
        students: Levels of `s`.
        lecturers: Levels of `d`.
        departments: Levels of `dept`.

    Returns:
        Columns `y`, `x` (0 or 1), `s`, `d` and `dept`.
    """
    import numpy as np

    s = rng.permutation(np.arange(rows, dtype="int32") % students)
    popular = rng.gamma(2.0, size=lecturers)
    d = rng.choice(lecturers, rows, p=popular / popular.sum()).astype("int32")
    d[:lecturers] = np.arange(lecturers)
    home = rng.integers(0, departments, (lecturers, 3))
    home[:departments, 0] = np.arange(departments)
    dept = home[d, rng.choice(3, rows, p=[0.7, 0.2, 0.1])].astype("int32")
    dept[:departments] = np.arange(departments)
    x = rng.integers(0, 2, rows).astype(float)
    eta = 3.2 - 0.08 * x + 0.33 * rng.standard_normal(students)[s]
    eta += 0.52 * rng.standard_normal(lecturers)[d] + 0.08 * rng.standard_normal(departments)[dept]
    y = eta + 1.2 * rng.standard_normal(rows)
    return {"y": y, "x": x, "s": s, "d": d, "dept": dept}


SHAPE = {
    "rows": scaled(73_000, 4000),
    "students": scaled(2972, 160),
    "lecturers": scaled(1128, 60),
    "departments": 14,
}
MANY = scaled(1_000_000, 2000)
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
            name="crossed_73k",
            formula="y ~ x + (1 | s) + (1 | d) + (1 | dept)",
            size="{rows:,} rows, {students:,} + {lecturers:,} + {departments} levels, "
            "sparsely crossed".format(**SHAPE),
            make=partial(crossed, **SHAPE),
            bars=(Bar(("s",)), Bar(("d",)), Bar(("dept",))),
        ),
        TableJob(
            name="normal_1m",
            formula="y ~ x + z + (1 + x | g)",
            size=f"{MANY:,} rows, 200 groups",
            make=partial(slopes, rows=MANY, groups=200, family="normal"),
            common=("x", "z"),
            bars=(Bar(("g",), "x"),),
        ),
    )
}

if __name__ == "__main__":
    write(JOBS)
