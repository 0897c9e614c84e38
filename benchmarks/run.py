"""Run every contender on every job, each time in a fresh process, and write the results.

`python benchmarks/run.py --repeats 3` writes `KIND/results.json` and `RESULTS.md` beside this file.
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

from comparison import STATES
from kinds import HERE, KINDS, Kind
from launch import ROOT, Setting, make_data, probe, run_once
from page import render

JOBS = [job for kind in KINDS for job in kind.jobs]
CONTENDERS = [name for kind in KINDS for name in kind.contenders]


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
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=CONTENDERS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=900, help="seconds per process")
    parser.add_argument("--warm", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--keep", action="store_true", help="keep results of what does not run now")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the results")
    parser.add_argument("--data", type=Path, help="folder for the arrays, used again if there")
    parser.add_argument("--python", default=str(ROOT / ".venv/bin/python"))
    parser.add_argument("--python-peers", default=str(ROOT / ".venv-peers/bin/python"))
    return parser.parse_args(argv)


def blank(kind: Kind, jobs: list[str], probes: dict, options: argparse.Namespace) -> dict:
    """Begin the results of one kind, with earlier runs of other jobs and contenders if asked."""
    fresh = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "settings": {
            **kind.settings,
            "repeats": options.repeats,
            "timeout": options.timeout,
            "formulas": {name: kind.jobs[name].formula for name in jobs},
            "sizes": {name: kind.jobs[name].size for name in jobs},
        },
        "contenders": probes,
        "runs": [],
    }
    path = options.out / kind.name / "results.json"
    if options.keep and path.exists():
        old = json.loads(path.read_text())
        for part in ("formulas", "sizes"):
            fresh["settings"][part] = old["settings"].get(part, {}) | fresh["settings"][part]
        fresh["contenders"] = dict(sorted((old["contenders"] | probes).items()))
        again = {(job, name) for job in jobs for name in probes}
        fresh["runs"] = [run for run in old["runs"] if (run["job"], run["contender"]) not in again]
    return fresh


def write(kind: Kind, results: dict, folder: Path) -> None:
    """Write the results, after every run, so that a stopped benchmark keeps what it has."""
    path = folder / kind.name / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    (folder / "RESULTS.md").write_text(render(folder))


def repeat_job(
    kind: Kind, job: str, names: list[str], probes: dict, shift: int, setting: Setting, warm: bool
):
    """Run the contenders on a job once each, cold and then warm.

    Args:
        kind: Kind of the job.
        job: Its name.
        names: The contenders in their order.
        probes: What they say of themselves; who compiles nothing has no warm run.
        shift: Seed of the cold runs; it is one more for the warm ones.
        setting: Interpreters, data and time limit.
        warm: Whether to run warm at all.

    Yields:
        Records of the runs.
    """
    for name in names:
        states = STATES if warm and probes[name].get("caches", True) else STATES[:1]
        with tempfile.TemporaryDirectory() as cache:
            for seed, state in enumerate(states, start=shift):
                load = os.getloadavg()[0]
                run = run_once(kind, name, job, seed, Path(cache), setting)
                yield {"job": job} | run | {"contender": name, "state": state, "load": load}
                if "stopped" in run.get("error", ""):
                    break  # what came to nothing cold is not waited for again


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark.

    Args:
        argv: Command line; the process's own by default.

    Returns:
        Exit code: 1 when a contender that is installed failed.
    """
    options = parse(argv)
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        data = (options.data or Path(scratch)).resolve()
        setting = Setting(options.python, options.python_peers, data, options.timeout)
        for kind in KINDS:
            jobs = [job for job in options.jobs if job in kind.jobs]
            names = [name for name in options.contenders if name in kind.contenders]
            if not jobs or not names:
                continue
            probes = {name: probe(kind, name, setting) for name in names}
            present = [name for name in names if "versions" in probes[name]]
            results = blank(kind, jobs, probes, options)
            for job in jobs:
                make_data(kind, job, setting)
            for repeat in range(options.repeats):
                turn = repeat % max(1, len(present))
                order = present[turn:] + present[:turn]
                shift = options.seed + 2 * repeat
                for job in jobs:
                    for run in repeat_job(kind, job, order, probes, shift, setting, options.warm):
                        results["runs"].append(run | {"repeat": repeat})
                        write(kind, results, options.out)
                        end = run.get("error") or f"{run['wall']:.1f} s"
                        print(run["contender"], job, run["state"], end, flush=True)
                        failed |= "error" in run
            write(kind, results, options.out)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
