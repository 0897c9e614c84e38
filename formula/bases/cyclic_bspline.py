"""`cyclic_bspline(8)`: splines on a circle, for phases and directions."""

from typing import Any

import numpy as np

from ..basis import Basis
from .bspline import spline_options, splines


def _options(n: Any, window: Any = None, order: Any = 4) -> dict[str, Any]:
    return spline_options(n, order, least=2)


def _values(x: np.ndarray, n: int, order: int) -> np.ndarray:
    unrolled = splines(x, np.arange(1 - order, n + order) / n, order)
    values = unrolled[:, :n]
    values[:, : order - 1] += unrolled[:, n:]  # those that end beyond 1 go on at 0
    return values


CYCLIC_BSPLINE = Basis(
    name="cyclic_bspline",
    options=_options,
    values=_values,
    equation="sum over whole m of N_k(n (x + m) - i + k - 1), N_k the cardinal B-spline on [0, k], "
    "k = order, i = 0 ... n - 1",
    story="Smooth curves over a phase or a direction, where 0 and 1 are the same point.",
    source="Schoenberg (1973), Cardinal Spline Interpolation",
    periodic=True,
)
