"""What a contender in Python does around fits that tell estimates; the clock is in `twice.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

import twice
from tables import TableJob


class Fit(NamedTuple):
    """Estimates by name, as `effects.py` wants them, and a note on how the fit ended."""

    estimates: Mapping[str, float]
    note: str = ""


def main(
    jobs: Mapping[str, TableJob],
    prepare: Callable[[TableJob], Callable],
    packages: tuple[str, ...],
    **options,
) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    Args:
        jobs: Of the kind, by name.
        prepare: Of the job, imports the library and returns the fit: from a data frame to a `Fit`.
        packages: The contender's distributions.
        options: Of `twice.main`.
    """
    job = jobs.get(sys.argv[1])
    twice.main(
        lambda: prepare(job),
        packages,
        tell_of=lambda fit, _: twice.Told({}, fit.note, estimates=fit.estimates),
        read=lambda name, part: [jobs[name].frame(part)],
        **options,
    )
