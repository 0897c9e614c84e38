"""The page `RESULTS.md`: `python benchmarks/page.py` renders every kind's `results.json` again."""

from __future__ import annotations

import json
from pathlib import Path

from kinds import KINDS, Kind


def conditions(results: dict) -> str:
    """Say when, where and how often the runs were made."""
    machine, settings = results["machine"], results["settings"]
    parts = [
        results["date"],
        f"{machine['cores']} cores, {machine['cpu']}, {machine['system']}, "
        f"Python {machine['python']}",
    ]
    if "chains" in settings:
        parts.append(
            f"{settings['chains']} chains x ({settings['tune']} tune + {settings['draws']} draws)"
        )
    several = f"median of {settings['repeats']} fresh processes"
    parts.append(several if settings["repeats"] > 1 else "one fresh process each")
    return "; ".join(parts) + "."


def part(kind: Kind, results: dict) -> list[str]:
    """Lines of one kind: conditions, a table per job, versions."""
    lines = [f"## {kind.title}", "", conditions(results), ""]
    sizes = results["settings"].get("sizes", {})
    for job, formula in results["settings"]["formulas"].items():
        lines += [f"### {job}: `{formula}`", ""]
        lines += [sizes[job] + ".", ""] if job in sizes else []
        lines += kind.section(job, results)
    lines += ["### Versions", ""]
    for name, told in results["contenders"].items():
        versions = ", ".join(f"{key} {value}" for key, value in told.get("versions", {}).items())
        lines.append(f"- {name}: {versions or 'missing (' + told['missing'] + ')'}")
    return [*lines, ""]


def render(folder: Path) -> str:
    """Make the whole page.

    Args:
        folder: Holds `KIND/results.json` of some kinds.

    Returns:
        Markdown.
    """
    lines = ["# Benchmark results", "", "What the columns mean stands in `benchmarks/README.md`."]
    lines.append("")
    for kind in KINDS:
        path = folder / kind.name / "results.json"
        if path.exists():
            lines += part(kind, json.loads(path.read_text()))
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    (here / "RESULTS.md").write_text(render(here))
