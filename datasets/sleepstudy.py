"""Reaction times during sleep restriction (Belenky et al. 2003)."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd


def sleepstudy() -> pd.DataFrame:
    """Reads the average reaction times of 18 people on 10 days of sleep restriction.

    Returns:
        A table of 180 rows with columns `Reaction` (ms), `Days` (0 to 9) and `Subject` (a label,
        as text).

    Example:
        >>> import bayeszoo as bz
        >>> bz.datasets.sleepstudy().shape
        (180, 3)

    Source: `datasets/tables/README.md` names the study and the licence of the table.
    """
    table = files("bayeszoo.datasets") / "tables" / "sleepstudy.csv"
    with table.open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype={"Subject": str})
