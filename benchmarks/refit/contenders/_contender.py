"""Three fits in one process, with a clock around each.

A contender imports this module first. Files that start with `_` are no contenders.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

from arrays import keep, order
from process import START, peak_mib, probe, tell, versions
from refit.jobs import JOBS, SHORT
from tables import TableJob

if TYPE_CHECKING:
    import numpy as np

PRIOR_SD = 1.5
"""Of the normal prior of the slope in the third fit."""


class Fit(NamedTuple):
    """Draws of the slope, (chain, draw), and the seconds that sampling alone took, if known."""

    slope: np.ndarray
    sampling: float | None


def main(prepare: Callable[[TableJob], Callable], packages: tuple[str, ...]) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    Args:
        prepare: Imports the library and returns the fit: from a data frame, a seed and whether the
            slope has a prior of its own, to the `Fit`, its summary table made.
        packages: The contender's distributions, also their import names.
    """
    if sys.argv[1:] == ["--probe"]:
        tell(probe(packages))
        return
    job, seed = JOBS[sys.argv[1]], int(sys.argv[2])
    work = prepare(job)
    record: dict = {"job": job.name, "seed": seed, "versions": versions(packages)}
    names = order(seed)
    plan = (("first", names[0], 1.0, False), ("second", names[1], SHORT, False))
    for field, name, part, other in (*plan, ("third", names[1], SHORT, True)):
        table = job.frame(name)
        table = table.iloc[: round(part * len(table))]
        start = time.perf_counter()
        fit = work(table, seed, other)
        record[field] = time.perf_counter() - start
        if fit.sampling is not None:
            record |= {f"{field}_rest": record[field] - fit.sampling}
        if field == "first":
            record |= {"wall_in_process": time.perf_counter() - START, "peak_mib": peak_mib()}
            record["clock_stop"] = time.monotonic()
        keep({field: fit.slope})
        if field == "third":  # a process that is stopped before has no result
            tell(record)
