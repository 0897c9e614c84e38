"""Columns of the study of many data sets."""

from __future__ import annotations

from comparison import Column, comparison, fine, number, share
from many.jobs import ANALYSES
from summary import AGAIN, END_COLD, END_WARM, MEMORY

BASELINE = "bayeszoo_many"
REFERENCE = "bayeszoo_loop"
MEASURES = (END_COLD, END_WARM, AGAIN, MEMORY)
COLUMNS: dict[str, Column] = {
    "end to end s": number("wall", ".1f"),
    "/ bayeszoo": share("wall"),
    **{f"{name} s": number(f"first_{name}", ".1f") for name in ANALYSES},
    "second study s": number("second", ".1f"),
    "failed": number("failed", ".0f"),
    **{f"{name} differs": number(f"differs_{name}", ".0e") for name in ANALYSES},
    "peak MiB": number("peak_mib", ".0f"),
}


def compared(run: dict, reference: dict) -> dict:
    """Add the largest absolute difference of the estimates of `stim`, by analysis."""
    out = dict(run)
    for name, told in run["stim"].items():
        if name in reference:
            pairs = zip(told, reference[name], strict=True)
            field = f"differs_{name.split('-')[1]}"
            out[field] = max(out.get(field, 0.0), *(abs(one - other) for one, other in pairs))
    return out


def section(job: str, results: dict) -> list[str]:
    """Table and notes of the job; estimates are compared with one fit after the other by bayeszoo."""
    runs = [run for run in results["runs"] if run["job"] == job]
    found = [run["stim"] for run in fine(runs) if run["contender"] == REFERENCE]
    rows = [run if "error" in run else compared(run, found[0] if found else {}) for run in runs]
    return comparison(rows, results["contenders"], BASELINE, COLUMNS)
