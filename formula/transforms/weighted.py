"""`weighted(y, w)`: each row's log-likelihood counts w times."""

from typing import Any

import numpy as np

from ...errors import DataError, offenders
from ..values import ResponseValue, Transform


def apply(y: Any, weights: Any) -> ResponseValue:
    """Attaches weights >= 0, shape (obs,), to a response.

    Raises:
        DataError: a weight is negative.
    """
    response = y if isinstance(y, ResponseValue) else ResponseValue(np.asarray(y, dtype=np.float64))
    w = np.broadcast_to(np.asarray(weights, dtype=np.float64), response.values.shape).copy()
    bad = np.flatnonzero(w < 0)
    if bad.size:
        raise DataError(
            f"weighted(): weights must be >= 0, but {bad.size:,} of {len(w):,} are negative "
            f"({offenders(bad.tolist(), w[bad].tolist())})."
        )
    if not np.any(w > 0):
        raise DataError("weighted(): all weights are 0, so that no row counts.")
    return ResponseValue(response.values, {**response.extras, "weights": w})


WEIGHTED = Transform("weighted", apply, role="response", story="Rows that count w times.")
