"""`bspline(8, 200)`: splines on evenly spaced knots, with all freedom at both ends."""

from typing import Any

import numpy as np

from ...errors import FormulaError
from ..basis import Basis, whole

MAX_ORDER = 20


def spline_options(n: Any, order: Any, least: int = 1) -> dict[str, Any]:
    """Returns the options of a basis of n splines of an order (degree + 1) >= least.

    Raises:
        FormulaError: they are no whole numbers in range, or n < order.
    """
    found = {"n": whole("n", n, 1), "order": whole("order", order, least, MAX_ORDER)}
    if found["n"] < found["order"]:
        raise FormulaError(
            f"splines of order {order} need n >= {order} functions, not {n}. "
            f"Take more functions, or a lower order."
        )
    return found


def clamped_knots(n: int, order: int) -> np.ndarray:
    """Returns evenly spaced knots on [0, 1] with the ends repeated `order` times, (n + order,).

    The last knots lie one rounding step above 1, so that x = 1 belongs to the last piece.
    """
    end = 1.0 + np.finfo(np.float64).eps
    inner = np.linspace(0.0, end, n - order + 2)
    return np.concatenate([np.zeros(order - 1), inner, np.full(order - 1, end)])


def splines(x: np.ndarray, knots: np.ndarray, order: int) -> np.ndarray:
    """Returns the B-splines on given knots.

    Args:
        x: shape (obs,), within the inner knots.
        knots: ascending, shape (basis + order,).
        order: degree + 1.

    Returns:
        shape (obs, basis); rows sum to 1.
    """
    from scipy.interpolate import BSpline

    return BSpline.design_matrix(x, knots, order - 1).toarray()


def _options(n: Any, window: Any = None, order: Any = 4) -> dict[str, Any]:
    return spline_options(n, order)


def _values(x: np.ndarray, n: int, order: int) -> np.ndarray:
    return splines(x, clamped_knots(n, order), order)


BSPLINE = Basis(
    name="bspline",
    options=_options,
    values=_values,
    equation="B_{i,k}(x) = (x - t_i) / (t_{i+k-1} - t_i) B_{i,k-1}(x) "
    "+ (t_{i+k} - x) / (t_{i+k} - t_{i+1}) B_{i+1,k-1}(x), B_{i,1}(x) = 1 on [t_i, t_{i+1}), "
    "k = order, t clamped and evenly spaced on [0, 1]",
    story="Smooth curves without a preferred time; the functions sum to 1 everywhere.",
    source="de Boor (1978), A Practical Guide to Splines",
)
