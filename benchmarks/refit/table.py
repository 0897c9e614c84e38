"""Columns of sampling again in one process."""

from __future__ import annotations

from comparison import Column, comparison, number, share
from summary import AGAIN, END_COLD, END_WARM, MEMORY

BASELINE = "bayeszoo_nuts"
MEASURES = (END_COLD, END_WARM, AGAIN, MEMORY)
COLUMNS: dict[str, Column] = {
    "end to end s": number("wall", ".1f"),
    "first s": number("first", ".1f"),
    "other data s": number("second", ".1f"),
    "/ bayeszoo": share("second"),
    "minus sampling s": number("second_rest", ".2f"),
    "other priors s": number("third", ".1f"),
    "/ bayeszoo ": share("third"),
    "minus sampling s ": number("third_rest", ".2f"),
    "min ESS of slope": number("ess_slope", ".0f"),
    "slopes": lambda own, _: ", ".join(
        f"{own[f'{name}_slope']:.3f}" for name in ("first", "second", "third")
    ),
    "peak MiB": number("peak_mib", ".0f"),
}


def section(job: str, results: dict) -> list[str]:
    """Table and notes of one job."""
    runs = [run for run in results["runs"] if run["job"] == job]
    return comparison(runs, results["contenders"], BASELINE, COLUMNS)
