"""Stored fits of earlier versions, brought up to date one format after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import FileError

FORMAT = 3
"""The format that is written."""

Header = dict[str, Any]


def _from_1(header: Header) -> Header:
    """Format 2 added masks, and bases given as arrays."""
    return {**header, "mask": None, "kernels": {}}


def _from_2(header: Header) -> Header:
    """Format 3 added the seal of the file and the version that wrote it."""
    return {**header, "bayeszoo": header["info"].get("versions", {}).get("bayeszoo_version", "")}


MIGRATIONS: dict[int, Callable[[Header], Header]] = {1: _from_1, 2: _from_2}
"""Format -> what makes a header of the next one."""
UNSEALED = (1, 2)
"""Formats whose files have no seal."""


def migrate(header: Any, name: str, sealed: bool) -> Header:
    """Returns the header of a stored fit in today's format.

    Args:
        header: as it was read.
        name: of the file, for messages.
        sealed: whether the file had a seal.

    Raises:
        FileError: the format is unknown, or of a later version, or the seal is missing.
    """
    version = header.get("format") if isinstance(header, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < min(MIGRATIONS):
        raise FileError(f"`{name}` has no format that bayeszoo ever wrote; it says {version!r}.")
    if version > FORMAT:
        by = header.get("bayeszoo", "a later version")
        raise FileError(
            f"`{name}` was saved by bayeszoo {by} in format {version}; this version reads formats up "
            f"to {FORMAT}. Install a later version of bayeszoo to read it."
        )
    if version not in UNSEALED and not sealed:
        raise FileError(
            f"`{name}` is incomplete, or was changed after it was saved. Save the fit again, or take "
            "another copy of the file."
        )
    while version < FORMAT:
        header = {**MIGRATIONS[version](header), "format": version + 1}
        version += 1
    return header
