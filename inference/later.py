"""Arrays that are computed when they are first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Later(Mapping[str, Any]):
    """A mapping of which some values are computed, all at once, when one of them is first read.

    Args:
        ready: the values that there are.
        names: the names of the others.
        compute: returns the others.
    """

    def __init__(
        self,
        ready: Mapping[str, Any],
        names: tuple[str, ...],
        compute: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._ready = dict(ready)
        self._names = tuple(name for name in names if name not in self._ready)
        self._compute: Callable[[], Mapping[str, Any]] | None = compute
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Any:
        if name in self._names and name not in self._ready:
            with self._lock:
                if self._compute is not None:
                    found = self._compute()
                    self._ready |= {name: found[name] for name in self._names}
                    self._compute = None
        return self._ready[name]

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._ready if name not in self._names)
        yield from self._names

    def __len__(self) -> int:
        return len(set(self._ready) | set(self._names))

    def __contains__(self, name: object) -> bool:
        return name in self._ready or name in self._names
