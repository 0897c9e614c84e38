"""`history(25)`: one coefficient for each bin of a window."""

from typing import Any

import numpy as np

from ...errors import FormulaError
from ..basis import Basis, whole


def _options(window: Any) -> dict[str, Any]:
    if window is None:
        raise FormulaError('window is a number of bins, or a time such as "200ms", not None.')
    if not isinstance(window, str):
        whole("window", window, 1)
    return {}


def _values(x: np.ndarray) -> np.ndarray:
    return np.eye(len(x))


HISTORY = Basis(
    name="history",
    options=_options,
    values=_values,
    equation="1 in bin i, 0 elsewhere",
    story="A free filter: each lag has its own coefficient; wants much data, or a strong prior.",
    source="Truccolo et al. (2005), J Neurophysiol 93: 1074",
    on_values=False,
    size=lambda window: window,
)
