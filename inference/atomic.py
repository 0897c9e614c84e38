"""Files that appear whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

_count = itertools.count()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields the name of a file to write, which takes the place of `path` when all went well.

    The file is written beside `path`, forced to the disk and renamed, which file systems do in one
    step. After an error it is removed. A process that is killed leaves it behind; the next one that
    writes to `path` removes it.

    Args:
        path: the file; where it is a link, what it points to is replaced.
    """
    target = Path(os.path.realpath(path))
    _sweep(target)
    part = target.parent / f".{target.name}.{_host()}-{os.getpid()}-{next(_count)}.part"
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    _sync_folder(target.parent)


def _host() -> str:
    return "".join(letter for letter in platform.node() if letter.isalnum()) or "here"


def _sweep(target: Path) -> None:
    """Removes what processes of this machine left that were killed while they wrote the file."""
    pattern = f".{glob.escape(target.name)}.{_host()}-*.part"
    for part in target.parent.glob(pattern):
        number = part.name.removesuffix(".part").rsplit("-", 2)[1]
        if number.isdigit() and not _alive(int(number)):
            with contextlib.suppress(OSError):
                part.unlink()


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # there a file that is being written cannot be removed
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Makes a renaming last beyond a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
