"""`censored(y, status)`: values known only to lie above (right) or below (left) what is written."""

from typing import Any

import numpy as np

from ...errors import DataError, DataTypeError, listing
from ..tables import Categories
from ..values import ResponseValue, Transform

CODES = {"none": 0.0, "right": 1.0, "left": -1.0, "0": 0.0, "1": 1.0, "-1": -1.0}
CODES |= {"False": 0.0, "True": 1.0, "observed": 0.0}


def apply(y: Any, status: Any) -> ResponseValue:
    """Attaches the kind of censoring of each row.

    Args:
        y: the value, or the bound that it exceeds (right) or stays below (left); shape (obs,).
        status: "none", "right", "left"; or 0, 1, -1; or False, True (right); shape (obs,).

    Raises:
        DataError: another status.
    """
    if isinstance(y, Categories):
        raise DataTypeError(f"censored(): the response holds the levels {listing(y.levels, 5)}.")
    response = y if isinstance(y, ResponseValue) else ResponseValue(np.asarray(y, dtype=np.float64))
    if isinstance(status, Categories):
        unknown = [level for level in status.levels if str(level) not in CODES]
        codes = np.array([CODES.get(str(level), 0.0) for level in status.levels] + [np.nan])
        found = codes[status.codes]
    else:
        found = np.broadcast_to(np.asarray(status, dtype=np.float64), response.values.shape).copy()
        unknown = sorted({f"{v:g}" for v in found if not np.isnan(v) and v not in (-1, 0, 1)})
    if unknown:
        raise DataError(
            f"censored(): the status is `none`, `right` or `left` (or 0, 1, -1), but the data "
            f"hold {listing(unknown)}."
        )
    return ResponseValue(response.values, {**response.extras, "status": found})


CENSORED = Transform(
    "censored", apply, role="response", numeric=False, story="Left- or right-censored values."
)
