"""Check-points: the state of a run in a file, from which the run goes on after whatever ended it.

The file is NumPy's npz, never pickle: named arrays, and a header in JSON with the version of the
format, what the run is a run of, and a digest of the arrays. It is replaced as a whole, so that at any
moment there is the last complete one. A state is complete and exact: a run that goes on returns, on the
same machine and with the same versions, bit for bit what it would have returned uninterrupted.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError, OptionError, listing
from ..file_name import as_path
from .atomic import replacing
from .programs import environment

FORMAT = 1
EVERY = 10.0
"""Seconds from one writing to the next, unless it is said otherwise."""
SHARE = 0.03
"""The most of a run's time that writing may take, where it takes long."""
SHOWN = 60

Arrays = Mapping[str, np.ndarray]


class Checkpoint:
    """The file of a run, and when it was last written.

    Args:
        path: the file; its folder must exist.
        identity: what the run is a run of.
        every: seconds from one writing to the next.

    Raises:
        FileError: the file cannot be read, is no check-point, or is that of another run.
        OptionError: every= is no number of seconds.
    """

    def __init__(self, path: Any, identity: Mapping[str, Any], every: float = EVERY) -> None:
        self.path = _path(path)
        self.every = _seconds(every)
        self._identity = json.loads(json.dumps(identity, default=str))
        self._lock = threading.Lock()
        self._due = time.monotonic() + self.every
        self._resumed = self._trouble = ""
        self.arrays: Arrays | None = self._read() if self.path.exists() else None

    def offer(self, state: Callable[[], Arrays], force: bool = False) -> None:
        """Writes a state where it is time to; safe to call from several threads.

        A disk that is full does not end the run, which goes on and tries again later.

        Args:
            state: makes the arrays.
            force: whether it is time whatever the clock says.
        """
        if not force and time.monotonic() < self._due:
            return
        if not self._lock.acquire(blocking=force):
            return
        try:
            started = time.monotonic()
            self._write(state())
            took = time.monotonic() - started
            self._due = time.monotonic() + max(self.every, took / SHARE)
            self._trouble = ""
        except OSError as error:
            self._due = time.monotonic() + self.every
            self._trouble = f"the check-point `{self.path}` could not be written: {_reason(error)}."
        finally:
            self._lock.release()

    def start(self, state: Callable[[], Arrays]) -> None:
        """Writes the first state, so that a file that cannot be written is known at once.

        Raises:
            FileError: the file cannot be written.
        """
        self.offer(state, force=True)
        if self._trouble:
            raise FileError(f"{self._trouble} Make room, or choose another file.")

    @property
    def notes(self) -> tuple[str, ...]:
        """Findings about the fit that the check-point gives reason to."""
        stale = f"{self._trouble} What it holds is older than the fit." if self._trouble else ""
        return tuple(note for note in (self._resumed, stale) if note)

    def _write(self, arrays: Arrays) -> None:
        header = {
            "format": FORMAT,
            "run": self._identity,
            "machine": _machine(),
            "digest": _digest(arrays),
        }
        text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        with replacing(self.path) as part, open(part, "wb") as file:
            np.savez(file, **{"header": text, **arrays})  # pyright: ignore[reportArgumentType]

    def _read(self) -> Arrays:
        header, arrays = read(self.path)
        other = _difference(header.get("run"), self._identity)
        if other:
            raise FileError(
                f"`{self.path}` is the check-point of another run: {listing(other, 4)}. Give "
                "checkpoint= another name, or delete the file where that run is no longer needed."
            )
        if header.get("machine") != _machine():
            self._resumed = (
                "the fit went on from a check-point of another machine or of other versions of "
                "libraries. Its draws are as good, but not bit for bit those of an uninterrupted fit."
            )
        return arrays


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Reads a file whole and checks its digest.

    Raises:
        FileError: it cannot be read, is damaged, or is no check-point.
    """
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > size:
                raise ValueError("it claims to hold more than its size")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
        good = header.get("digest") == _digest(arrays)
    except Exception as error:  # whatever a foreign or damaged file makes its readers raise
        raise FileError(_unreadable(path, _reason(error))) from None
    if header.get("format") != FORMAT:
        raise FileError(
            f"the check-point `{path}` has format {header.get('format')!r}; this version of bayeszoo "
            f"reads {FORMAT}. Go on with the version that wrote it, or delete the file to start again."
        )
    if not good:
        raise FileError(_unreadable(path, "its digest does not fit"))
    return header, arrays


def damaged(saved: Checkpoint | None) -> FileError:
    """Returns the error about arrays that do not fit the model."""
    path = Path() if saved is None else saved.path
    return FileError(_unreadable(path, "its arrays do not fit the model"))


def _unreadable(path: Path, reason: str) -> str:
    return (
        f"`{path}` cannot be read as a check-point: {reason}. If it is one, it is damaged: delete it "
        "to start again. If it is another file of yours, give checkpoint= another name."
    )


def _path(path: Any) -> Path:
    found = as_path(path, "checkpoint")
    if found.is_dir():
        raise FileError(f"checkpoint= takes the name of a file; `{found}` is a folder.")
    if not found.parent.is_dir():
        raise FileError(f"cannot write `{found}`: there is no folder `{found.parent}`.")
    return found


def _seconds(every: Any) -> float:
    good = isinstance(every, int | float) and not isinstance(every, bool) and every >= 0
    if not good:
        raise OptionError(f"checkpoint_every= takes a number of seconds, not {every!r}.")
    return float(every)


def _difference(there: Any, here: Mapping[str, Any]) -> list[str]:
    """Returns what differs between two runs, in words."""
    if not isinstance(there, dict):
        return ["it says nothing of itself"]
    out = []
    for name in sorted(set(there) | set(here)):
        a, b = there.get(name), here.get(name)
        if a != b:
            plain = name.removeprefix("option ")
            brief = not isinstance(a, dict) and name not in ("data", "mask")
            shown = f"its {plain} is {_clip(a)} there and {_clip(b)} here"
            out.append(shown if brief else f"it has other {plain}")
    return out


def _clip(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _machine() -> str:
    return hashlib.sha256(environment().encode()).hexdigest()


def _digest(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(repr((name, array.shape, array.dtype.str)).encode())
        digest.update(array.data)
    return digest.hexdigest()


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
