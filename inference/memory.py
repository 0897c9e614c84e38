"""A fit that memory cannot hold is refused in words, before it starts where that can be foreseen."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FitError
from ..zoo.density import site_shapes
from .backend import Problem

COMPILER = 150 * 2**20
"""Bytes that compiling a small model takes; the compiler ends the process where it lacks them."""
MANY = 1_000_000
"""With fewer draws, each times its group effects, the shapes are not worth finding out."""
EFFECTS = ".effects"
ADVICE = (
    "Ask for fewer draws, chains, columns or levels, close other programs, or use a larger machine."
)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turns the errors of NumPy and JAX about lacking memory into one of ours.

    Raises:
        FitError: memory did not suffice.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = " ".join(str(error).split()).rstrip(".")
        if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in text:
            raise
        said = text.removeprefix("RESOURCE_EXHAUSTED: ")
        raise FitError(f"memory does not suffice ({said or 'out of memory'}). {ADVICE}") from None


def check_memory(problem: Problem, settings: Any, sampled: bool) -> None:
    """Raises where the draws cannot fit into the memory that is left.

    Args:
        problem: what there is to fit.
        settings: of the method; `draws` and `chains` count where it has them.
        sampled: whether group effects are drawn from the start, and not only when they are read.

    Raises:
        FitError: with how much is needed at least, and how much there is.
    """
    known = settings.__dataclass_fields__
    draws = float(np.prod([float(getattr(settings, n)) for n in ("draws", "chains") if n in known]))
    needed = float(COMPILER)
    groups = [group for p in problem.spec.schema.predictors for group in p.groups] * sampled
    if draws * (1 + sum(len(group.levels) * group.size for group in groups)) > MANY:
        shapes = site_shapes(problem.structure, problem.numbers)
        counted = [shape for name, shape in shapes.items() if sampled or not name.endswith(EFFECTS)]
        needed += 8 * draws * sum(float(np.prod(shape)) for shape in counted)
    require("the fit", needed)


def require(what: str, needed: float) -> None:
    """Raises where memory lacks room for so many bytes.

    Raises:
        FitError: with how much is needed at least, and how much there is.
    """
    left = available()
    if left is not None and needed > left:
        raise FitError(
            f"{what} needs at least {needed / 2**30:,.1f} GiB of memory and {left / 2**30:,.1f} GiB "
            f"are left. {ADVICE}"
        )


def available() -> int | None:
    """Returns how many bytes the process may still take; None where the system does not tell."""
    found = [left for left in (_of_machine(), _of_container(), _of_process()) if left is not None]
    return max(0, min(found)) if found else None


def _of_machine() -> int | None:
    lines = _read("/proc/meminfo").splitlines()
    sizes = {line.partition(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    if "MemAvailable" not in sizes:
        return None
    return 1024 * (int(sizes["MemAvailable"]) + int(sizes.get("SwapFree", "0")))


def _of_container() -> int | None:
    most = _read("/sys/fs/cgroup/memory.max").strip()
    stat = dict(line.split() for line in _read("/sys/fs/cgroup/memory.stat").splitlines())
    if not most.isdigit() or "anon" not in stat:
        return None
    return int(most) - int(stat["anon"])


def _of_process() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _read("/proc/self/statm").split()
    if soft == resource.RLIM_INFINITY or not pages:
        return None
    return soft - int(pages[0]) * resource.getpagesize()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
