"""The summary of all kinds: bayeszoo beside the best peer of every job, from the raw records.

A quotient is how many times better bayeszoo is (below 1: how many times worse). The best peer is
the best in that measure alone, whatever its estimates are worth; the tables below say that.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from comparison import NONE, STATES, fine, line

OURS = "bayeszoo"


@dataclass(frozen=True)
class Measure:
    """What is compared.

    Args:
        heading: Column of the summary.
        field: Of the records.
        state: Of the caches; who compiles nothing has `cold` runs only, which count for both.
        larger: True where more is better.
        unit: Stands behind the numbers.
    """

    heading: str
    field: str
    state: str = "cold"
    larger: bool = False
    unit: str = " s"


END_COLD = Measure("end to end, cold", "wall")
END_WARM = Measure("end to end, warm cache", "wall", "warm")
AGAIN = Measure("second in one process", "second")
ESS = Measure("ESS/s, cold", "ess_per_second", larger=True, unit="/s")
ESS_WARM = Measure("ESS/s, warm cache", "ess_per_second", "warm", larger=True, unit="/s")
MEMORY = Measure("peak memory", "peak_mib", unit=" MiB")
HEADS = [measure.heading for measure in (END_COLD, END_WARM, AGAIN, ESS, ESS_WARM, MEMORY)]


def medians(measure: Measure, job: str, results: dict) -> dict[str, float]:
    """Median of a measure by contender, for those who finished the whole job."""
    out = {}
    for name, probe in results["contenders"].items():
        state = measure.state if probe.get("caches", True) else STATES[0]
        runs = [run for run in results["runs"] if (run["job"], run["contender"]) == (job, name)]
        runs = [run for run in fine(runs) if run["state"] == state and not run.get("partial")]
        told = [run[measure.field] for run in runs if run.get(measure.field) is not None]
        if told:
            out[name] = median(told)
    return out


def short(number: float) -> str:
    """A number with two or three digits that count."""
    return (
        f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
    )


def cell(measure: Measure, job: str, results: dict, baseline: str) -> str:
    """Quotient of the best peer and bayeszoo, with both numbers.

    Args:
        measure: What is compared.
        job: The job.
        results: Of its kind.
        baseline: bayeszoo's contender.

    Returns:
        For example `3.9x (2.1 s, bambi_nutpie 8.1 s)`; with `>` where no peer finished in time.
    """
    found = medians(measure, job, results)
    own = found.get(baseline)
    peers = {name: value for name, value in found.items() if not name.startswith(OURS)}
    if not own:
        return NONE
    if peers:
        best = (max if measure.larger else min)(peers, key=peers.__getitem__)
        ratio = own / peers[best] if measure.larger else peers[best] / own
        beside = f"{best} {short(peers[best])}{measure.unit}"
        return f"{short(ratio)}× ({short(own)}{measure.unit}, {beside})"
    limits = [run["limit"] for run in results["runs"] if run["job"] == job and "limit" in run]
    if measure.field == "wall" and limits:
        return f">{short(min(limits) / own)}× ({short(own)} s, no peer within {min(limits):.0f} s)"
    return NONE


def summary(parts: list[tuple]) -> list[str]:
    """Lines of the summary.

    Args:
        parts: Name, baseline, measures and results of every kind that has results.

    Returns:
        A table with a row for every job that bayeszoo has a result of.
    """
    rows = []
    for kind, baseline, measures, results in parts:
        by_heading = {measure.heading: measure for measure in measures}
        for job in results["settings"]["formulas"]:
            cells = [
                cell(by_heading[head], job, results, baseline) if head in by_heading else NONE
                for head in HEADS
            ]
            if set(cells) != {NONE}:
                rows.append(line([f"{kind}: {job}", *cells]))
    text = (
        "How many times better bayeszoo is than the best peer in each measure, with both numbers "
        "(below 1: worse). Medians of the runs below, of which many have one repeat only; the best "
        "peer is chosen by this measure alone, whatever its estimates are worth."
    )
    head = [line(["job", *HEADS]), line(["---"] * (len(HEADS) + 1))]
    return ["## Summary", "", text, "", *head, *rows, ""] if rows else []
