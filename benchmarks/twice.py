"""A process that works on a job's two data sets, one after the other, with a clock around each.

Kinds of jobs whose data are arrays share this; what they compute is in their contenders.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from arrays import keep, load, order
from process import START, peak_mib, probe, tell, versions

if TYPE_CHECKING:
    import numpy as np


class Told(NamedTuple):
    """What is kept of a result, for the kind's `score.py` to judge.

    Args:
        arrays: Saved as files, prefixed by the name of the data set.
        note: Stands below the table.
        record: Numbers of the record, prefixed by `first_` or `second_`.
        estimates: Few named numbers; `estimates` of the record has them by data set.
        partial: True where the job is not done whole, so that it does not count in the summary.
    """

    arrays: Mapping[str, np.ndarray]
    note: str = ""
    record: Mapping[str, float] = {}
    estimates: Mapping[str, float] = {}
    partial: bool = False


def main(
    prepare: Callable[[], Callable],
    packages: tuple[str, ...],
    tell_of: Callable[..., Told],
    keys: tuple[str, ...] = (),
    modules: tuple[str, ...] | None = None,
    caches: bool = True,
    read: Callable[[str, str], list] | None = None,
    jobs: tuple[str, ...] | None = None,
) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    It prints a line after each data set, so that a driver that stops a slow process still has the
    first. Clock and peak memory of the process are read when the first result is there. With
    `BENCH_SAVE` set, results are saved there (npz), for one and the same function to judge.

    Args:
        prepare: Imports the library and returns the function to be timed, of the job's arrays.
        packages: The contender's distributions.
        tell_of: Takes the result and the arrays, and says what to keep.
        keys: Names of the job's arrays, in the order of the function's arguments.
        modules: What to import for the probe, where it is not the packages' names.
        caches: False where nothing is compiled, so that a second process is no faster.
        read: Reads the function's arguments, from job and data set, where it is not arrays by name.
        jobs: What the contender can do, where it is not every job of the kind.
    """
    if sys.argv[1:] == ["--probe"]:
        tell(probe(packages, modules, jobs) | {"caches": caches})
        return
    job, seed = sys.argv[1], int(sys.argv[2])
    work = prepare()
    imported = time.perf_counter() - START
    record: dict = {"job": job, "seed": seed, "import": imported, "versions": versions(packages)}
    for name, field in zip(order(seed), ("first", "second"), strict=True):
        arrays = read(job, name) if read else load(job, name, *keys)
        start, cpu = time.perf_counter(), time.process_time()
        result = work(*arrays)
        record |= {field: time.perf_counter() - start, f"{field}_cpu": time.process_time() - cpu}
        if field == "first":
            ends = {"wall_in_process": time.perf_counter() - START, "peak_mib": peak_mib()}
            record |= ends | {"clock_stop": time.monotonic()}
        told = tell_of(result, *arrays)
        notes = dict.fromkeys(filter(None, [record.get("note", ""), told.note]))
        record["note"] = "; then: ".join(notes)
        record |= {f"{field}_{key}": value for key, value in told.record.items()}
        if told.partial:
            record["partial"] = True
        if told.estimates:
            record.setdefault("estimates", {})[name] = dict(told.estimates)
        keep({f"{name}-{key}": array for key, array in told.arrays.items()})
        tell(record)
        del arrays, result, told
