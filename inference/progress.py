"""A progress bar on one line of the terminal; silent where there is none."""

from __future__ import annotations

import sys
import threading
import time


class Progress:
    """Counts steps from several threads and redraws at most ten times a second."""

    def __init__(self, label: str, total: int, visible: bool) -> None:
        self._label, self._total, self._done = label, total, 0
        self._visible = visible and sys.stderr is not None and sys.stderr.isatty()
        self._start = self._last = time.perf_counter()
        self._lock = threading.Lock()

    def advance(self, steps: int) -> None:
        """Counts some steps."""
        with self._lock:
            self._done += steps
            now = time.perf_counter()
            if self._visible and now - self._last > 0.1:
                self._last = now
                share = self._done / self._total
                bar = "#" * int(24 * share)
                sys.stderr.write(
                    f"\r{self._label} [{bar:<24}] {share:4.0%} {now - self._start:.0f} s"
                )
                sys.stderr.flush()

    def close(self) -> None:
        """Clears the line."""
        if self._visible:
            sys.stderr.write("\r" + " " * 60 + "\r")
            sys.stderr.flush()
