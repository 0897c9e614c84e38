"""The results as a markdown page: `python benchmarks/table.py` renders `results.json` again."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

BASELINE = "bayeszoo_nuts"
COLUMNS = (
    "contender",
    "cache",
    "wall s",
    "wall / bayeszoo",
    "sampling s",
    "min bulk ESS",
    "ESS/s",
    "bayeszoo's ESS/s / its",
    "peak MiB",
    "slope mean ± sd",
)
FIELDS = ("wall", "sampling", "ess_min", "ess_per_second", "peak_mib", "slope_mean", "slope_sd")


def middle(runs: list[dict]) -> dict[str, float]:
    """Median of every field over the repeats; a field that nobody tells is left out."""
    told = {name: [run[name] for run in runs if run.get(name) is not None] for name in FIELDS}
    return {name: median(values) for name, values in told.items() if values}


def ratio(top: dict | None, bottom: dict | None, field: str) -> str:
    """Quotient of one field of two rows, or a dash."""
    return f"{top[field] / bottom[field]:.2f}" if top and bottom else "—"


def row(name: str, state: str, runs: list[dict], baseline: dict | None) -> str:
    """One line of the table.

    Args:
        name: The contender.
        state: `cold` or `warm`.
        runs: Its repeats.
        baseline: bayeszoo's medians in the same state, or None.

    Returns:
        A markdown row.
    """
    errors = [run["error"] for run in runs if "error" in run]
    fine = [run for run in runs if "error" not in run]
    if not fine:
        cells = [name, state, f"failed: {errors[0]}", *["—"] * (len(COLUMNS) - 3)]
        return "| " + " | ".join(cells) + " |"
    own = middle(fine)
    slope = f"{own['slope_mean']:.3f} ± {own['slope_sd']:.3f}"
    cells = [
        f"{name} ({len(errors)} failed)" if errors else name,
        state,
        f"{own['wall']:.1f}",
        ratio(own, baseline, "wall"),
        f"{own['sampling']:.1f}" if "sampling" in own else "—",
        f"{own['ess_min']:.0f}",
        f"{own['ess_per_second']:.0f}",
        ratio(baseline, own, "ess_per_second"),
        f"{own['peak_mib']:.0f}",
        slope,
    ]
    return "| " + " | ".join(cells) + " |"


def job_section(job: str, results: dict) -> list[str]:
    """Heading, table and notes of one job."""
    runs = [run for run in results["runs"] if run["job"] == job]
    lines = [f"## {job}: `{results['settings']['formulas'][job]}`", ""]
    lines += ["| " + " | ".join(COLUMNS) + " |", "| " + " | ".join(["---"] * len(COLUMNS)) + " |"]
    notes = {}
    for state in ("cold", "warm"):
        here = {
            name: [run for run in runs if (run["contender"], run["state"]) == (name, state)]
            for name in results["contenders"]
        }
        fine = [run for run in here.get(BASELINE, []) if "error" not in run]
        baseline = middle(fine) if fine else None
        lines += [row(name, state, own, baseline) for name, own in here.items() if own]
        notes |= {run["contender"]: run["note"] for run in runs if run.get("note")}
    lines += [""] + [f"- {name}: {note}." for name, note in sorted(notes.items())]
    return [*lines, ""]


def render(results: dict) -> str:
    """Make the whole page.

    Args:
        results: What `run.py` collects.

    Returns:
        Markdown.
    """
    machine, settings, probes = (results[key] for key in ("machine", "settings", "contenders"))
    lines = ["# Benchmark results", "", f"{results['date']}; {machine['cores']} cores,"]
    lines[-1] += f" {machine['cpu']}, {machine['system']}, Python {machine['python']};"
    lines[-1] += f" {settings['chains']} chains x ({settings['tune']} tune + {settings['draws']}"
    lines[-1] += f" draws); median of {settings['repeats']} fresh processes."
    lines += ["What the columns mean stands in `benchmarks/README.md`.", ""]
    for job in settings["formulas"]:
        lines += job_section(job, results)
    lines += ["## Versions", ""]
    for name, told in probes.items():
        versions = ", ".join(f"{key} {value}" for key, value in told.get("versions", {}).items())
        lines.append(f"- {name}: {versions or 'missing (' + told['missing'] + ')'}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    (here / "RESULTS.md").write_text(render(json.loads((here / "results.json").read_text())))
