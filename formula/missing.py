"""Which rows of a column lack a value, found block by block; infinite values are refused."""

from __future__ import annotations

import numpy as np

from ..errors import DataError, offenders, pointer
from .streams import BLOCK, Stream

LARGEST = 1e100
SMALLEST = 1e-100


def missing_at(
    name: str, values: np.ndarray | Stream, rows: np.ndarray, source: str, numbers: int = BLOCK
) -> np.ndarray:
    """Returns where rows of the table lack a value, boolean, shape (len(rows),).

    Args:
        name: of the expression, for messages.
        values: shape (obs,) or (obs, k).
        rows: positions in the table.
        source: the formula, for messages.
        numbers: how many are looked at together.

    Raises:
        DataError: values are infinite or beyond 1e100, with their count and the first rows.
    """
    lacks, bad = np.zeros((2, len(rows)), dtype=bool)
    size = max(1, numbers // max(int(np.prod(values.shape[1:])), 1))
    for start in range(0, len(rows), size):
        part = values[rows[start : start + size]]
        part = part.reshape(len(part), -1)
        if not _is_plain(part):
            here = slice(start, start + len(part))
            lacks[here] = np.isnan(part).any(axis=1)
            with np.errstate(invalid="ignore"):
                bad[here] = (np.abs(part) > LARGEST).any(axis=1)
    if bad.any():
        _refuse(name, values[rows[bad]].reshape(int(bad.sum()), -1), rows[bad], len(rows), source)
    return lacks


def check_size(name: str, values: np.ndarray, source: str) -> None:
    """Refuses numbers of which none is large enough to be squared.

    Raises:
        DataError: all are below 1e-100, and not all 0.
    """
    largest = float(np.max(np.abs(values), initial=0.0, where=~np.isnan(values)))
    if 0 < largest < SMALLEST:
        raise DataError(
            f"`{name}` is nowhere beyond {largest:.3g}, so that its square is no number. Change its "
            f"unit.{pointer(source, name)}"
        )


def _is_plain(values: np.ndarray) -> bool:
    """Whether values (obs, k) are all finite and of a size that can be squared; two quick passes."""
    if not values.size:
        return True
    with np.errstate(all="ignore"):
        sums = values @ np.ones(values.shape[1])
    return bool(np.isfinite(sums).all() and max(values.max(), -values.min()) <= LARGEST)


def _refuse(name: str, values: np.ndarray, bad: np.ndarray, total: int, source: str) -> None:
    """Raises for values (len(bad), k) of bad rows: infinite ones first."""
    infinite = np.isinf(values).any(axis=1)
    if infinite.any():
        bad, values = bad[infinite], values[infinite]
        raise DataError(
            f"`{name}` is infinite in {len(bad):,} of {total:,} rows "
            f"({offenders(bad.tolist(), values.max(axis=1).tolist())}).{pointer(source, name)}"
        )
    raise DataError(
        f"`{name}` exceeds {LARGEST:g} in {len(bad):,} of {total:,} rows "
        f"({offenders(bad.tolist(), values.max(axis=1).tolist())}), so that its square is no "
        f"number. Change its unit.{pointer(source, name)}"
    )
