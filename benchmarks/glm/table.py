"""Columns of the GLM jobs."""

from __future__ import annotations

import math

from comparison import Column, comparison, fine, number, quotient, share
from summary import AGAIN, END_COLD, END_WARM, MEMORY

BASELINE = "bayeszoo_map"
MEASURES = (END_COLD, END_WARM, AGAIN, MEMORY)
COLUMNS: dict[str, Column] = {
    "end to end s": number("wall", ".2f"),
    "/ bayeszoo": share("wall"),
    "first fit s": number("first", ".2f"),
    "second fit s": number("second", ".2f"),
    "second / bayeszoo": share("second"),
    "second / pass": lambda own, _: quotient(own.get("second"), own.get("pass")),
    "objective - best": number("excess", ".1e"),
    "gradient": number("gradient", ".1e"),
    "predicted / observed": number("predicted", ".6f"),
    "peak MiB": number("peak_mib", ".0f"),
}


def flat(run: dict, best: dict[str, float]) -> dict:
    """Put the worse of a run's two fits beside its times.

    Args:
        run: A run without error; under `sets`, what `glm/score.py` found for each data set.
        best: Smallest objective that anybody reached, by data set.

    Returns:
        The run, with `excess` over the best objective, `gradient` and `predicted`.
    """
    sets = run["sets"]
    return run | {
        "excess": worst([told["objective"] - best[name] for name, told in sets.items()]),
        "gradient": worst([told["gradient"] for told in sets.values()]),
        "predicted": 1 + worst([told["predicted"] - 1 for told in sets.values()]),
    }


def worst(values: list[float]) -> float:
    """The value furthest from 0; one that is no number is further than all."""
    return max(values, key=lambda value: math.inf if math.isnan(value) else abs(value))


def section(job: str, results: dict) -> list[str]:
    """Table and notes of one job."""
    runs = [run for run in results["runs"] if run["job"] == job]
    best: dict[str, float] = {}
    for run in fine(runs):
        for name, told in run["sets"].items():
            if math.isfinite(told["objective"]):
                best[name] = min(best.get(name, math.inf), told["objective"])
    rows = [run if "error" in run else flat(run, best) for run in runs]
    return comparison(rows, results["contenders"], BASELINE, COLUMNS)
