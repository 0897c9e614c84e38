"""What every contender in Python does around its studies; the clock is in `twice.py`.

A contender imports this module first. Files that start with `_` are no contenders.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import twice
from many.jobs import ANALYSES, JOBS, LOGARITHM, split

if TYPE_CHECKING:
    import numpy as np

FORMULAS = {"map": JOBS["roc"].formula, "laplace": JOBS["roc"].formula, **LOGARITHM}
FAMILIES = {"map": "gamma", "laplace": "gamma", "lme": "normal", "ols": "normal"}


class Study(NamedTuple):
    """Estimates of `stim` by analysis, each (study,), and the seconds that they took."""

    stim: Mapping[str, np.ndarray]
    seconds: Mapping[str, float]


def analysed(analyse: Callable[[str, list], np.ndarray], names: tuple[str, ...]) -> Callable:
    """Turn one analysis of all tables into the study.

    Args:
        analyse: Takes an analysis's name and the tables, and gives the estimates of `stim`.
        names: The analyses that the contender has.

    Returns:
        A function of the table of all data sets.
    """

    def study(table) -> Study:
        tables, stim, seconds = split(table), {}, {}
        for name in names:
            start = time.perf_counter()
            stim[name] = analyse(name, tables)
            seconds[name] = time.perf_counter() - start
        return Study(stim, seconds)

    return study


def main(
    prepare: Callable[[], Callable],
    packages: tuple[str, ...],
    names: tuple[str, ...] = ANALYSES,
    note: str = "",
    **options,
) -> None:
    """Run one contender from the command line: `FILE JOB SEED` or `FILE --probe`.

    Args:
        prepare: Imports the library and returns one analysis, as `analysed` wants it.
        packages: The contender's distributions.
        names: The analyses that it has; with fewer than all it is no peer in the summary.
        note: Stands below the table.
        options: Of `twice.main`.
    """
    part = f"only {', '.join(names)}" if names != ANALYSES else ""
    said = "; ".join(filter(None, (note, part)))
    twice.main(
        lambda: analysed(prepare(), names),
        packages,
        tell_of=lambda study, _: twice.Told(study.stim, said, study.seconds, partial=bool(part)),
        read=lambda job, name: [JOBS[job].frame(name)],
        **options,
    )
