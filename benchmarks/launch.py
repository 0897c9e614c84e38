"""Start one contender in a fresh process, with its compile caches where we want them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from jobs import ROOT

HERE = Path(__file__).resolve().parent
CACHE_VARIABLES = ("PYTENSOR_FLAGS", "NUMBA_CACHE_DIR", "BAYESZOO_CACHE")


class Pythons(NamedTuple):
    """The interpreters: ours for files named `bayeszoo_*`, the peers' for all others."""

    ours: str
    peers: str

    def of(self, contender: str) -> str:
        """Interpreter of a contender."""
        return self.ours if contender.startswith("bayeszoo") else self.peers


def contenders() -> list[str]:
    """Names of all contenders: the files of the folder that do not start with `_`."""
    return sorted(path.stem for path in (HERE / "contenders").glob("[!_]*.py"))


def environment(contender: str, cache: Path, draws: Path) -> dict[str, str]:
    """Make the variables of one process; whatever a library can cache goes under one folder.

    Args:
        contender: Its name; bayeszoo manages JAX's cache itself, the peers get it switched on.
        cache: Folder of the caches, empty for a cold run.
        draws: Where the contender saves its draws.

    Returns:
        The environment.
    """
    drop = ("JAX_", "XLA_", *CACHE_VARIABLES)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    kept |= {
        "BENCH_DRAWS": str(draws),
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


def probe(contender: str, pythons: Pythons) -> dict:
    """Ask a contender for its versions; its imports warm the disk as a side effect.

    Args:
        contender: Its name.
        pythons: The interpreters.

    Returns:
        `versions`, or `missing` with the reason.
    """
    python, file = pythons.of(contender), HERE / "contenders" / f"{contender}.py"
    if not Path(python).exists():
        return {"missing": "its environment is not made"}
    done = subprocess.run([python, file, "--probe"], capture_output=True, text=True, check=False)
    return last_json(done.stdout) or {"missing": complaint(done.stderr)}


def run_once(
    contender: str, job: str, seed: int, cache: Path, pythons: Pythons, timeout: float
) -> dict:
    """Run a contender once.

    Args:
        contender: Its name.
        job: Name of the job.
        seed: Its seed.
        cache: Folder of its compile caches.
        pythons: The interpreters.
        timeout: Seconds after which it is stopped.

    Returns:
        The contender's own record, with `wall` (process start to summary table), `wall_exit`
        (to the end of the process) and ArviZ's `ess_min`; or `error`.
    """
    command = [pythons.of(contender), HERE / "contenders" / f"{contender}.py", job, str(seed)]
    with tempfile.TemporaryDirectory() as scratch:
        draws = Path(scratch) / "draws.npz"
        variables = environment(contender, cache, draws)
        start = time.monotonic()
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=variables, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return {"error": f"stopped after {timeout:.0f} s", "seed": seed}
        stop = time.monotonic()
        record = last_json(done.stdout)
        if done.returncode or record is None:
            return {"error": complaint(done.stderr), "seed": seed}
        wall = record.pop("clock_stop") - start
        sizes = subprocess.run(
            [pythons.of(contender), HERE / "ess.py", draws],
            capture_output=True,
            text=True,
            check=True,
        )
        size = json.loads(sizes.stdout.splitlines()[-1])[0]
    times = {"wall": wall, "wall_exit": stop - start, "ess_per_second": size["ess_min"] / wall}
    return record | size | times
