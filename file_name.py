"""Names of files, as users give them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .errors import FileError, OptionError, shown


def as_path(given: Any, name: str = "path") -> Path:
    """Returns the path that a user names; `~` is the home folder.

    Raises:
        OptionError: it is no text and no path.
        FileError: no file can have this name.
    """
    if isinstance(given, bytes):
        given = os.fsdecode(given)
    if not isinstance(given, str | os.PathLike):
        raise OptionError(f"{name}= takes the name of a file, not {shown(given)}.")
    found = Path(given)
    try:
        found = found.expanduser()
        os.stat(found)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error).split(":")[0].rstrip(".")
        raise FileError(f"{shown(given)} cannot be the name of a file: {reason}.") from None
    return found
