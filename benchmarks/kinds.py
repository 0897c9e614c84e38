"""The kinds of jobs: a folder each, with `jobs.py`, `score.py`, `table.py` and `contenders/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import convolution.jobs
import convolution.table
import glm.jobs
import glm.table
import mcmc.jobs
import mcmc.table

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Kind:
    """What the driver must know of a kind of jobs.

    Args:
        name: Its folder.
        title: Heading in `RESULTS.md`.
        jobs: Jobs by name; each has a `formula` and a `size`.
        section: Renders the results of one job.
        arrays: True where `jobs.py` writes arrays before the runs.
        settings: What else to record with the results.
    """

    name: str
    title: str
    jobs: Mapping[str, Any]
    section: Callable[[str, dict], list[str]]
    arrays: bool = True
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its contenders are."""
        return HERE / self.name / "contenders"

    @property
    def contenders(self) -> list[str]:
        """Names of its contenders: the files that do not start with `_`."""
        return sorted(path.stem for path in self.folder.glob("[!_]*.py"))


KINDS = (
    Kind(
        name="mcmc",
        title="Mixed models by MCMC",
        jobs=mcmc.jobs.JOBS,
        section=mcmc.table.section,
        arrays=False,
        settings={
            "chains": mcmc.jobs.CHAINS,
            "tune": mcmc.jobs.TUNE,
            "draws": mcmc.jobs.DRAWS,
        },
    ),
    Kind("glm", "Poisson GLMs of spike counts", glm.jobs.JOBS, glm.table.section),
    Kind("convolution", "Temporal features", convolution.jobs.JOBS, convolution.table.section),
)
