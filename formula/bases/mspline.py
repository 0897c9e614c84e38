"""`mspline(8, 200)`: splines that each integrate to 1."""

from typing import Any

import numpy as np

from ..basis import Basis
from .bspline import clamped_knots, spline_options, splines


def _options(n: Any, window: Any = None, order: Any = 4) -> dict[str, Any]:
    return spline_options(n, order)


def _values(x: np.ndarray, n: int, order: int) -> np.ndarray:
    knots = clamped_knots(n, order)
    return splines(x, knots, order) * (order / (knots[order:] - knots[:-order]))


MSPLINE = Basis(
    name="mspline",
    options=_options,
    values=_values,
    equation="M_i(x) = k / (t_{i+k} - t_i) B_{i,k}(x), k = order, B and t as in bspline",
    story="Densities: positive functions of area 1, whose coefficients are masses.",
    source="Ramsay (1988), Statistical Science 3: 425",
    density=True,
)
