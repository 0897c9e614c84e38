"""The sampling jobs: a formula, a family and a table, the same for every contender.

`sleepstudy` is the classic small mixed model (180 rows, 18 subjects). `gamma` is a simulated
power table of 10,000 rows from 50 mice: `log mean = a + a[mouse] + (b + b[mouse]) * stim`,
with independent group effects, so that models with and without a correlation are both right.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CHAINS, TUNE, DRAWS = 4, 1000, 1000
ROOT = Path(__file__).resolve().parents[2]
SLEEPSTUDY = ROOT / "datasets" / "tables" / "sleepstudy.csv"
GAMMA_SEED = 20240229


@dataclass(frozen=True)
class Job:
    """One model on one table.

    Args:
        name: Name on the command line.
        formula: Wilkinson formula, in bayeszoo's reading of it.
        size: How large the table is.
        family: Response family.
        link: Link of the mean.
        slope: The coefficient whose posterior is reported.
        group: Name of the grouping column.
        table: Makes the table; group labels are strings.
    """

    name: str
    formula: str
    size: str
    family: str
    link: str
    slope: str
    group: str
    table: Callable[[], pd.DataFrame]

    @property
    def response(self) -> str:
        """Name of the response column."""
        return self.formula.split("~")[0].strip()


def sleepstudy_table() -> pd.DataFrame:
    """Read `Reaction` (ms), `Days` and `Subject`.

    Returns:
        180 rows. The variable `BENCH_SLEEPSTUDY` may name another CSV with the same columns.
    """
    import pandas as pd

    path = Path(os.environ.get("BENCH_SLEEPSTUDY", SLEEPSTUDY))
    return pd.read_csv(path, dtype={"Reaction": float, "Days": float, "Subject": str})


def gamma_table(rows: int = 10_000, mice: int = 50) -> pd.DataFrame:
    """Simulate gamma-distributed power; the truth is stim 0.3, alpha 3, group sds 0.4 and 0.15.

    Args:
        rows: Number of rows, the same for every mouse.
        mice: Number of mice.

    Returns:
        Columns `power` (> 0), `stim` (0 or 1) and `mouse`.
    """
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(GAMMA_SEED)
    mouse = np.repeat(np.arange(mice), rows // mice)
    stim = np.tile([0.0, 1.0], rows // 2)
    intercept = np.log(5.0) + 0.4 * rng.standard_normal(mice)
    slope = 0.3 + 0.15 * rng.standard_normal(mice)
    mean, alpha = np.exp(intercept[mouse] + slope[mouse] * stim), 3.0
    labels = [f"m{number:02d}" for number in mouse]
    return pd.DataFrame({"power": rng.gamma(alpha, mean / alpha), "stim": stim, "mouse": labels})


JOBS = {
    job.name: job
    for job in (
        Job(
            name="sleepstudy",
            formula="Reaction ~ Days + (Days | Subject)",
            size="180 rows, 18 subjects",
            family="normal",
            link="identity",
            slope="Days",
            group="Subject",
            table=sleepstudy_table,
        ),
        Job(
            name="gamma",
            formula="power ~ stim + (1 + stim | mouse)",
            size="10,000 rows, 50 mice",
            family="gamma",
            link="log",
            slope="stim",
            group="mouse",
            table=gamma_table,
        ),
    )
}
