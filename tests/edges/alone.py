"""Judges an edge in a process of its own, whose peak memory is then of this fit alone."""

import multiprocessing
import re
from pathlib import Path

from .cases import EDGES
from .edge import judge


def judge_alone(place: int, method: str) -> tuple[str, str]:
    """Returns the outcome of an edge, and its detail with the peak of resident memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        outcome, detail, before, peak = pool.apply(_judge, (place, method))
    return outcome, f"{detail}; peak memory {peak:.2f} GB, {before:.2f} GB before the fit"


def _judge(place: int, method: str) -> tuple[str, str, float, float]:
    before = _peak()
    return *judge(EDGES[place], method), before, _peak()


def _peak() -> float:
    """In GB; of this program only, while `ru_maxrss` counts that of the process that forked it, too."""
    status = Path("/proc/self/status").read_text("utf-8")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, "this system tells no peak memory"
    return int(found[1]) / 1024**2
