"""pynapple time series and spikes -> columns; pynapple itself is never imported."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..errors import DataError, DataTypeError
from .clocks import NAME, Clock
from .entries import Entry, as_column, as_labels, is_a
from .time_axis import TimeAxis, bin_width, stretches

WIDTH = "bin_width"
"""The entry of a dict that gives the width of bins in seconds."""

DIGITS = 9
"""pynapple's times are whole nanoseconds; so are the edges of bins."""


class Bins(NamedTuple):
    """Bins in which spikes are counted.

    Attributes:
        axis: their centres.
        starts: left edges in seconds, increasing, shape (obs,); they belong to the bin.
        stops: right edges in seconds, shape (obs,); they do not.
    """

    axis: TimeAxis
    starts: np.ndarray
    stops: np.ndarray


def is_spikes(value: Any) -> bool:
    """Whether a value holds times of events, which become counts."""
    return is_a(value, "pynapple", "Ts", "TsGroup")


def read_series(name: str, value: Any) -> Entry:
    """Reads a Tsd or TsdFrame as a column with its times.

    Raises:
        DataTypeError: another object of pynapple.
    """
    if not is_a(value, "pynapple", "Tsd", "TsdFrame"):
        raise DataTypeError(
            f"`{name}` is a pynapple {type(value).__name__}, which is no column. Columns are Tsd, "
            "TsdFrame (labels: its columns), and Ts and TsGroup, which are counted in bins."
        )
    support = value.time_support
    epochs = np.searchsorted(np.asarray(support.start), value.t, side="right") - 1
    found = Clock(name, pd.Series(np.asarray(value.t)), epochs)
    column = as_column(name, value.values)
    if not is_a(value, "pynapple", "TsdFrame"):
        return Entry(column, clock=found)
    return Entry(column, ("neuron", as_labels(name, value.columns)), found)


def count(name: str, spikes: Any, bins: Bins) -> Entry:
    """Counts a Ts, or every unit of a TsGroup, in bins; what lies outside of them is not counted.

    Raises:
        DataError: a TsGroup without units.
    """
    if not is_a(spikes, "pynapple", "TsGroup"):
        return Entry(pd.Series(_counts(spikes.t, bins)))
    units = list(spikes.keys())
    if not units:
        raise DataError(f"the TsGroup `{name}` has no units.")
    counts = np.empty((len(bins.starts), len(units)), dtype=np.int32, order="F")
    for i, unit in enumerate(units):
        counts[:, i] = _counts(spikes[unit].t, bins)
    return Entry(counts, ("neuron", as_labels(name, units)))


def _counts(times: np.ndarray, bins: Bins) -> np.ndarray:
    at = np.searchsorted(bins.starts, times, side="right") - 1
    inside = (at >= 0) & (times < bins.stops[at])
    return np.bincount(at[inside], minlength=len(bins.starts)).astype(np.int32)


def bins_around(axis: TimeAxis, width: Any, spikes: Mapping[str, Any]) -> Bins:
    """Returns bins centred on the times of an axis, as wide as its step.

    Args:
        axis: the times of the other columns.
        width: what the data say of the width of a bin, or None.
        spikes: what is to be counted, for messages.

    Raises:
        DataError: the steps are not equal, or the data give another width.
    """
    try:
        step = bin_width(axis)
    except DataError as error:
        raise DataError(
            f"`{next(iter(spikes))}` is counted in bins around the times of the other entries. {error}"
        ) from None
    if width is not None and abs(_positive(width) - step) > 0.01 * step:
        raise DataError(
            f"`{WIDTH}` is {_positive(width):g} s, but the other entries have a time every {step:g} s, "
            f"and one table has one time axis. Leave `{WIDTH}` out, or bring the others to it first "
            f"(pynapple: x.bin_average({_positive(width):g}))."
        )
    half = 0.5 * 10.0**-DIGITS  # spikes that read the same as an edge lie right of it
    starts = np.round(axis.values - step / 2, DIGITS) - half
    stops = starts + step
    stretch, _ = stretches(axis)
    follows = np.flatnonzero(stretch[1:] == stretch[:-1])
    stops[follows] = starts[follows + 1]  # no cracks between steps that are only nearly equal
    return Bins(axis, starts, stops)


def bins_in_support(width: Any, spikes: Mapping[str, Any]) -> Bins:
    """Returns bins that tile each interval of the time support of the spikes from its start.

    A last bin of which less than half lies in the interval is left out, as pynapple's `count` does.
    The support is that of the first TsGroup, or of the first Ts if there is none.

    Args:
        width: width of a bin in seconds.
        spikes: what is to be counted, by name.

    Raises:
        DataError: no width, two supports that differ, or no interval as long as half a bin.
    """
    groups = {name: v for name, v in spikes.items() if is_a(v, "pynapple", "TsGroup")}
    (name, lead), *others = (groups or spikes).items()
    if width is None:
        raise DataError(
            f"`{name}` holds times of spikes, and nothing says in which bins to count them. Add the "
            f'width of a bin in seconds to the data, for example "{WIDTH}": 0.01, or a Tsd or '
            f"`{NAME}` whose times are the centres of the bins."
        )
    support = lead.time_support
    for other, value in others:
        _same_support(name, support, other, value.time_support)
    size = _positive(width)
    begins, ends = (np.asarray(side, dtype=np.float64) for side in (support.start, support.end))
    most = np.ceil((ends - begins) / size).astype(np.int64) + 1
    epochs = np.repeat(np.arange(len(most)), most)
    number = np.arange(len(epochs)) - np.repeat(np.cumsum(most) - most, most)
    unit = 10**DIGITS
    second = np.rint((begins + size) * unit).astype(np.int64)  # whole numbers: no drift
    starts = (second[epochs] + (number - 1) * round(size * unit)) / unit
    starts[number == 0] = begins
    kept = starts + size / 2 <= ends[epochs]
    if not kept.any():
        raise DataError(
            f"no bin of {size:g} s fits into the time support of `{name}`, whose longest interval has "
            f"{(ends - begins).max():g} s. Bins are given in seconds: take a smaller `{WIDTH}`."
        )
    starts, epochs = starts[kept], epochs[kept]
    stops = np.minimum(np.round(starts + size, DIGITS), np.nextafter(ends[epochs], np.inf))
    return Bins(TimeAxis(NAME, starts + size / 2, epochs), starts, stops)


def _positive(width: Any) -> float:
    real = isinstance(width, numbers.Real) and not isinstance(width, bool)
    seconds = float(width) if real else math.nan
    if not (math.isfinite(seconds) and seconds >= 10.0**-DIGITS):
        shown = repr(width) if real or isinstance(width, str) else type(width).__name__
        raise DataError(
            f"`{WIDTH}` is the width of a bin in seconds, a positive number such as 0.01, not {shown}."
        )
    return seconds


def _same_support(name: str, support: Any, other: str, found: Any) -> None:
    ours, theirs = np.asarray(support.values), np.asarray(found.values)
    if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=0, atol=1e-9):
        shown = (
            f"{len(v):,} interval(s) from {v.min():g} to {v.max():g} s" for v in (ours, theirs)
        )
        raise DataError(
            f"the time supports of `{name}` and `{other}` differ: {' and '.join(shown)}. Bins tile one "
            f"time support: write {other}.restrict({name}.time_support)."
        )
