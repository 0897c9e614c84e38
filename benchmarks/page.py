"""The page `RESULTS.md`: `python benchmarks/page.py` renders every kind's `results.json` again."""

from __future__ import annotations

import json
from pathlib import Path

from kinds import KINDS, Kind
from summary import summary


def conditions(results: dict) -> str:
    """Say when, where and how often the runs were made."""
    machine, settings = results["machine"], results["settings"]
    dates = sorted({run.get("date", results["date"]) for run in results["runs"]}) or ["no runs"]
    parts = [
        dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}",
        f"{machine['cores']} cores, {machine['cpu']}, {machine['system']}, "
        f"Python {machine['python']}",
    ]
    if "chains" in settings:
        parts.append(
            f"{settings['chains']} chains x ({settings['tune']} tune + {settings['draws']} draws)"
        )
    several = f"median of {settings['repeats']} fresh processes"
    parts.append(several if settings["repeats"] > 1 else "one fresh process each")
    limits = {run["allowed"] for run in results["runs"] if "allowed" in run}
    if limits:
        parts.append("time limit " + " or ".join(f"{limit:.0f} s" for limit in sorted(limits)))
    if settings.get("scale", 1) != 1:
        parts.append(f"JOBS SHRUNK to {settings['scale']:g}, a test of the benchmark only")
    return "; ".join(parts) + "."


def part(kind: Kind, results: dict) -> list[str]:
    """Lines of one kind: conditions, a table per job, versions."""
    lines = [f"## {kind.title}", "", conditions(results), ""]
    sizes = results["settings"].get("sizes", {})
    for job, formula in results["settings"]["formulas"].items():
        lines += [f"### {kind.name}, {job}: `{formula}`", ""]
        lines += [sizes[job] + ".", ""] if job in sizes else []
        lines += kind.section(job, results)
    lines += ["### Versions", ""]
    for name, told in results["contenders"].items():
        versions = ", ".join(f"{key} {value}" for key, value in told.get("versions", {}).items())
        some = f"; only {', '.join(told['jobs'])}" if "jobs" in told else ""
        lines.append(f"- {name}: {versions or 'missing (' + told['missing'] + ')'}{some}")
    return [*lines, ""]


def render(folder: Path) -> str:
    """Make the whole page.

    Args:
        folder: Holds `KIND/results.json` of some kinds.

    Returns:
        Markdown.
    """
    paths = [(kind, folder / kind.name / "results.json") for kind in KINDS]
    found = [(kind, json.loads(path.read_text())) for kind, path in paths if path.exists()]
    lines = ["# Benchmark results", "", "What the columns mean stands in `benchmarks/README.md`."]
    lines.append("")
    lines += summary([(kind.name, kind.baseline, kind.measures, told) for kind, told in found])
    for kind, results in found:
        lines += part(kind, results)
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    (here / "RESULTS.md").write_text(render(here))
