"""`lag(x, 2)`: the value of an earlier row; the first rows have none and are dropped."""

from typing import Any

import numpy as np

from ...errors import FormulaError, shown
from ..values import Transform


def apply(x: Any, k: int = 1) -> np.ndarray:
    """Shifts a column by k rows.

    Args:
        x: numeric column, shape (obs,), rows in order of time.
        k: rows to look back; negative looks ahead.
    """
    if not isinstance(k, int) or isinstance(k, bool):
        raise FormulaError(f"lag() takes a whole number of rows, not {shown(k)}.")
    values = np.asarray(x, dtype=np.float64)
    out = np.full_like(values, np.nan)
    if k == 0:
        out[:] = values
    elif 0 < k < len(values):
        out[k:] = values[:-k]
    elif 0 < -k < len(values):
        out[:k] = values[-k:]
    return out


def past(x: Any, k: Any = 1) -> bool:
    """Whether the row lies strictly before the present one."""
    return not (isinstance(k, int) and k < 1)


LAG = Transform("lag", apply, past=past, story="The value k rows earlier.")
