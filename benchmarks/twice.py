"""A process that works on a job's two data sets, one after the other, with a clock around each.

Kinds of jobs whose data are arrays share this; what they compute is in their contenders.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from arrays import load, order
from process import START, peak_mib, probe, tell, versions

if TYPE_CHECKING:
    import numpy as np


class Told(NamedTuple):
    """What is kept of a result: arrays to be judged by the kind's `score.py`, and a note."""

    arrays: dict[str, np.ndarray]
    note: str


def main(
    prepare: Callable[[], Callable],
    packages: tuple[str, ...],
    keys: tuple[str, ...],
    tell_of: Callable[..., Told],
    modules: tuple[str, ...] | None = None,
    caches: bool = True,
) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    It prints a line after each data set, so that a driver that stops a slow process still has the
    first. Clock and peak memory of the process are read when the first result is there. With
    `BENCH_SAVE` set, results are saved there (npz), for one and the same function to judge.

    Args:
        prepare: Imports the library and returns the function to be timed, of the job's arrays.
        packages: The contender's distributions.
        keys: Names of the job's arrays, in the order of the function's arguments.
        tell_of: Takes the result and the arrays, and says what to keep.
        modules: What to import for the probe, where it is not the packages' names.
        caches: False where nothing is compiled, so that a second process is no faster.
    """
    if sys.argv[1:] == ["--probe"]:
        tell(probe(packages, modules) | {"caches": caches})
        return
    job, seed = sys.argv[1], int(sys.argv[2])
    work = prepare()
    imported = time.perf_counter() - START
    record: dict = {"job": job, "seed": seed, "import": imported, "versions": versions(packages)}
    saved: dict = {}
    for name, field in zip(order(seed), ("first", "second"), strict=True):
        arrays = load(job, name, *keys)
        start, cpu = time.perf_counter(), time.process_time()
        result = work(*arrays)
        record |= {field: time.perf_counter() - start, f"{field}_cpu": time.process_time() - cpu}
        if field == "first":
            ends = {"wall_in_process": time.perf_counter() - START, "peak_mib": peak_mib()}
            record |= ends | {"clock_stop": time.monotonic()}
        told = tell_of(result, *arrays)
        record.setdefault("note", told.note)
        saved |= {f"{name}-{key}": array for key, array in told.arrays.items()}
        keep(saved)
        tell(record)
        del arrays, result, told


def keep(saved: dict[str, np.ndarray]) -> None:
    """Save the results so far where `BENCH_SAVE` says."""
    if "BENCH_SAVE" in os.environ:
        import numpy as np

        np.savez(os.environ["BENCH_SAVE"], **saved)
