"""Jobs whose data are arrays: made from a seed before the clock starts, loaded while it runs.

Every job has two data sets of one shape, so that a second fit in a process sees other numbers.
They lie as `.npy` files under the folder that `BENCH_DATA` names. `BENCH_SCALE=0.01` shrinks all
jobs, to see quickly whether everything runs.
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
SCALE = float(os.environ.get("BENCH_SCALE", "1"))


def scaled(count: int, least: int) -> int:
    """A size of a job, shrunk where `BENCH_SCALE` says so, but to no fewer than `least`."""
    return count if SCALE == 1 else min(count, max(least, round(count * SCALE)))


@dataclass(frozen=True)
class ArrayJob:
    """One model, or one transformation, of named arrays.

    Args:
        name: Name on the command line.
        formula: What is computed, for the heading.
        size: How large it is, for the heading.
        make: Draws one data set.
        seed: Seed of the data.
        first: Gives the first data set, where it is real; the second is then drawn like it.
        limit: Seconds after which a process is stopped.
    """

    name: str
    formula: str
    size: str
    make: Callable[[np.random.Generator], Mapping[str, np.ndarray]]
    seed: int = 20240229
    first: Callable[[], Mapping[str, np.ndarray]] | None = None
    limit: float = 900.0

    def about(self) -> Mapping[str, str]:
        """What contenders in other languages must know; they find it in `about.dcf`."""
        return {"formula": self.formula}


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
        real = job.first if number == 0 else None
        made = real() if real else job.make(np.random.default_rng([job.seed, number]))
        for key, array in made.items():
            np.save(part / f"{name}-{key}.npy", array)
    lines = [f"{field}: {text}" for field, text in job.about().items()]
    (part / "about.dcf").write_text("\n".join(lines) + "\n")
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


def keep(results: Mapping[str, np.ndarray]) -> None:
    """Save results for judging, as `.npy` files in the folder that `BENCH_SAVE` names, if any."""
    if "BENCH_SAVE" in os.environ:
        import numpy as np

        folder = Path(os.environ["BENCH_SAVE"])
        folder.mkdir(exist_ok=True)
        for name, array in results.items():
            np.save(folder / f"{name.replace('/', ':')}.npy", array)


def kept(folder: str) -> dict[str, np.ndarray]:
    """Read the results that a contender has saved, by name."""
    import numpy as np

    return {path.stem: np.load(path) for path in sorted(Path(folder).glob("*.npy"))}
