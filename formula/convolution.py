"""Causal filtering of time series by a bank of kernels, as matrix products.

    out[t, (s, k)] = sum_j kernel[j, k] x[t - lag - j, s]

R neighbouring bins at a time are one row of a product with a banded matrix that holds the kernels R
times, each a bin further down: the work is (R + W - 1) / W of the least possible, at the speed of a
matrix product, and needs no more memory than its output and one block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .streams import Held, Spread, Stream, as_stream

BLOCK = 2**16
"""Bins of all sources together that are filtered at a time, so that a block stays in the cache."""
SHORT = 64
"""Runs of fewer bins than this are filtered together, window by window."""
HELD_BYTES = 2**28
"""Stretches are laid out in memory up to this size, else while they are read."""


def convolve(series: np.ndarray, kernel: np.ndarray, lag: int = 1) -> np.ndarray:
    """Filters every series by every kernel; what lies outside of the series counts as zero.

    Args:
        series: shape (bins, source).
        kernel: shape (window, basis).
        lag: 1 for strictly the past, 0 to include the present bin, negative to look ahead.

    Returns:
        Shape (bins, source * basis), the basis varying fastest.

    Example:
        >>> convolve(np.array([[1.0], [0.0], [2.0]]), np.array([[1.0], [0.5]]))[:, 0]
        array([0. , 1. , 0.5])
    """
    bins, sources = series.shape
    out = np.empty((bins, sources, kernel.shape[1]))
    bank, block = _bank(kernel), block_size(sources)
    for start in range(0, bins, block):
        stop = min(start + block, bins)
        _fill(out[start:stop], Held(series), kernel, bank, lag, start, stop)
    return out.reshape(bins, sources * kernel.shape[1])


def block_size(sources: int) -> int:
    """Returns how many bins of so many sources are filtered at a time."""
    return int(np.clip(BLOCK // max(sources, 1), 256, 8_192))


def _bank(kernel: np.ndarray) -> np.ndarray:
    """The banded matrix of R shifted copies of the kernels, shape (R + W - 1, R * basis)."""
    window, size = kernel.shape
    repeats = int(np.clip(window // 8, 16, 64))
    bank = np.zeros((repeats + window - 1, repeats, size))
    for r in range(repeats):
        bank[r : r + window, r] = kernel[::-1]
    return bank.reshape(len(bank), -1)


def _fill(
    out: np.ndarray,
    series: Stream,
    kernel: np.ndarray,
    bank: np.ndarray,
    lag: int,
    start: int,
    stop: int,
) -> None:
    """Writes the filtered bins start to stop, shape (stop - start, source, basis)."""
    window, size = kernel.shape
    repeats, sources = bank.shape[1] // size, series.shape[1]
    rows = -(-(stop - start) // repeats)
    first = start - lag - (window - 1)
    length = rows * repeats + window - 1
    low, high = max(first, 0), min(first + length, len(series))
    padded = np.zeros((sources, length))
    if high > low:
        padded[:, low - first : high - first] = series.block(low, high).T
    step = padded.itemsize
    windows = np.lib.stride_tricks.as_strided(
        padded,
        (sources, rows, len(bank)),
        (length * step, repeats * step, step),
        writeable=False,
    )
    product = windows.reshape(sources * rows, len(bank)) @ bank
    found = product.reshape(sources, rows * repeats, size)[:, : stop - start]
    out[:] = found.transpose(1, 0, 2)


@dataclass(frozen=True, eq=False)
class Filtered:
    """Filtered time series whose columns are computed for the rows that are asked for.

    Attributes:
        series: the series of all stretches, zeros between them, shape (position, source); read in
            blocks.
        at: the position of each row of the table, shape (obs,); -1 where it has none.
        kernel: shape (window, basis).
        lag: bins between the present one and the first of the window.
        defined: whether the window of a row lies within its stretch, shape (obs,).
        labels: one label per column.
        sources: the labels of the series; empty where there is one without a label.
    """

    series: Stream
    at: np.ndarray
    kernel: np.ndarray
    lag: int
    defined: np.ndarray
    labels: tuple[str | int | float, ...]
    sources: tuple[str | int | float, ...] = ()
    spans_intercept: bool = False

    @property
    def values(self) -> np.ndarray:
        """All rows, NaN where they are not defined, shape (obs, column)."""
        out = np.full((len(self.at), len(self.labels)), np.nan)
        rows = np.flatnonzero(self.defined)
        out[rows] = self.take(rows)
        return out

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns some rows, all defined, shape (len(rows), column)."""
        at = self.at[rows]
        sources, size = self.series.shape[1], self.kernel.shape[1]
        out = np.empty((len(at), sources, size))
        bank, block = _bank(self.kernel), block_size(sources)
        breaks = np.flatnonzero(np.diff(at) != 1) + 1
        bounds = np.concatenate([[0], breaks, [len(at)]]) if len(at) else np.zeros(1, dtype=int)
        lengths = np.diff(bounds)
        for a, b in zip(bounds[:-1][lengths >= SHORT], bounds[1:][lengths >= SHORT], strict=True):
            for start in range(a, b, block):
                stop = min(start + block, b)
                begin = int(at[start])
                end = begin + stop - start
                _fill(out[start:stop], self.series, self.kernel, bank, self.lag, begin, end)
        scattered = np.flatnonzero(np.repeat(lengths < SHORT, lengths))
        piece = max(1, 4_000_000 // max(len(self.kernel) * sources, 1))
        for start in range(0, len(scattered), piece):
            picked = scattered[start : start + piece]
            out[picked] = self._windows(at[picked])
        return out.reshape(len(at), sources * size)

    def _windows(self, at: np.ndarray) -> np.ndarray:
        """Filters single bins, each from its own window."""
        positions = at[:, None] - self.lag - np.arange(len(self.kernel))[None, :]
        inside = (positions >= 0) & (positions < len(self.series))
        found = self.series[np.where(inside, positions, 0).ravel()]
        held = found.reshape(*positions.shape, -1) * inside[:, :, None]
        return np.einsum("tjs,jk->tsk", held, self.kernel, optimize=True)


def lay_out(
    series: np.ndarray | Stream,
    stretch: np.ndarray,
    window: int,
    lag: int,
    held_bytes: int = HELD_BYTES,
) -> tuple[Stream, np.ndarray, np.ndarray]:
    """Lays stretches one after the other, with zeros between them so that no window sees two.

    Args:
        series: shape (obs, source).
        stretch: the stretch of each row, shape (obs,); -1 where it belongs to none.
        window: bins of a window.
        lag: bins between the present one and the first of the window.
        held_bytes: what takes more memory is laid out while it is read.

    Returns:
        The series with zeros between stretches, the position of each row in it, and whether the
        window of each row lies within its stretch.
    """
    series = as_stream(series)
    if not stretch.any():
        at = np.arange(len(stretch))
        return series, at, _within(at, window, lag, len(stretch))
    order = np.argsort(stretch, kind="stable")
    order = order[stretch[order] >= 0]
    codes = stretch[order]
    count = int(codes[-1]) + 1 if len(codes) else 0
    lengths = np.bincount(codes, minlength=count)
    place = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    reach = max(window - 1 + lag, -lag, 0)
    position = place + np.repeat(np.cumsum(lengths + reach) - lengths - reach, lengths)
    at = np.full(len(stretch), -1)
    at[order] = position
    defined = np.zeros(len(stretch), dtype=bool)
    defined[order] = _within(place, window, lag, np.repeat(lengths, lengths))
    laid: Stream = Spread(series, order, position)
    rows, sources = laid.shape
    return Held(np.asarray(laid)) if 8 * rows * sources <= held_bytes else laid, at, defined


def _within(place: np.ndarray, window: int, lag: int, length: Any) -> np.ndarray:
    """Whether the window of each place lies within its stretch."""
    return (place - lag - (window - 1) >= 0) & (place - lag < length)
