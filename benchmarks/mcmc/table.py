"""Columns of the sampling jobs."""

from __future__ import annotations

from comparison import Column, comparison, number, quotient, share
from summary import END_COLD, END_WARM, ESS, ESS_WARM, MEMORY

BASELINE = "bayeszoo_nuts"
MEASURES = (END_COLD, END_WARM, ESS, ESS_WARM, MEMORY)
COLUMNS: dict[str, Column] = {
    "wall s": number("wall", ".1f"),
    "wall / bayeszoo": share("wall"),
    "sampling s": number("sampling", ".1f"),
    "parameters": number("parameters", ".0f"),
    "min bulk ESS": number("ess_min", ".0f"),
    "ESS/s": number("ess_per_second", ".0f"),
    "bayeszoo's ESS/s / its": lambda own, base: quotient(
        base.get("ess_per_second"), own.get("ess_per_second")
    ),
    "peak MiB": number("peak_mib", ".0f"),
    "slope mean ± sd": lambda own, _: f"{own['slope_mean']:.3f} ± {own['slope_sd']:.3f}",
}


def section(job: str, results: dict) -> list[str]:
    """Table and notes of one job."""
    runs = [run for run in results["runs"] if run["job"] == job]
    return comparison(runs, results["contenders"], BASELINE, COLUMNS)
