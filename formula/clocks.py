"""Sources of time in the user's data: numbers, dates, durations -> one time axis in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from .categories import is_numeric
from .time_axis import TimeAxis

NAME = "time"
"""Columns, coordinates, dimensions and indices of this name say when rows were taken."""


@dataclass(frozen=True, eq=False)
class Clock:
    """A part of the data that says when rows were taken.

    Attributes:
        name: the part, for messages.
        times: numbers (seconds), dates or durations, shape (obs,).
        epochs: code of the separately recorded stretch of each row, shape (obs,), where it says so.
    """

    name: str
    times: pd.Series
    epochs: np.ndarray | None = None

    @property
    def start(self) -> Any:
        """The first known date or duration, from which seconds count; None for numbers."""
        if is_numeric(self.times):
            return None
        known = self.times.dropna()
        return known.iloc[0] if len(known) else self.times.iloc[0]

    def seconds(self, start: Any = None) -> np.ndarray:
        """Returns the times in seconds: of numbers as they are, else since `start` or the first."""
        if is_numeric(self.times):
            return self.times.to_numpy(dtype=np.float64, na_value=np.nan)
        first = self.start
        try:
            passed = self.times - (first if start is None else start)
        except TypeError:  # dates and durations, or dates with and without a time zone
            passed = self.times - first
        return passed.dt.total_seconds().to_numpy(dtype=np.float64)


def clock(name: str, values: Any) -> Clock | None:
    """Returns values as a source of time, or None where they are no numbers, dates or durations."""
    if not isinstance(values, pd.Series) or not len(values):
        return None
    times = values.infer_objects() if values.dtype == object else values
    if times.dtype == object:
        if pd.api.types.infer_dtype(times) not in ("integer", "floating", "mixed-integer-float"):
            return None
        times = pd.Series(pd.to_numeric(times))
    if pd.api.types.is_bool_dtype(times):
        return None
    dates = pd.api.types.is_datetime64_any_dtype(times) or times.dtype.kind == "m"
    return Clock(name, times) if dates or is_numeric(times) else None


def agreed(clocks: Sequence[Clock]) -> TimeAxis | None:
    """Returns the time axis that all sources of time share, or None where there are none.

    Dates are counted from the first one; a source with epochs goes before one without.

    Raises:
        DataError: two sources differ in their number of times, or by more than 1e-9 s + 1e-6 of the
            step.
    """
    if not clocks:
        return None
    lead = next((c for c in clocks if c.epochs is not None), clocks[0])
    times, start = lead.seconds(), lead.start
    for other in clocks:
        if other is not lead:
            _compare(lead.name, times, other.name, other.seconds(start))
    epochs = np.zeros(len(times), dtype=np.int64) if lead.epochs is None else lead.epochs
    return TimeAxis(NAME, times, epochs)


def with_time(columns: Mapping[str, Any], axis: TimeAxis | None) -> dict[str, Any]:
    """Adds the seconds of an axis as column `time`, unless there is a column of that name."""
    extra = {} if axis is None or NAME in columns else {NAME: pd.Series(axis.values)}
    return {**columns, **extra}


def _compare(name: str, times: np.ndarray, other: str, others: np.ndarray) -> None:
    common = min(len(times), len(others))
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    apart = ~(np.abs(times[:common] - others[:common]) <= 1e-9 + 1e-6 * abs(step))
    if len(times) == len(others) and not apart.any():
        return
    found = ""
    if apart.any():
        i = int(np.argmax(apart))
        found = f", and differ first in row {i}: {times[i]:.9g} s and {others[i]:.9g} s"
    raise DataError(
        f"two time axes that differ: `{name}` has {len(times):,} times and `{other}` {len(others):,}"
        f"{found}. One table has one time axis: bring `{other}` to the times of `{name}` first, for "
        f"example with numpy.interp, or for pynapple `{other}.interpolate({name})` or "
        f"`{other}.bin_average(step)`."
    )
