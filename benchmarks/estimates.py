"""Columns of kinds whose results are few named estimates and a criterion that is minimised."""

from __future__ import annotations

from collections.abc import Mapping

from comparison import Column, comparison, fine, number, share
from summary import AGAIN, END_COLD, END_WARM, MEMORY, Measure

MEASURES: tuple[Measure, ...] = (END_COLD, END_WARM, AGAIN, MEMORY)
COLUMNS: dict[str, Column] = {
    "end to end s": number("wall", ".2f"),
    "/ bayeszoo": share("wall"),
    "first fit s": number("first", ".2f"),
    "second fit s": number("second", ".3f"),
    "second / bayeszoo": share("second"),
    "criterion - best": number("excess", ".1e"),
    "coefficients differ": number("coefficients", ".0e"),
    "sds differ": number("sds", ".0e"),
    "peak MiB": number("peak_mib", ".0f"),
}


def differs(told: Mapping[str, float], best: Mapping[str, float], spread: bool) -> float:
    """Largest relative difference of estimates, of the spreads or of the coefficients."""
    spreads = ("sd(", "sigma", "alpha")
    names = [
        name for name in best if name.startswith(spreads) == spread and not name.startswith("corr(")
    ]
    return max(abs(told[name] - best[name]) / abs(best[name]) for name in names)


def section(job: str, results: dict, baseline: str) -> list[str]:
    """Table and notes of one job.

    Args:
        job: Its name.
        results: Of its kind; runs have `estimates` and `criteria` by data set.
        baseline: bayeszoo's contender.

    Returns:
        Lines of markdown; every run is compared with the one that has the smallest criterion.
    """
    runs = [run for run in results["runs"] if run["job"] == job]
    best: dict[str, tuple[float, dict]] = {}
    for run in fine(runs):
        for name, criterion in run["criteria"].items():
            if name not in best or criterion < best[name][0]:
                best[name] = criterion, run["estimates"][name]
    rows = []
    for run in runs:
        if "error" in run:
            rows.append(run)
            continue
        sets = {name: (run["estimates"][name], *best[name]) for name in run["criteria"]}
        rows.append(
            run
            | {
                "excess": max(run["criteria"][name] - best[name][0] for name in sets),
                "coefficients": max(differs(told, at, False) for told, _, at in sets.values()),
                "sds": max(differs(told, at, True) for told, _, at in sets.values()),
            }
        )
    return comparison(rows, results["contenders"], baseline, COLUMNS)
