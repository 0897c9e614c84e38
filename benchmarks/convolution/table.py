"""Columns of the convolution jobs."""

from __future__ import annotations

from comparison import Column, comparison, number, share
from summary import AGAIN, END_COLD, END_WARM, MEMORY

BASELINE = "bayeszoo_convolve"
MEASURES = (END_COLD, END_WARM, AGAIN, MEMORY)
COLUMNS: dict[str, Column] = {
    "end to end s": number("wall", ".2f"),
    "/ bayeszoo": share("wall"),
    "first call s": number("first", ".2f"),
    "second call s": number("second", ".2f"),
    "second / bayeszoo": share("second"),
    "largest error": number("largest_error", ".0e"),
    "peak MiB": number("peak_mib", ".0f"),
    "peak / bayeszoo": share("peak_mib"),
}


def section(job: str, results: dict) -> list[str]:
    """Table and notes of one job."""
    runs = [run for run in results["runs"] if run["job"] == job]
    return comparison(runs, results["contenders"], BASELINE, COLUMNS)
