"""Work in threads that Ctrl-C ends early, so that what was done until then is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from .backend import Draws

Result = TypeVar("Result")
SEGMENT = 0.5
"""Seconds that one call of a program should take: as long as Ctrl-C waits."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a method early; whoever does not ask for its draws sees a KeyboardInterrupt.

    Attributes:
        draws: what there was until then.
    """

    def __init__(self, draws: Draws) -> None:
        super().__init__("interrupted")
        self.draws = draws


def together(
    tasks: Sequence[Callable[[threading.Event], Result]], workers: int
) -> tuple[list[Result], bool]:
    """Runs tasks in threads until all are done, or until Ctrl-C.

    Args:
        tasks: each takes an event and returns soon after it was set.
        workers: how many run at a time.

    Returns:
        What the tasks returned, and whether Ctrl-C came. A second Ctrl-C is raised.

    Raises:
        KeyboardInterrupt: Ctrl-C came before the tasks began.
    """
    begin, stop = threading.Event(), threading.Event()

    def begun(task: Callable[[threading.Event], Result]) -> Result:
        begin.wait()  # until all are there: Ctrl-C between two of them would lose what they do
        return task(stop)

    futures: list[Future[Result]] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            futures = [pool.submit(begun, task) for task in tasks]
            begin.set()
            return [future.result() for future in futures], False
        except KeyboardInterrupt:
            all_there = begin.is_set()
            stop.set()
            begin.set()
            if not all_there:
                raise
            return [future.result() for future in futures], True
        except BaseException:
            stop.set()
            begin.set()
            raise


class Pace:
    """How many iterations to run in one call, from how long the last call took."""

    def __init__(self, most: int) -> None:
        self._most, self._count, self._started = most, max(1, most // 10), 0.0

    def next(self, left: int) -> int:
        """Returns a count of iterations, of so many that are left, and starts the clock."""
        self._started, self._count = time.perf_counter(), min(self._count, left)
        return self._count

    def done(self) -> None:
        """Stops the clock."""
        seconds = max(time.perf_counter() - self._started, 1e-6)
        fitting = min(int(self._count * SEGMENT / seconds), 5 * self._count, self._most)
        self._count = max(1, fitting)


def rectangle(lengths: Sequence[int]) -> tuple[list[int], int]:
    """Chooses chains of one length from chains of several, so that most draws are kept.

    Args:
        lengths: how many draws each chain has.

    Returns:
        The positions of the chains, and how many draws of each are kept; none where there are none.

    Example:
        >>> rectangle([1000, 900, 10, 0])
        ([0, 1], 900)
    """
    draws = max(lengths, key=lambda n: n * sum(length >= n for length in lengths), default=0)
    chosen = [i for i, length in enumerate(lengths) if length >= draws > 0]
    return chosen, draws


def sentence(extent: str, path: Any = None) -> str:
    """Returns the finding about a fit that Ctrl-C ended, and how to go on."""
    again = (
        "Fit again for the rest; with checkpoint= the same call would go on."
        if path is None
        else f"The same call goes on from `{path}`."
    )
    return f"Ctrl-C ended the fit early: {extent}. {again}"
