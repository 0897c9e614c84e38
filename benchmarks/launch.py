"""Start one contender in a fresh process, with its compile caches where we want them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from kinds import Kind

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE_VARIABLES = ("PYTENSOR_FLAGS", "NUMBA_CACHE_DIR", "BAYESZOO_CACHE")


class Setting(NamedTuple):
    """Where and how long processes run.

    Args:
        ours: Interpreter for contenders named `bayeszoo_*`, and for judging all results.
        peers: Interpreter for all others.
        data: Folder of the arrays.
        timeout: Seconds after which a process is stopped.
    """

    ours: str
    peers: str
    data: Path
    timeout: float

    def python(self, contender: str) -> str:
        """Interpreter of a contender."""
        return self.ours if contender.startswith("bayeszoo") else self.peers


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
    return lines[-1].replace(str(ROOT), ".").replace(str(Path.home()), "~")[:300]


def make_data(kind: Kind, job: str, setting: Setting) -> None:
    """Write a job's arrays, in a process of its own so that this one stays small."""
    if kind.arrays:
        command = [setting.ours, HERE / kind.name / "jobs.py", job, setting.data]
        subprocess.run(command, check=True)


def probe(kind: Kind, contender: str, setting: Setting) -> dict:
    """Ask a contender for its versions; its imports warm the disk as a side effect.

    Args:
        kind: Its kind.
        contender: Its name.
        setting: The interpreters.

    Returns:
        `versions`, or `missing` with the reason.
    """
    python, file = setting.python(contender), kind.folder / f"{contender}.py"
    if not Path(python).exists():
        return {"missing": "its environment is not made"}
    done = subprocess.run([python, file, "--probe"], capture_output=True, text=True, check=False)
    return last_json(done.stdout) or {"missing": complaint(done.stderr)}


def run_once(
    kind: Kind, contender: str, job: str, seed: int, cache: Path, setting: Setting
) -> dict:
    """Run a contender once and judge what it has saved.

    Args:
        kind: Kind of the job.
        contender: Its name.
        job: Name of the job.
        seed: Its seed.
        cache: Folder of its compile caches.
        setting: Interpreters, data and time limit.

    Returns:
        The contender's own record, with `wall` (process start to result), `wall_exit` (to the end
        of the process), what the kind's `score.py` adds, and `stopped` where the time was up after
        the first result; or `error`.
    """
    command = [setting.python(contender), kind.folder / f"{contender}.py", job, str(seed)]
    with tempfile.TemporaryDirectory() as scratch:
        saved = Path(scratch) / "saved.npz"
        variables = environment(contender, cache, saved, setting.data)
        start = time.monotonic()
        extra: dict = {}
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                env=variables,
                timeout=setting.timeout,
                check=False,
            )
            output, broken = done.stdout, done.returncode and complaint(done.stderr)
        except subprocess.TimeoutExpired as late:
            output, broken = (late.stdout or b"").decode(), ""  # bytes, whatever `text` says
            extra["stopped"] = f"stopped after {setting.timeout:.0f} s"
        extra["wall_exit"] = time.monotonic() - start
        record = last_json(output)
        if broken or record is None or not saved.exists():
            reason = broken or extra.get("stopped") or "no result"
            return {"error": reason, "seed": seed}
        record |= {"wall": record.pop("clock_stop") - start} | extra
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
