"""What every contender of every kind does: clock, memory, versions, JSON lines.

It imports nothing heavy, so that a clock that starts here includes the import of the contender's
own libraries.
"""

from __future__ import annotations

import importlib
import json
import resource
import time
from importlib.metadata import version

START = time.perf_counter()


def peak_mib() -> float:
    """Peak resident memory of the largest process, this one or a child, in MiB (Linux)."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(item).ru_maxrss for item in who) / 1024


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of installed distributions by name."""
    return {name: version(name) for name in packages}


def probe(
    packages: tuple[str, ...],
    modules: tuple[str, ...] | None = None,
    jobs: tuple[str, ...] | None = None,
) -> dict:
    """Import the packages, as a test of presence and to warm the disk.

    Args:
        packages: Names of the distributions.
        modules: What to import; by default the same names.
        jobs: What the contender can do, where it is not every job of its kind.

    Returns:
        `versions` and `jobs`, or `missing` with the reason.
    """
    try:
        for name in modules or packages:
            importlib.import_module(name)
    except ImportError as error:
        return {"missing": str(error)}
    return {"versions": versions(packages)} | ({} if jobs is None else {"jobs": jobs})


def tell(record: dict) -> None:
    """Print one JSON line; the driver reads the last one, also of a process that it stopped."""
    print(json.dumps(record), flush=True)
