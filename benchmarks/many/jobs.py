"""A study of many small data sets: how often does each analysis find an effect of stimulation?

`python benchmarks/many/jobs.py JOB FOLDER` writes the job's tables, one below the other; `study` is
the number of the data set. Every data set is fitted by four analyses: a gamma mixed model by its
mode (`map`) and by Laplace's method (`laplace`), a linear mixed model of the logarithm (`lme`) and
least squares of the logarithm without mice (`ols`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import make as write
from arrays import scaled
from tables import Bar, TableJob

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

STUDIES, ROWS = scaled(450, 6), 300
MICE = (3, 10)
ANALYSES = ("map", "laplace", "lme", "ols")
LOGARITHM = {"lme": "log_power ~ stim + (1 | mouse)", "ols": "log_power ~ stim"}


def studies(rng: np.random.Generator, count: int, rows: int) -> dict[str, np.ndarray]:
    """Draw band power of 3 and of 10 mice in turn; every other pair of studies has an effect of 0.3.

    log mean = log 10 + 0.5 a[mouse] + effect * stim, gamma noise of shape 5

    Args:
        rng: Source of randomness.
        count: How many data sets.
        rows: Rows of each.

    Returns:
        Columns `power`, `log_power`, `stim`, `mouse` and `study`, all data sets one below the other.
    """
    import numpy as np

    study = np.repeat(np.arange(count, dtype="int32"), rows)
    row = np.tile(np.arange(rows), count)
    mouse = (row % np.array(MICE)[study % 2]).astype("int32")
    stim = (row >= rows // 2).astype(float)
    effect = 0.3 * (study // 2 % 2)
    eta = np.log(10) + 0.5 * rng.standard_normal((count, max(MICE)))[study, mouse] + effect * stim
    power = rng.gamma(5.0, np.exp(eta) / 5.0)
    return {"power": power, "log_power": np.log(power), "stim": stim, "mouse": mouse} | {
        "study": study
    }


@dataclass(frozen=True)
class StudyJob(TableJob):
    """Many tables that are fitted one by one."""

    @property
    def columns(self) -> list[str]:
        """Names of all columns."""
        return [*super().columns, "log_power", "study"]

    def about(self) -> Mapping[str, str]:
        """Formula and columns, and the formulas of the logarithm."""
        return {**super().about(), **LOGARITHM}


def split(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Cut the table into its data sets; mice that a data set does not have are dropped."""
    parts = [part.drop(columns="study") for _, part in table.groupby("study")]
    return [
        part.assign(mouse=part["mouse"].cat.remove_unused_categories()).reset_index(drop=True)
        for part in parts
    ]


JOBS = {
    job.name: job
    for job in (
        StudyJob(
            name="roc",
            formula="power ~ stim + (1 | mouse)",
            size=f"{STUDIES} data sets of {ROWS} rows, 3 or 10 mice, four analyses each",
            make=partial(studies, count=STUDIES, rows=ROWS),
            response="power",
            common=("stim",),
            bars=(Bar(("mouse",)),),
            family="gamma",
            link="log",
            limit=1800.0,
        ),
    )
}

if __name__ == "__main__":
    write(JOBS)
