"""What the command line reads and prints: tables in files, tables as text."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .errors import FileError, listing, nearest
from .file_name import as_path

READERS = {
    ".csv": ("read_csv", {}),
    ".csv.gz": ("read_csv", {}),
    ".tsv": ("read_csv", {"sep": "\t"}),
    ".tsv.gz": ("read_csv", {"sep": "\t"}),
    ".parquet": ("read_parquet", {}),
    ".feather": ("read_feather", {}),
}
FORMATS = {
    "ess_bulk": "{:.0f}",
    "ess_tail": "{:.0f}",
    "r_hat": "{:.3f}",
    "p_positive": "{:.3f}",
    "p_value": "{:.3g}",
    "p_direction": "{:.3f}",
    "weight": "{:.3f}",
}


def read_table(path: str) -> pd.DataFrame:
    """Reads a table from a file whose kind its name tells.

    Raises:
        FileError: the file is missing, of an unknown kind, or unreadable.
    """
    file = as_path(path)
    if not file.exists():
        near = nearest(file.name, _siblings(file))
        raise FileError(f"there is no file `{path}`.{near}")
    if file.is_dir():
        raise FileError(f"`{path}` is a folder, not a table.")
    suffix = "".join(file.suffixes[-2:]).lower()
    suffix = suffix if suffix in READERS else file.suffix.lower()
    if suffix not in READERS:
        raise FileError(
            f"`{path}` is of a kind that bayeszoo does not read. Kinds: {listing(READERS)}."
        )
    reader, options = READERS[suffix]
    try:
        return getattr(pd, reader)(file, **options)
    except ImportError:
        raise FileError(
            f"reading `{path}` needs the package pyarrow; install it, or save the table as CSV."
        ) from None
    except Exception as error:  # pandas and its engines raise many kinds
        reason = " ".join(str(error).split())[:300]
        raise FileError(f"`{path}` cannot be read as {suffix}: {reason}") from None


def check_target(path: str | Path) -> None:
    """Checks that a file can be written, before the work that fills it.

    Raises:
        FileError: its folder is missing, or the name is a folder's.
    """
    target = as_path(path)
    if target.is_dir():
        raise FileError(f"cannot write `{path}`: it is a folder.")
    if not target.parent.is_dir():
        raise FileError(f"cannot write `{path}`: there is no folder `{target.parent}`.")


def text_table(table: pd.DataFrame) -> str:
    """Returns a table as aligned text, every column and row of it; missing numbers are blank."""
    head = [str(table.index.name or ""), *(str(column) for column in table.columns)]
    columns = [[str(name) for name in table.index]]
    for name in table.columns:
        columns.append([as_text(value, FORMATS.get(str(name))) for value in table[name]])
    lines = []
    for row in zip(
        *([title, *column] for title, column in zip(head, columns, strict=True)), strict=True
    ):
        cells = []
        for position, (cell, title, column) in enumerate(zip(row, head, columns, strict=True)):
            width = max(len(title), *(len(entry) for entry in column), 0)
            cells.append(cell.rjust(width) if _numeric(table, position) else cell.ljust(width))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _numeric(table: pd.DataFrame, position: int) -> bool:
    return position > 0 and pd.api.types.is_numeric_dtype(table.dtypes.iloc[position - 1])


def as_text(value: Any, form: str | None) -> str:
    """Returns a value as text: about four digits, or as a format says; blank where it is missing."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not isinstance(value, int | float | np.number):
        return "" if value is None or value is pd.NA else str(value)
    if math.isnan(value):
        return ""
    if form:
        return form.format(value)
    if isinstance(value, int | np.integer):
        return str(value)
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)))
    return f"{value:.{max(0, 3 - exponent)}f}" if -5 < exponent < 7 else f"{value:.3e}"


def _siblings(file: Path) -> list[str]:
    try:
        return [entry.name for entry in file.parent.iterdir() if entry.is_file()]
    except OSError:
        return []
