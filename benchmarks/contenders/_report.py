"""What every contender does around its fit: clock, memory, one JSON line.

A contender imports this module first; it imports nothing heavy, so the clock that starts here
includes the import of the contender's own libraries. Files that start with `_` are no contenders.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from jobs import JOBS, Job

if TYPE_CHECKING:
    import numpy as np

START = time.perf_counter()


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


def peak_mib() -> float:
    """Peak resident memory of the largest process, this one or a child, in MiB (Linux)."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(item).ru_maxrss for item in who) / 1024


def probe(packages: tuple[str, ...]) -> dict:
    """Import the packages, as a test of presence and to warm the disk.

    Args:
        packages: Names to import.

    Returns:
        `versions`, or `missing` with the reason.
    """
    try:
        for name in packages:
            importlib.import_module(name)
    except ImportError as error:
        return {"missing": str(error)}
    return {"versions": {name: version(name) for name in packages}}


def main(run: Callable[[Job, int], Outcome], packages: tuple[str, ...]) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    With `BENCH_DRAWS` set, the draws of the main parameters are saved there (npz) after the line
    is out, so that one and the same function computes everybody's effective sample size.

    Args:
        run: Fits the job with the seed and makes the summary table.
        packages: The contender's distributions, also their import names.
    """
    if sys.argv[1:] == ["--probe"]:
        print(json.dumps(probe(packages)), flush=True)
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
    draws = outcome.draws()
    slope = draws[job.slope]
    record |= {
        "slope_mean": float(slope.mean()),
        "slope_sd": float(slope.std(ddof=1)),
        "versions": {name: version(name) for name in packages},
    }
    print(json.dumps(record), flush=True)
    if "BENCH_DRAWS" in os.environ:
        import numpy as np

        np.savez(os.environ["BENCH_DRAWS"], **{name: np.asarray(x) for name, x in draws.items()})
