"""Start one contender in a fresh process, with its compile caches where we want them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from kinds import Kind

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE_VARIABLES = ("PYTENSOR_FLAGS", "NUMBA_CACHE_DIR", "BAYESZOO_CACHE")
LOOK = 0.02
"""Seconds between two looks at whether a process has ended; its own clock is what counts."""


class Setting(NamedTuple):
    """Where and how long processes run.

    Args:
        ours: Interpreter for contenders named `bayeszoo_*`, and for judging all results.
        peers: Interpreter for all others in Python.
        rscript: Interpreter for those in R.
        data: Folder of the arrays.
        timeout: Seconds after which a process is stopped; None for the job's own limit.
    """

    ours: str
    peers: str
    rscript: str
    data: Path
    timeout: float | None

    def limit(self, kind: Kind, job: str) -> float:
        """Seconds that one process may take for a job."""
        return kind.jobs[job].limit if self.timeout is None else self.timeout

    def command(self, kind: Kind, contender: str) -> list[str]:
        """Interpreter and file of a contender."""
        file = kind.file(contender)
        if file.suffix == ".R":
            return [self.rscript, "--vanilla", str(file)]
        return [self.ours if contender.startswith("bayeszoo") else self.peers, str(file)]


class Ended(NamedTuple):
    """How a process ended.

    Args:
        code: Exit code; None where it was stopped because its time was up.
        stdout: What it printed.
        stderr: What it complained about.
        peak_mib: Peak resident memory of the largest process, it or a child that it waited for,
            as the kernel counted it.
    """

    code: int | None
    stdout: str
    stderr: str
    peak_mib: float


def environment(contender: str, cache: Path, saved: Path, data: Path) -> dict[str, str]:
    """Make the variables of one process; whatever a library can cache goes under one folder.

    Args:
        contender: Its name; bayeszoo manages JAX's cache itself, the peers get it switched on.
        cache: Folder of the caches, empty for a cold run.
        saved: Where the contender saves what is judged.
        data: Folder of the arrays.

    Returns:
        The environment.
    """
    drop = ("JAX_", "XLA_", *CACHE_VARIABLES)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    kept |= {
        "BENCH_SAVE": str(saved),
        "BENCH_DATA": str(data),
        "BAYESZOO_CACHE": str(cache / "bayeszoo"),
        "PYTENSOR_FLAGS": f"base_compiledir={cache / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(cache / "numba"),
    }
    if not contender.startswith("bayeszoo"):
        kept |= {
            "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
    return kept


def last_json(text: str) -> dict | None:
    """Find the last line that is a JSON object; libraries may print before it."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else None


def complaint(stderr: str) -> str:
    """Keep an error's last line, without this machine's folders."""
    lines = [line for line in stderr.splitlines() if line.strip()] or ["no message"]
    said = [line for line in lines if re.match(r"[\w.]*Error\b", line)]
    line = (said or lines)[-1]  # R and JAX say something after it
    return line.replace(str(ROOT), ".").replace(str(Path.home()), "~").replace("|", "\\|")[:300]


def make_data(kind: Kind, job: str, setting: Setting) -> None:
    """Write a job's arrays, in a process of its own so that this one stays small."""
    command = [setting.ours, HERE / kind.name / "jobs.py", job, setting.data]
    subprocess.run(command, check=True)


def probe(kind: Kind, contender: str, setting: Setting) -> dict:
    """Ask a contender for its versions; its imports warm the disk as a side effect.

    Args:
        kind: Its kind.
        contender: Its name.
        setting: The interpreters.

    Returns:
        `versions`, with `jobs` where it cannot do all, or `missing` with the reason.
    """
    command = setting.command(kind, contender)
    if shutil.which(command[0]) is None:
        return {"missing": "its interpreter is not installed"}
    done = subprocess.run([*command, "--probe"], capture_output=True, text=True, check=False)
    return last_json(done.stdout) or {"missing": complaint(done.stderr)}


def watch(command: list[str], variables: dict[str, str], limit: float, scratch: Path) -> Ended:
    """Run a process to its end or its time limit, and ask the kernel for its memory.

    Args:
        command: What to run.
        variables: Its environment.
        limit: Seconds after which it is stopped, and its children with it.
        scratch: Folder for its output.

    Returns:
        How it ended.
    """
    files = scratch / "stdout", scratch / "stderr"
    with files[0].open("wb") as out, files[1].open("wb") as err:
        child = subprocess.Popen(
            command, stdout=out, stderr=err, env=variables, start_new_session=True
        )
        stop, late = time.monotonic() + limit, False
        try:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            while pid == 0:
                time.sleep(LOOK)
                if not late and time.monotonic() > stop:
                    late = True
                    os.killpg(child.pid, signal.SIGKILL)
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            child.returncode = os.waitstatus_to_exitcode(status)
        finally:  # nobody outlives the driver, or a contender that died and left workers
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    texts = [file.read_text(errors="replace") for file in files]
    return Ended(None if late else child.returncode, *texts, usage.ru_maxrss / 1024)


def run_once(
    kind: Kind, contender: str, job: str, seed: int, cache: Path, setting: Setting
) -> dict:
    """Run a contender once and judge what it has told and saved.

    Args:
        kind: Kind of the job.
        contender: Its name.
        job: Name of the job.
        seed: Its seed.
        cache: Folder of its compile caches.
        setting: Interpreters, data and time limit.

    Returns:
        The contender's own record, with `wall` (process start to result), `wall_exit` and
        `peak_mib_exit` (to the end of the process), what the kind's `score.py` adds, and `stopped`
        where the time was up after the first result; or `error`.
    """
    command = [*setting.command(kind, contender), job, str(seed)]
    limit = setting.limit(kind, job)
    with tempfile.TemporaryDirectory() as scratch:
        saved = Path(scratch) / "saved"
        variables = environment(contender, cache, saved, setting.data)
        starts = {
            "clock_stop": time.monotonic(),
            "epoch_stop": time.time(),
        }  # R has only the second
        ended = watch(command, variables, limit, Path(scratch))
        extra: dict = {"wall_exit": time.monotonic() - starts["clock_stop"]}
        extra["peak_mib_exit"] = ended.peak_mib
        if ended.code is None:
            extra["stopped"] = f"stopped after {limit:.0f} s"
        record = last_json(ended.stdout)
        if ended.code or record is None:
            broken = complaint(ended.stderr) if ended.code else "no result"
            reason = {"error": extra.get("stopped") or broken, "seed": seed}
            return reason | ({"limit": limit} if "stopped" in extra else {})
        (wall,) = (record.pop(clock) - start for clock, start in starts.items() if clock in record)
        record |= {"wall": wall} | extra
        judged = subprocess.run(
            [setting.ours, HERE / kind.name / "score.py", saved],
            input=json.dumps(record),
            capture_output=True,
            text=True,
            env=variables,
            check=False,
        )
        if judged.returncode:
            return {"error": f"cannot be judged: {complaint(judged.stderr)}", "seed": seed}
    return record | json.loads(judged.stdout.splitlines()[-1])
