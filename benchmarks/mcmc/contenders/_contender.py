"""What every sampler does around its fit: clock, memory, one JSON line.

A contender imports this module first. Files that start with `_` are no contenders.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

from arrays import keep
from mcmc.jobs import JOBS
from process import START, peak_mib, probe, tell, versions
from tables import TableJob

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Outcome:
    """What a contender hands back once its summary table stands.

    Args:
        ess_min: Smallest bulk effective sample size in the contender's own summary table.
        draws: Gives the main parameters, name to array `(chain, draw)`; called after the clock
            has stopped.
        sampling: Seconds of sampling alone, where the contender tells.
        note: What differs from the model as asked for.
    """

    ess_min: float
    draws: Callable[[], Mapping[str, np.ndarray]]
    sampling: float | None = None
    note: str = ""


def main(run: Callable[[TableJob, int], Outcome], packages: tuple[str, ...]) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    The draws of the main parameters are saved after the clock has stopped, so that one and the
    same function computes everybody's effective sample size.

    Args:
        run: Fits the job with the seed and makes the summary table.
        packages: The contender's distributions, also their import names.
    """
    if sys.argv[1:] == ["--probe"]:
        tell(probe(packages))
        return
    job, seed = JOBS[sys.argv[1]], int(sys.argv[2])
    outcome = run(job, seed)
    wall = time.perf_counter() - START
    record = {
        "job": job.name,
        "seed": seed,
        "wall_in_process": wall,
        "sampling": outcome.sampling,
        "ess_min_reported": float(outcome.ess_min),
        "ess_per_second_reported": float(outcome.ess_min) / wall,
        "peak_mib": peak_mib(),
        "note": outcome.note,
    }
    record["clock_stop"] = time.monotonic()  # one clock for all processes on Linux
    keep(outcome.draws())
    tell(record | {"versions": versions(packages)})
