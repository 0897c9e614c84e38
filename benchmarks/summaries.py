"""Estimates by plain names from a summary of bayeszoo."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def named(table: pd.DataFrame) -> dict[str, float]:
    """Take the means of a summary; `corr(g)[Intercept,x]` becomes `corr(g)`."""
    return {name.split("[")[0]: float(value) for name, value in table["mean"].items()}
