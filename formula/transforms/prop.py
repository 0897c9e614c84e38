"""`prop(successes, trials)`: the response of a binomial model."""

from typing import Any

import numpy as np

from ...errors import DataError, offenders
from ..values import ResponseValue, Transform


def apply(successes: Any, trials: Any) -> ResponseValue:
    """Pairs counts of successes with counts of trials.

    Args:
        successes: whole numbers, shape (obs,).
        trials: whole numbers >= successes, shape (obs,), or one number for all rows.

    Raises:
        DataError: trials are not whole, or fewer than successes or than 1.
    """
    y = np.asarray(successes, dtype=np.float64)
    n = np.broadcast_to(np.asarray(trials, dtype=np.float64), y.shape).copy()
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero((n < 1) | (n != np.floor(n)) | (y > n))
    if bad.size:
        raise DataError(
            f"prop(): trials must be whole numbers >= 1 and >= successes, but {bad.size:,} of "
            f"{len(n):,} rows are not ({offenders(bad.tolist(), n[bad].tolist())} trials)."
        )
    return ResponseValue(y, {"trials": n})


PROP = Transform("prop", apply, role="response", story="Successes out of trials.")
