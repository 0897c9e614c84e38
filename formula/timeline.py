"""What temporal terms know of a table: its time axis, its stretches, and a list for remarks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, DataTypeError, FormulaError, offenders, pointer, shown
from .basis import bins
from .convolution import Filtered, lay_out
from .missing import LARGEST
from .streams import Stream, Zeroed, as_stream, rows_where
from .tables import Categories, Table
from .time_axis import bin_width, runs, stretches
from .values import Matrix


@dataclass(frozen=True, eq=False)
class Timeline:
    """The rows of a table as time series.

    Attributes:
        table: the data.
        source: the whole formula, for messages.
        text: the term, for messages.
        notes: remarks on the rows used, by term; filled while a formula is learned.
    """

    table: Table
    source: str
    text: str
    notes: dict[str, str] = field(default_factory=dict)

    def width(self, groups: Categories | None) -> float | None:
        """Returns the width of a bin in seconds, or None where the data have no time axis."""
        if self.table.time is None:
            return None
        codes = None if groups is None else groups.codes
        return bin_width(self.table.time, self.source, codes)

    def window(self, wanted: int | str | None, width: float | None) -> int:
        """Returns a window in bins of a width in seconds.

        Raises:
            FormulaError: there is none, or it is no whole number of bins.
        """
        if wanted is None:
            raise FormulaError(
                f"`{self.text}`: the basis needs a window, in bins or as a text such as '200ms'."
                f"{pointer(self.source, self.text)}"
            )
        try:
            return bins(wanted, width)
        except FormulaError as error:
            raise FormulaError(f"{error}{pointer(self.source, self.text)}") from None

    def check_width(self, trained: float | None, groups: Categories | None) -> None:
        """Refuses data whose bins are not as wide as those of the training data.

        Raises:
            DataError: naming both widths.
        """
        width = self.width(groups)
        if trained is not None and width is not None and abs(width - trained) > 1e-3 * trained:
            raise DataError(
                f"`{self.text}` was learned from bins of {trained:g} s, but the new data have bins of "
                f"{width:g} s. Resample them to {trained:g} s."
            )

    def stretches(self, groups: Any) -> tuple[np.ndarray, int]:
        """Returns the stretch of each row (-1: none) and the number of bins missing between them."""
        codes = None if groups is None else groups.codes
        if self.table.time is None:
            return runs(codes, self.table.rows), 0
        return stretches(self.table.time, codes, self.source)

    def filter(
        self,
        x: Any,
        kernel: np.ndarray,
        labels: tuple[Any, ...],
        groups: Categories | None,
        lag: int,
        pad: bool,
        skip_missing: bool,
    ) -> Filtered:
        """Filters a column, stretch by stretch.

        Args:
            x: a column, shape (obs,) or (obs, source).
            kernel: shape (window, basis).
            labels: one label per column of the result.
            groups: rows of one group form stretches of their own.
            lag: bins between the present one and the first of the window.
            pad: whether what lies before a stretch counts as zero, or leaves rows undefined.
            skip_missing: whether rows whose window holds a missing value are left out.

        Raises:
            DataError: missing or infinite values, or a window longer than every stretch.
        """
        given = x.values if isinstance(x, Matrix) else np.asarray(x, dtype=np.float64)[:, None]
        series = as_stream(given)
        lacks = rows_where(series, lambda block: ~(np.abs(block) <= LARGEST))
        if lacks.any():
            self._refuse_missing(series, lacks, skip_missing)
            series = Zeroed(series, lacks)
        stretch, gaps = self.stretches(groups)
        laid, at, whole = lay_out(series, stretch, len(kernel), lag)
        defined = (at >= 0) if pad else whole
        if lacks.any():
            touched = Filtered(
                *lay_out(lacks[:, None].astype(np.float64), stretch, len(kernel), lag)[:2],
                np.ones((len(kernel), 1)),
                lag,
                at >= 0,
                (0,),
            )
            hit = np.zeros(len(at))
            hit[at >= 0] = touched.take(np.flatnonzero(at >= 0))[:, 0]
            defined = defined & (hit < 0.5)
        self._report(stretch, defined, len(kernel), lag, gaps, int(lacks.sum()))
        sources = x.labels if isinstance(x, Matrix) else ()
        return Filtered(laid, at, kernel, lag, defined, labels, sources)

    def _refuse_missing(self, series: Stream, lacks: np.ndarray, skip_missing: bool) -> None:
        bad = np.flatnonzero(lacks)
        infinite = rows_where(series, np.isinf).any()
        vast = rows_where(series, lambda block: np.abs(block) > LARGEST)
        if vast.any() and not infinite:
            raise DataError(
                f"`{self.text}`: the series exceeds {LARGEST:g} in {int(vast.sum()):,} of "
                f"{len(series):,} bins, so that its square is no number. Change its unit."
                f"{pointer(self.source, self.text)}"
            )
        if skip_missing and not infinite:
            return
        first = bad[:3]
        found = offenders(first.tolist(), series[first].sum(axis=1).tolist())
        raise DataError(
            f"`{self.text}`: the series is {'infinite or ' * bool(infinite)}missing in {len(bad):,} of "
            f"{len(series):,} bins ({found}), and each of them is part of "
            f"the window of many later bins.{pointer(self.source, self.text)}\n"
            "Fill them in (interpolate, or 0 for spikes), leave the rows out so that time shows the "
            'gap, or write missing="drop" to leave out every bin whose window holds one.'
        )

    def _report(
        self,
        stretch: np.ndarray,
        defined: np.ndarray,
        window: int,
        lag: int,
        gaps: int,
        missing: int,
    ) -> None:
        """Notes what is lost, and refuses windows that fit into no stretch."""
        lengths = np.bincount(stretch[stretch >= 0])
        kept = np.bincount(stretch[stretch >= 0], defined[stretch >= 0], len(lengths))
        if not defined.any():
            longest = int(lengths.max(initial=0))
            raise DataError(
                f"`{self.text}`: no bin has a whole window. The window reaches over "
                f"{max(window - 1 + lag, 0) + 1} bins, and the longest of {len(lengths):,} stretch(es) "
                f"of data has {longest:,}.{pointer(self.source, self.text)}\n"
                'Use a shorter window, or pad="zero", which counts what lies before a stretch as 0. '
                "With by=, rows of one group stand together, in order of time."
            )
        lost = int((~defined & (stretch >= 0)).sum())
        parts = [f"{lost:,} bins without a whole window"] if lost else []
        if len(lengths) > 1:
            parts.append(f"{len(lengths):,} stretches")
        empty = int((kept == 0).sum())
        if empty:
            parts.append(f"{empty:,} of them shorter than the window")
        if gaps:
            parts.append(f"{gaps:,} missing bins between them")
        if missing:
            parts.append(f"{missing:,} missing values")
        if (stretch < 0).any():
            parts.append(f"{int((stretch < 0).sum()):,} rows without a group")
        if parts:
            self.notes[self.text] = f"`{self.text}`: {', '.join(parts)}"


def as_series(x: Any, text: str, source: str) -> Any:
    """Returns a column that can be filtered.

    Raises:
        DataTypeError: it holds levels.
        FormulaError: it is no column.
    """
    if isinstance(x, Categories):
        raise DataTypeError(
            f"`{text}`: a column of levels cannot be filtered; filter an indicator of one level, "
            f"such as conv(state == 'a', ...).{pointer(source, text)}"
        )
    if isinstance(x, Matrix) or (isinstance(x, np.ndarray) and x.ndim == 1):
        return x
    raise FormulaError(f"`{text}` filters a column, not {shown(x)}.{pointer(source, text)}")
