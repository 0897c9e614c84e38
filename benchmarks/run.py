"""Run every contender on every job, each time in a fresh process, and write the results.

`python benchmarks/run.py --repeats 3` writes `results.json` and `RESULTS.md` beside this file.
One repeat of one contender is two processes: `cold` (all its compile caches in an empty folder)
and `warm` (the same folder again, another seed). Contenders alternate; one process at a time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from jobs import CHAINS, DRAWS, JOBS, ROOT, TUNE
from launch import Pythons, contenders, probe, run_once
from table import render

HERE = Path(__file__).resolve().parent
STATES = ("cold", "warm")


def machine() -> dict:
    """Describe the class of the machine, not the machine: cores, CPU model, system."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": models[0] if models else platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--contenders", nargs="+", choices=contenders(), default=contenders())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=900, help="seconds per process")
    parser.add_argument("--warm", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the results")
    parser.add_argument("--python", default=str(ROOT / ".venv/bin/python"))
    parser.add_argument("--python-peers", default=str(ROOT / ".venv-peers/bin/python"))
    return parser.parse_args(argv)


def write(results: dict, folder: Path) -> None:
    """Write both files, after every run, so that a stopped benchmark keeps what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "RESULTS.md").write_text(render(results))


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark.

    Args:
        argv: Command line; the process's own by default.

    Returns:
        Exit code: 1 when a contender that is installed failed.
    """
    options = parse(argv)
    pythons = Pythons(options.python, options.python_peers)
    probes = {name: probe(name, pythons) for name in options.contenders}
    present = [name for name in options.contenders if "versions" in probes[name]]
    results = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "settings": {
            "chains": CHAINS,
            "tune": TUNE,
            "draws": DRAWS,
            "repeats": options.repeats,
            "formulas": {name: JOBS[name].formula for name in options.jobs},
        },
        "contenders": probes,
        "runs": [],
    }
    for repeat in range(options.repeats):
        turn = repeat % max(1, len(present))
        for job in options.jobs:
            for name in present[turn:] + present[:turn]:
                with tempfile.TemporaryDirectory() as cache:
                    for shift, state in enumerate(STATES[: 1 + options.warm]):
                        seed = options.seed + 2 * repeat + shift
                        load = os.getloadavg()[0]
                        run = run_once(name, job, seed, Path(cache), pythons, options.timeout)
                        run |= {"contender": name, "state": state, "repeat": repeat, "load": load}
                        results["runs"].append({"job": job} | run)
                        write(results, options.out)
                        print(
                            name, job, state, run.get("error") or f"{run['wall']:.1f} s", flush=True
                        )
    write(results, options.out)
    return int(any("error" in run for run in results["runs"]))


if __name__ == "__main__":
    sys.exit(main())
