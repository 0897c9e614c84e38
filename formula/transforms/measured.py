"""`measured(y, se)`: a response whose standard error is known for each row, as in a meta-analysis."""

from typing import Any

import numpy as np

from ...errors import DataError, offenders
from ..values import ResponseValue, Transform


def apply(y: Any, standard_error: Any) -> ResponseValue:
    """Attaches known standard errors > 0 (in units of y), shape (obs,).

    Raises:
        DataError: a standard error is not positive.
    """
    response = y if isinstance(y, ResponseValue) else ResponseValue(np.asarray(y, dtype=np.float64))
    se = np.broadcast_to(np.asarray(standard_error, dtype=np.float64), response.values.shape).copy()
    bad = np.flatnonzero(se <= 0)
    if bad.size:
        raise DataError(
            f"measured(): standard errors must be positive, but {bad.size:,} of {len(se):,} are not "
            f"({offenders(bad.tolist(), se[bad].tolist())})."
        )
    return ResponseValue(response.values, {**response.extras, "standard_error": se})


MEASURED = Transform("measured", apply, role="response", story="Known standard error per row.")
