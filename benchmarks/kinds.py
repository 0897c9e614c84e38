"""The kinds of jobs: a folder each, with `jobs.py`, `score.py`, `table.py` and `contenders/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import convolution.jobs
import convolution.table
import glm.jobs
import glm.table
import glmm.jobs
import glmm.table
import many.jobs
import many.table
import mcmc.jobs
import mcmc.table
import mixed.jobs
import mixed.table
import refit.jobs
import refit.table
from arrays import ArrayJob
from summary import Measure

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Kind:
    """What the driver must know of a kind of jobs.

    Args:
        name: Its folder.
        title: Heading in `RESULTS.md`.
        jobs: Jobs by name.
        section: Renders the results of one job.
        baseline: bayeszoo's contender, which the others are compared with.
        measures: What the summary compares.
        settings: What else to record with the results.
    """

    name: str
    title: str
    jobs: Mapping[str, ArrayJob]
    section: Callable[[str, dict], list[str]]
    baseline: str
    measures: tuple[Measure, ...]
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its contenders are."""
        return HERE / self.name / "contenders"

    @property
    def files(self) -> dict[str, Path]:
        """Its contenders by name: the files, Python or R, that do not start with `_`."""
        found = [path for end in ("py", "R") for path in self.folder.glob(f"[!_]*.{end}")]
        return {path.stem: path for path in sorted(found)}

    @property
    def contenders(self) -> list[str]:
        """Names of its contenders."""
        return list(self.files)

    def file(self, contender: str) -> Path:
        """The file of a contender."""
        return self.files[contender]


CHAINS = {"chains": mcmc.jobs.CHAINS, "tune": mcmc.jobs.TUNE, "draws": mcmc.jobs.DRAWS}
KINDS = tuple(
    Kind(folder.__name__, title, jobs.JOBS, table.section, table.BASELINE, table.MEASURES, told)
    for title, folder, jobs, table, told in (
        ("Mixed models by MCMC", mcmc, mcmc.jobs, mcmc.table, CHAINS),
        ("MCMC again in one process", refit, refit.jobs, refit.table, CHAINS),
        ("Linear mixed models by REML", mixed, mixed.jobs, mixed.table, {}),
        ("Generalized linear mixed models", glmm, glmm.jobs, glmm.table, {}),
        ("A study of many small data sets", many, many.jobs, many.table, {}),
        ("Poisson GLMs of spike counts", glm, glm.jobs, glm.table, {}),
        ("Temporal features", convolution, convolution.jobs, convolution.table, {}),
    )
)
