"""Jobs whose data are arrays: made from a seed before the clock starts, loaded while it runs.

Every job has two data sets of one shape, so that a second fit in a process sees other numbers.
They lie as `.npy` files under the folder that `BENCH_DATA` names.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SETS = ("a", "b")


@dataclass(frozen=True)
class ArrayJob:
    """One model, or one transformation, of named arrays.

    Args:
        name: Name on the command line.
        formula: What is computed, for the heading.
        size: How large it is, for the heading.
        make: Draws one data set.
        seed: Seed of the data.
    """

    name: str
    formula: str
    size: str
    make: Callable[[np.random.Generator], Mapping[str, np.ndarray]]
    seed: int = 20240229


def order(seed: int) -> tuple[str, str]:
    """Which data set comes first in a process; the driver gives warm processes an even seed."""
    return SETS if seed % 2 else SETS[::-1]


def save(job: ArrayJob, folder: Path) -> None:
    """Draw and write both data sets, unless they are there.

    Args:
        job: The job.
        folder: The files go to `folder/job/`, which appears only when it is complete.
    """
    import numpy as np

    if (folder / job.name).exists():
        return
    part = folder / f"{job.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for number, name in enumerate(SETS):
        for key, array in job.make(np.random.default_rng([job.seed, number])).items():
            np.save(part / f"{name}-{key}.npy", array)
    part.rename(folder / job.name)


def load(job: str, name: str, *keys: str) -> list[np.ndarray]:
    """Read arrays of one data set.

    Args:
        job: Name of the job.
        name: `a` or `b`.
        keys: Names of the arrays.

    Returns:
        The arrays, in memory.
    """
    import numpy as np

    folder = Path(os.environ["BENCH_DATA"]) / job
    return [np.load(folder / f"{name}-{key}.npy") for key in keys]


def make(jobs: Mapping[str, ArrayJob]) -> None:
    """Write one job's data from the command line: `FILE JOB FOLDER`."""
    save(jobs[sys.argv[1]], Path(sys.argv[2]))
