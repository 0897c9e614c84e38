"""Every error that bayeszoo raises, and the helpers that word them.

A message says what you wrote and where, what was found, what is allowed, and the nearest fix.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence


class BayeszooError(Exception):
    """The base of every error of bayeszoo."""


class FormulaError(BayeszooError, ValueError):
    """A formula cannot be read, or does not fit the data."""


class UnsafeFormulaError(FormulaError):
    """A formula holds something that bayeszoo never evaluates."""


class DataError(BayeszooError, ValueError):
    """The data cannot be used as given."""


class DataTypeError(DataError, TypeError):
    """The data, or a column of it, is of a kind that bayeszoo does not read."""


class FamilyError(BayeszooError, ValueError):
    """A family or link is unknown, or the response lies outside its support."""


class PriorError(BayeszooError, ValueError):
    """A prior is unknown, malformed, or names a parameter that the model lacks."""


class OptionError(BayeszooError, ValueError):
    """A method or an option of a call is unknown or out of range."""


class LevelError(BayeszooError, ValueError):
    """New data hold a level that the model never saw."""


class FitError(BayeszooError, RuntimeError):
    """A fit could not be carried out."""


class FileError(BayeszooError, OSError):
    """A file cannot be read or written as a fit."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Returns " Nearest: `a`, `b`." for the names most like `name`, or an empty string."""
    names = [str(candidate) for candidate in allowed]
    lower = {candidate.lower(): candidate for candidate in names}
    close = difflib.get_close_matches(str(name).lower(), list(lower), n=2, cutoff=0.6)
    if not close:
        return ""
    return " Nearest: " + ", ".join(f"`{lower[c]}`" for c in close) + "."


def shown(value: object, limit: int = 200) -> str:
    """Returns a value as it is written, on one line and not too long; else what it is."""
    try:
        text = repr(value)
    except Exception:  # a user's own class
        text = ""
    if not text or "\n" in text or " at 0x" in text:
        return f"a value of type {type(value).__name__}"
    return _clip(text, limit)


def listing(names: Iterable[object], limit: int = 20) -> str:
    """Returns names as a comma-separated text, cut after `limit` of them."""
    items = [str(name) for name in names]
    text = ", ".join(items[:limit])
    return text if len(items) <= limit else f"{text}, ... ({len(items)} in all)"


def pointer(source: str, fragment: str, start: int | None = None) -> str:
    """Returns two lines: the source, and carets below the fragment; no carets where it is not found.

    Whole words are preferred; blanks and the kind of quotation marks do not matter.
    """
    at, length = (start, len(fragment)) if start is not None else _find(source, fragment)
    if at < 0 or not fragment:
        return f"\n  {_clip(visible(source))}"
    begin = source.rfind("\n", 0, at) + 1
    end = source.find("\n", at)
    line = source[begin:] if end < 0 else source[begin:end]
    column = at - begin
    if len(line) > 160:
        cut = max(0, column - 60)
        line, column = line[cut : cut + 160], column - cut
    carets = "^" * min(length, 80, max(1, len(line) - column))
    return f"\n  {visible(line)}\n  {' ' * column}{carets}"


def visible(text: str) -> str:
    """Returns a text as long as it was, with a sign for each character that does not show."""
    return "".join(
        c if c.isprintable() or c == "\n" else " " if c == "\t" else "\ufffd" for c in text
    )


def _find(source: str, fragment: str) -> tuple[int, int]:
    """Returns where a fragment stands in a source and how long it is there; -1 if nowhere."""
    bare = "".join(fragment.split())[:200]
    if not bare:
        return -1, 0
    loose = r"\s*".join("['\"]" if c in "'\"" else re.escape(c) for c in bare)
    before = r"(?<![\w.])" if bare[0].isalnum() or bare[0] == "_" else ""
    after = r"(?![\w.])" if bare[-1].isalnum() or bare[-1] == "_" else ""
    match = re.search(before + loose + after, source) or re.search(loose, source)
    return (match.start(), match.end() - match.start()) if match else (-1, 0)


def sentences(*parts: str) -> str:
    """Joins those of some sentences that are not empty."""
    return " ".join(part.strip() for part in parts if part.strip())


def offenders(rows: Sequence[object], values: Sequence[object], limit: int = 3) -> str:
    """Returns "first: row 3 = -0.12, row 7 = 0.5" for the first few offending rows."""
    pairs = list(zip(rows, values, strict=False))[:limit]
    return "first: " + ", ".join(f"row {row} = {_plain(value)}" for row, value in pairs)


def _plain(value: object) -> str:
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return f"{plain:g}" if isinstance(plain, float) else str(plain)


def _clip(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
