"""What every contender in Python does around its fits; the clock is in `twice.py`.

A contender imports this module first. Files that start with `_` are no contenders.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import twice
from glmm.jobs import JOBS
from tables import TableJob


class Fit(NamedTuple):
    """Estimates by name, as `effects.py` wants them, and a note on how the fit ended."""

    estimates: Mapping[str, float]
    note: str = ""


def main(prepare: Callable[[TableJob], Callable], packages: tuple[str, ...], **options) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    Args:
        prepare: Of the job, imports the library and returns the fit: from a data frame to a `Fit`.
        packages: The contender's distributions.
        options: Of `twice.main`.
    """
    job = JOBS.get(sys.argv[1])
    twice.main(
        lambda: prepare(job),
        packages,
        tell_of=lambda fit, _: twice.Told({}, fit.note, estimates=fit.estimates),
        read=lambda name, part: [JOBS[name].frame(part)],
        **options,
    )
