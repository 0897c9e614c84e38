"""Many fits on the workers of a dask cluster: pure tasks, each a chunk of data sets.

What travels back are arrays, or what the user's reduction keeps of them; models are built anew here.
A task depends on nothing but its arguments, so that dask may run it again where a worker died.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ..errors import OptionError
from .backend import Draws
from .fit import Fit
from .many import Item, Job, fit_items, keep
from .progress import Progress

LARGEST = 32
"""Data sets of one task, at most."""
AHEAD = 4
"""Tasks that wait for each thread of a worker."""


@dataclass(frozen=True, eq=False)
class Reply:
    """What a worker sends of a fit.

    Attributes:
        draws: what the backend returned, without the object of another library.
        seconds: how long it took.
    """

    draws: Draws
    seconds: float


def work(job: Job, chunk: list[Item]) -> list[Any]:
    """Fits a chunk of data sets; runs on a worker.

    Returns:
        For each data set a `Reply`, what the reduction keeps, or the error that it met.
    """
    out = []
    for _, outcome in fit_items(job, chunk):
        if isinstance(outcome, Fit) and job.reduce is None:
            natural = dict(outcome.draws.natural)  # arrays, also where they are made when read
            bare = replace(outcome.draws, natural=natural, result=None)
            out.append(Reply(bare, outcome.info["timings"]["fit"]))
        else:
            out.append(keep(job, outcome))
    return out


def spread(
    client: Any, job: Job, items: Iterator[Item], count: int, bar: Progress
) -> Generator[tuple[Any, Any]]:
    """Yields the name of each data set with what is kept of its fit, in order.

    Args:
        client: a synchronous `dask.distributed.Client`.
        job: what the fits have in common.
        items: the data sets.
        count: how many they are, or 0.
        bar: counts data sets.

    Raises:
        OptionError: dask.distributed is not installed, or client is no client of it.
    """
    threads = _threads(client)
    size = min(LARGEST, max(1, count // (AHEAD * threads))) if count else LARGEST // 4
    waiting: deque[tuple[list[Item], Any]] = deque()

    def submit() -> None:
        if chunk := list(islice(items, size)):
            waiting.append((chunk, client.submit(work, job, chunk, pure=False)))

    try:
        for _ in range(AHEAD * threads):
            submit()
        while waiting:
            chunk, future = waiting.popleft()
            replies = future.result()
            future.release()
            submit()
            for (index, name, table), reply in zip(chunk, replies, strict=True):
                bar.advance(1)
                if isinstance(reply, Reply):
                    model = job.build(table)
                    reply = model.fitted(job.run(index), reply.draws, reply.seconds)
                yield name, reply
    finally:
        for _, future in waiting:
            future.cancel()


def _threads(client: Any) -> int:
    """Returns how many tasks the workers of a client run at a time."""
    try:
        from distributed import Client
    except ImportError:
        raise OptionError(
            "client= needs dask.distributed, which is not installed: pip install "
            '"bayeszoo[dask]". Without client= the fits run in this process.'
        ) from None
    if not isinstance(client, Client) or client.asynchronous:
        raise OptionError(
            "client= takes a dask.distributed.Client that is not asynchronous, not "
            f"{type(client).__name__}."
        )
    known: Any = client.nthreads()
    return max(1, sum(known.values()))
