"""Sampling again in one process: other data of another length, then other priors.

`python benchmarks/refit/jobs.py JOB FOLDER` writes a job's tables. The first fit takes all rows of
one table, the second and the third take `SHORT` of the other's.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import make as write
from arrays import scaled
from tables import Bar, TableJob, slopes

ROWS, GROUPS = scaled(2000, 500), 20
SHORT = 0.8


def with_slopes(family: str, link: str) -> TableJob:
    """A job `y ~ x + z + (1 + x | g)`."""
    return TableJob(
        name=f"refit_{family}",
        formula="y ~ x + z + (1 + x | g)",
        size=f"{family}, {ROWS:,} rows, then {round(SHORT * ROWS):,} others, {GROUPS} groups",
        make=partial(slopes, rows=ROWS, groups=GROUPS, family=family),
        common=("x", "z"),
        bars=(Bar(("g",), "x"),),
        family=family,
        link=link,
    )


JOBS = {job.name: job for job in (with_slopes("normal", "identity"), with_slopes("gamma", "log"))}

if __name__ == "__main__":
    write(JOBS)
