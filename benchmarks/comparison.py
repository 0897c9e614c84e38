"""Results of a job as a markdown table: contenders side by side, medians over the repeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median

STATES = ("cold", "warm")
NONE = "—"
Column = Callable[[dict, dict], str]
"""Makes a cell from a contender's medians and bayeszoo's in the same state (empty if it has none)."""


def number(field: str, form: str) -> Column:
    """A column that shows a field, or a dash where nobody tells it."""
    return lambda own, _: format(own[field], form) if field in own else NONE


def share(field: str) -> Column:
    """A column that divides a field by bayeszoo's."""
    return lambda own, base: quotient(own.get(field), base.get(field))


def quotient(top: float | None, bottom: float | None) -> str:
    """A quotient, or a dash where one number is missing or there is nothing to divide by."""
    return NONE if top is None or not bottom else f"{top / bottom:.2f}"


def line(cells: list[str]) -> str:
    """One row of a table."""
    return "| " + " | ".join(cells) + " |"


def middle(runs: list[dict]) -> dict[str, float]:
    """Median of every field that is a number; a field that nobody tells is left out."""
    names = {name for run in runs for name, value in run.items() if isinstance(value, int | float)}
    told = {name: [run[name] for run in runs if run.get(name) is not None] for name in names}
    return {name: median(values) for name, values in told.items()}


def fine(runs: list[dict]) -> list[dict]:
    """The runs without an error."""
    return [run for run in runs if "error" not in run]


def failure(run: dict) -> str:
    """What stands in a table for a run without result."""
    if "limit" in run:
        return f">{run['limit']:.0f} s, no result"
    return f"failed: {run['error']}"


def row(
    name: str, cache: str, runs: list[dict], base: dict, columns: Mapping[str, Column]
) -> list[str]:
    """Cells of one contender in one state of the caches.

    Args:
        name: The contender.
        cache: What stands in the column of that name.
        runs: Its repeats, at least one.
        base: bayeszoo's medians in the same state, or empty.
        columns: The other columns.

    Returns:
        As many cells as there are columns, and two.
    """
    errors = [run for run in runs if "error" in run]
    if not fine(runs):
        return [name, cache, failure(errors[0]), *[NONE] * (len(columns) - 1)]
    own = middle(fine(runs))
    label = f"{name} ({len(errors)} failed)" if errors else name
    return [label, cache, *(cell(own, base) for cell in columns.values())]


def comparison(
    runs: list[dict], probes: Mapping[str, dict], baseline: str, columns: Mapping[str, Column]
) -> list[str]:
    """Table and notes of one job.

    A contender that compiles nothing has cold runs only; they stand beside the others' warm ones
    too, as `none`.

    Args:
        runs: All runs of the job.
        probes: What each contender says of itself.
        baseline: bayeszoo's contender.
        columns: Heading and cell of each column.

    Returns:
        Lines of markdown.
    """
    heads = ["contender", "cache", *columns]
    lines = [line(heads), line(["---"] * len(heads))]
    for state in STATES:
        if state != STATES[0] and all(run["state"] != state for run in runs):
            continue  # who compiles nothing need not stand there twice
        rows = {}
        for name, probe in probes.items():
            caches = probe.get("caches", True)
            here = state if caches else STATES[0]
            own = [run for run in runs if (run["contender"], run["state"]) == (name, here)]
            rows[name] = (state if caches else "none", own)
        base = middle(fine(rows.get(baseline, ("", []))[1]))
        lines += [
            line(row(name, cache, own, base, columns)) for name, (cache, own) in rows.items() if own
        ]
    notes = {}
    for run in fine(runs):
        parts = [run.get("note", ""), run.get("stopped", "") and f"second: {run['stopped']}"]
        notes[run["contender"]] = "; ".join(filter(None, parts))
    told = [f"- {name}: {note}." for name, note in sorted(notes.items()) if note]
    return [*lines, "", *told, *[""] * bool(told)]
