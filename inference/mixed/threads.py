"""Threads of linear algebra: one, where starting and joining many takes longer than the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps BLAS and LAPACK to one thread, where threadpoolctl is installed, which can do it.

    Their threads wait for one another many times in one factorisation, which takes many times as long
    as the arithmetic where other programs keep the cores busy.
    """
    try:
        from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingImports]
    except ImportError:
        yield
        return
    with threadpool_limits(limits=1, user_api="blas"):
        yield
