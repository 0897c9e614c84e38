"""When the rows of a table were taken: the width of a bin, and the stretches without a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import DataError, offenders, pointer

TOLERANCE = 0.01
"""Steps may differ from a whole number of bins by this share of a bin (rounding, float32)."""


@dataclass(frozen=True, eq=False)
class TimeAxis:
    """When the rows of a table were taken.

    Attributes:
        name: the name of the axis.
        values: times in seconds, shape (obs,), float64.
        epochs: code of the separately recorded stretch of each row, shape (obs,), int; all 0 unless
            the data say otherwise (time support of pynapple).
    """

    name: str
    values: np.ndarray
    epochs: np.ndarray


def bin_width(axis: TimeAxis, source: str = "", groups: np.ndarray | None = None) -> float:
    """Returns the typical step between rows that follow each other, in seconds.

    It is the mean of the steps without a gap, or the roundest step or rate (0.01 s, 30 Hz) from
    which the mean cannot be told.

    Args:
        axis: the times.
        source: the formula, for messages.
        groups: code of the series of each row, shape (obs,), -1 for rows of none; order and steps are
            those within each (epoch, group).

    Raises:
        DataError: no two rows of one series, or times that are missing, unsorted, repeated, or not a
            whole number of bins apart.

    Example:
        >>> bin_width(TimeAxis("time", np.array([0.0, 0.1, 0.2, 0.5]), np.zeros(4, int)))
        0.1
    """
    width = _measure(axis, groups, source).width
    if np.isnan(width):
        raise _error(
            f"the axis `{axis.name}` has no two rows of one series, so the width of a bin is unknown.",
            source,
            "Give at least two rows, one after the other, per series.",
        )
    return width


def stretches(
    axis: TimeAxis, groups: np.ndarray | None = None, source: str = ""
) -> tuple[np.ndarray, int]:
    """Finds the rows that follow each other in time without a gap.

    Args:
        axis: the times.
        groups: code of the series of each row, shape (obs,), -1 for rows of none. Rows of one group
            need not be neighbours in the table.
        source: the formula, for messages.

    Returns:
        The stretch of each row by order of appearance, shape (obs,), -1 for rows of no group; and the
        number of bins that are missing between the stretches of one (epoch, group).

    Raises:
        DataError: times that are missing, unsorted, repeated, or not a whole number of bins apart.

    Example:
        >>> stretches(TimeAxis("time", np.array([0.0, 0.1, 0.4, 0.5]), np.zeros(4, int)))
        (array([0, 0, 1, 1]), 2)
    """
    steps = _measure(axis, groups, source)
    codes = np.full(len(axis.values), -1)
    if not len(steps.rows):
        return codes, 0
    starts = np.concatenate(([True], steps.bins != 1))
    number = np.cumsum(starts) - 1
    rank = np.empty(number[-1] + 1, dtype=np.int64)
    rank[np.argsort(steps.rows[starts])] = np.arange(len(rank))
    codes[steps.rows] = rank[number]
    return codes, int((steps.bins[steps.bins > 0] - 1).sum())


def runs(groups: np.ndarray | None, rows: int) -> np.ndarray:
    """Finds the stretches of a table without a time axis: neighbouring rows of one group.

    Args:
        groups: code of each row, shape (obs,), -1 for rows of no group; None: one stretch.
        rows: number of rows.

    Returns:
        The stretch of each row, by order of appearance, shape (obs,), -1 for rows of no group.

    Example:
        >>> runs(np.array([5, 5, 2, -1, 2]), 5)
        array([ 0,  0,  1, -1,  2])
    """
    if groups is None:
        return np.zeros(rows, dtype=np.int64)
    known = groups >= 0
    changes = np.concatenate(([True], groups[1:] != groups[:-1]))[:rows]
    return np.where(known, np.cumsum(changes & known) - 1, -1)


class _Steps(NamedTuple):
    """The steps of a table's series, laid one after the other.

    Attributes:
        rows: the rows of all series, series by series, in the order of the table.
        bins: bins between each of them and the next, shape (rows - 1,), 0 from series to series.
        width: width of a bin in seconds, NaN where there is no step.
    """

    rows: np.ndarray
    bins: np.ndarray
    width: float


def _measure(axis: TimeAxis, groups: np.ndarray | None, source: str) -> _Steps:
    rows, series = _by_series(axis.epochs, groups)
    times = axis.values[rows]
    _refuse(
        ~np.isfinite(times),
        (rows, times),
        f"`{axis.name}` is missing or infinite",
        source,
        "Leave these rows out, or fill in when they were taken.",
    )
    same = series[1:] == series[:-1]
    bins = np.zeros(len(same), dtype=np.int64)
    steps, later = np.diff(times)[same], (rows[1:][same], times[1:][same])
    if not len(steps):
        return _Steps(rows, bins, np.nan)
    stacked = (
        "If the table stacks several series (trials, neurons), name the column that tells them apart, "
        "such as by=trial."
    )
    unsorted = f"unsorted time: `{axis.name}` is earlier than in the row before"
    _refuse(steps < 0, later, unsorted, source, f"Sort the rows by time. {stacked}")
    repeated = f"repeated time: `{axis.name}` is the same as in the row before"
    _refuse(steps == 0, later, repeated, source, f"Give one row per time. {stacked}")
    width, error = _typical(steps)
    found = np.maximum(np.rint(steps / width), 1)
    step = float(f"{np.median(steps):.2g}")  # what the message advises
    _refuse(
        np.abs(steps - found * width) > TOLERANCE * width + error * (found - 1),
        later,
        f"unequal sampling: the step from the row before is no whole multiple of {width:.4g} s",
        source,
        f"Resample to equal steps, for example of {step:g} s: count or average in bins, or interpolate "
        f"(numpy.interp at numpy.arange(start, stop, {step:g})). If the times are only rounded, give "
        "start + step * numpy.arange(rows). Separate recordings may start at any time: name the column "
        "that tells them apart, such as by=session.",
    )
    bins[same] = found
    return _Steps(rows, bins, width)


def _by_series(epochs: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows sorted by series, and the series of each; the order within is the table's."""
    rows, series = np.arange(len(epochs)), epochs
    if groups is not None:
        rows = np.flatnonzero(groups >= 0)
        count = int(epochs.max(initial=0)) + 1
        series = groups[rows].astype(np.int64) * count + epochs[rows]
    if (series[1:] < series[:-1]).any():
        small = series.astype(np.min_scalar_type(int(series.max())))  # few codes sort by radix
        order = np.argsort(small, kind="stable")
        rows, series = rows[order], series[order]
    return rows, series


def _typical(steps: np.ndarray) -> tuple[float, float]:
    """Returns the width of a bin and its error, from steps of which most may span several bins."""
    least = np.sort(steps)[len(steps) // 3]  # a few spurious short steps do not count
    single = steps[(steps < 1.5 * least) & (steps > 0.5 * least)]
    mean = float(single.mean())
    error = 2 * float(np.abs(single - mean).max()) / len(single) + 1e-12 * mean
    for digits in range(15):
        for width in (float(f"{mean:.{digits}e}"), 1 / float(f"{1 / mean:.{digits}e}")):
            if abs(width - mean) <= error:
                return width, error
    return mean, error


def _refuse(
    bad: np.ndarray, where: tuple[np.ndarray, np.ndarray], found: str, source: str, fix: str
) -> None:
    if bad.any():
        rows, times = (part[bad][:3].tolist() for part in where)
        share = f"{int(bad.sum()):,} of {len(bad):,} rows ({offenders(rows, times)})"
        raise _error(f"{found} in {share}.", source, fix)


def _error(found: str, source: str, fix: str) -> DataError:
    place = f"{pointer(source, '')}\n" if source else " "
    return DataError(f"{found}{place}{fix}")
