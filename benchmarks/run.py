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
import signal
import sys
import tempfile
from pathlib import Path

from arrays import SCALE
from comparison import STATES
from kinds import HERE, KINDS, Kind
from launch import ROOT, Setting, make_data, probe, run_once
from page import render

NAMES = [kind.name for kind in KINDS]
JOBS = sorted({job for kind in KINDS for job in kind.jobs})
CONTENDERS = sorted({name for kind in KINDS for name in kind.contenders})


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
    parser.add_argument("--kinds", nargs="+", metavar="NAME", choices=NAMES, default=NAMES)
    parser.add_argument("--jobs", nargs="+", metavar="NAME", choices=JOBS, default=JOBS)
    parser.add_argument(
        "--contenders", nargs="+", metavar="NAME", choices=CONTENDERS, default=CONTENDERS
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--timeout", type=float, help="seconds per process, not the job's own limit"
    )
    parser.add_argument("--warm", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--keep", action="store_true", help="keep results of what does not run now")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the results")
    parser.add_argument("--data", type=Path, help="folder for the arrays, used again if there")
    parser.add_argument("--python", default=str(ROOT / ".venv/bin/python"))
    parser.add_argument("--python-peers", default=str(ROOT / ".venv-peers/bin/python"))
    parser.add_argument("--rscript", default="Rscript")
    options = parser.parse_args(argv)
    if SCALE != 1 and options.out == HERE:
        parser.error(
            "with BENCH_SCALE, results are a test of the benchmark: give them --out FOLDER"
        )
    return options


def today() -> str:
    """The date, in ISO format."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def blank(kind: Kind, jobs: list[str], probes: dict, options: argparse.Namespace) -> dict:
    """Begin the results of one kind, with earlier runs of other jobs and contenders if asked."""
    fresh = {
        "date": today(),
        "machine": machine(),
        "settings": {
            **kind.settings,
            "repeats": options.repeats,
            "scale": SCALE,
            "formulas": {name: kind.jobs[name].formula for name in jobs},
            "sizes": {name: kind.jobs[name].size for name in jobs},
        },
        "contenders": probes,
        "runs": [],
    }
    path = options.out / kind.name / "results.json"
    if options.keep and path.exists():
        old = json.loads(path.read_text())
        if old["settings"].get("scale", 1) != SCALE:
            sys.exit(f"{path} has jobs of another BENCH_SCALE; they cannot be kept")
        for part in ("formulas", "sizes"):
            fresh["settings"][part] = old["settings"].get(part, {}) | fresh["settings"][part]
        fresh["contenders"] = dict(sorted((old["contenders"] | probes).items()))
        again = {(job, name) for job in jobs for name in probes}
        old["runs"] = [{"date": old["date"]} | run for run in old["runs"]]
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
                told = {"load": load, "allowed": setting.limit(kind, job)}
                yield {"job": job} | run | {"contender": name, "state": state} | told
                if "limit" in run:
                    break  # what came to nothing cold is not waited for again


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark.

    Args:
        argv: Command line; the process's own by default.

    Returns:
        Exit code: 1 when a contender that is installed failed.
    """
    options = parse(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that contenders end with us
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        data = (options.data or Path(scratch)).resolve() / f"scale_{SCALE:g}"
        for kind in KINDS:
            jobs = [job for job in kind.jobs if job in options.jobs]
            names = [name for name in kind.contenders if name in options.contenders]
            if kind.name not in options.kinds or not jobs or not names:
                continue
            interpreters = options.python, options.python_peers, options.rscript
            setting = Setting(*interpreters, data / kind.name, options.timeout)
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
                    able = [name for name in order if job in probes[name].get("jobs", [job])]
                    for run in repeat_job(kind, job, able, probes, shift, setting, options.warm):
                        results["runs"].append(run | {"repeat": repeat, "date": today()})
                        write(kind, results, options.out)
                        end = run.get("error") or f"{run['wall']:.1f} s"
                        print(kind.name, job, run["contender"], run["state"], end, flush=True)
                        failed |= "error" in run and "limit" not in run
            write(kind, results, options.out)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
