"""`offset(log(exposure))`: a column added to the linear predictor with coefficient 1."""

from typing import Any

import numpy as np

from ...errors import FormulaError
from ..values import Transform


def apply(value: Any) -> Any:
    """Returns the values to add, shape (obs,)."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 1:
        raise FormulaError("offset() takes one numeric column.")
    return array


OFFSET = Transform("offset", apply, role="offset", story="Adds a column with coefficient 1.")
