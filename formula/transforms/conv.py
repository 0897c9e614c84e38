"""`conv(x, raised_cos_log(8, 200))`: a time series filtered by the functions of a basis.

column k at bin t = sum_j kernel[j, k] x[t - lag - j]
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import FormulaError, nearest, shown
from ..basis import Recipe
from ..convolution import Filtered
from ..tables import Categories
from ..timeline import Timeline, as_series
from ..values import Matrix, Transform

PADS, MISSING = ("drop", "zero"), ("error", "drop")


def learn(
    x: Any,
    basis: Any,
    by: Categories | None = None,
    lag: int | str = 1,
    pad: str = "drop",
    missing: str = "error",
    *,
    timeline: Timeline,
) -> dict[str, Any]:
    """Keeps the window and the lag in bins, the width of a bin, and a kernel that the user gave."""
    as_series(x, timeline.text, timeline.source)
    width = timeline.width(by)
    state: dict[str, Any] = {"bin_width": width, "lag": _lag(lag, timeline, width)}
    _choice("pad", pad, PADS, timeline)
    _choice("missing", missing, MISSING, timeline)
    if isinstance(basis, Recipe):
        return {**state, "window": timeline.window(basis.window, width)}
    return {**state, "kernel": _kernel(basis, timeline).tolist()}


def apply(
    state: dict[str, Any],
    x: Any,
    basis: Any,
    by: Categories | None = None,
    lag: int | str = 1,
    pad: str = "drop",
    missing: str = "error",
    *,
    timeline: Timeline,
) -> Filtered:
    """Filters a series, each stretch of time on its own.

    Args:
        state: what was learned.
        x: the series, shape (obs,) or (obs, source).
        basis: a basis with a window in bins or seconds, or your own kernels (window, basis).
        by: a grouping column (or several in brackets); no window reaches from one group into another.
        lag: the first bin that the window sees: 1 is the one before (strictly the past), 0 the present
            one, negative ones lie ahead.
        pad: "drop" leaves out bins without a whole window, "zero" counts what is not there as 0.
        missing: "error", or "drop" to leave out bins whose window holds a missing value.
        timeline: the table's time.

    Raises:
        FormulaError: an argument is none of these.
        DataError: missing values, unsorted or uneven time, or windows longer than all stretches.
    """
    series = as_series(x, timeline.text, timeline.source)
    timeline.check_width(state["bin_width"], by)
    kernel = bank(state, basis)
    names: tuple[Any, ...] = tuple(range(kernel.shape[1]))
    if isinstance(series, Matrix):
        names = tuple(f"{source}, {name}" for source in series.labels for name in names)
    return timeline.filter(
        series, kernel, names, by, state["lag"], pad == "zero", missing == "drop"
    )


def bank(state: dict[str, Any], basis: Any) -> np.ndarray:
    """Returns the filters, shape (window, basis)."""
    if "kernel" in state:
        return np.asarray(state["kernel"], dtype=np.float64)
    return basis.kernel(state["window"])


def past(
    x: Any, basis: Any, by: Any = None, lag: Any = 1, pad: Any = "", missing: Any = ""
) -> bool:
    """Whether the window lies strictly before the present bin."""
    return not (isinstance(lag, int) and lag < 1)


def _lag(lag: Any, timeline: Timeline, width: float | None) -> int:
    if isinstance(lag, str):
        return timeline.window(lag, width)
    if isinstance(lag, bool) or not isinstance(lag, int):
        raise FormulaError(
            f"`{timeline.text}`: lag= is a whole number of bins (1: strictly the past, 0: with the "
            f"present bin, negative: ahead) or a text such as '10ms', not {shown(lag)}."
        )
    return lag


def _choice(name: str, value: Any, allowed: tuple[str, ...], timeline: Timeline) -> None:
    if value not in allowed:
        raise FormulaError(
            f'`{timeline.text}`: {name}= takes "{allowed[0]}" or "{allowed[1]}", not {shown(value)}.'
            f"{nearest(str(value), allowed)} pad= says what happens to bins without a whole window, on "
            "either side; lag= says where the window lies (negative lags look ahead)."
        )


def _kernel(value: Any, timeline: Timeline) -> np.ndarray:
    kernel = np.asarray(value, dtype=np.float64)
    kernel = kernel[:, None] if kernel.ndim == 1 else kernel
    if kernel.ndim != 2 or not kernel.size or not np.isfinite(kernel).all():
        raise FormulaError(
            f"`{timeline.text}`: kernels of your own are finite numbers of shape (window, basis), not "
            f"of shape {np.shape(value)}."
        )
    return kernel


CONV = Transform(
    "conv",
    apply,
    learn,
    numeric=False,
    slots={"basis": "basis", "by": "groups"},
    timed=True,
    past=past,
    bank=bank,
    story="A time series filtered by the functions of a basis.",
)
