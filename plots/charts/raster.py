"""Raster: when each neuron, or each trial, fired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError, shown
from ...formula import Table, read
from ...inference.fit import Fit
from ...inference.model import Model
from ..accept import column
from ..chart import Chart
from ..fields import levels, rename, tooltips
from ..theme import ACCENT, INK, WIDTH
from ..theme import title as heading

if TYPE_CHECKING:
    import altair as alt

LIMIT, POINTS = 4500, 1500
"""Events drawn, and points of the stimulus."""
TALLEST, LOWEST = 420, 60


def raster_data(
    data: Any,
    spikes: str | None = None,
    *,
    by: str | None = None,
    time: str | None = None,
    window: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Returns one row per event: when, and of which neuron or in which trial.

    Args:
        data: a table of counts per bin in any form that Model takes; an array (bin, neuron); a Model or
            a Fit, whose response is drawn.
        spikes: the column of counts; of a table, by default `spikes`; of two dimensions, (bin, neuron).
        by: the column with one row of the raster per level, such as the trial or the neuron of a long
            table; by default the second dimension of the counts, or the trials that a restarting clock
            tells.
        time: the column with the time of a bin; by default the time axis of the data.
        window: (start, stop) in the units of the time; None for all.

    Returns:
        Columns `time` (s; `bin` without a time axis), `row`, `count`. `attrs` say what the rows are.

    Raises:
        OptionError: no such column, or counts that are no numbers >= 0.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.population(neurons=3, bins=100)
        >>> list(bz.plot.raster_data(data))
        ['time', 'row', 'count']
    """
    found = _read(data, spikes, by, time)
    bins, places = np.nonzero(np.nan_to_num(found.counts))
    labels = np.asarray(found.labels, dtype=object)
    rows = found.rows[bins] if found.rows is not None else labels[places]
    name = "time" if found.timed else "bin"
    frame: Any = pd.DataFrame(
        {name: found.time[bins], "row": rows, "count": found.counts[bins, places]}
    )
    if window is not None:
        start, stop = _window(window)
        frame = frame[(frame[name] >= start) & (frame[name] < stop)].reset_index(drop=True)
    frame.attrs.update(rows=found.kind, levels=found.levels(), spikes=found.name)
    return frame


@dataclass(frozen=True, eq=False)
class _Counts:
    """Counts (bin, neuron), their times, and the row of the raster of each bin or neuron."""

    counts: np.ndarray
    time: np.ndarray
    timed: bool
    rows: np.ndarray | None
    labels: tuple[Any, ...]
    kind: str
    name: str

    def levels(self) -> list[Any]:
        return levels(pd.Series(self.labels if self.rows is None else self.rows))


def _read(data: Any, spikes: str | None, by: str | None, time: str | None) -> _Counts:
    if isinstance(data, Fit):
        data = data.model
    if isinstance(data, Model):
        spikes = spikes or data.spec.schema.response
        data = data.table
    if isinstance(data, np.ndarray):
        data = {"spikes": data}
    table = read(data)
    name = column(spikes or "spikes", table.columns, "spikes")
    counts = table.numeric(name)
    if (counts[np.isfinite(counts)] < 0).any():
        raise OptionError(f"plot.raster() draws counts, but `{name}` holds negative values.")
    if time is not None:
        moments, timed = table.numeric(column(time, table.columns, "time")), True
    elif table.time is not None:
        moments, timed = table.time.values, True
    else:
        moments, timed = np.arange(table.rows, dtype=float), False
    if counts.ndim == 2:
        dimension, labels = table.second_dimension(name)
        if by is not None:
            raise OptionError(
                f"by= is for counts of one dimension; the rows of `{name}` are its {dimension}s. "
                "Choose a time with window=, or pass the data of one trial."
            )
        return _Counts(counts, moments, timed, None, tuple(labels), dimension, name)
    rows, kind = _rows(table, by, moments)
    return _Counts(counts[:, None], moments, timed, rows, (name,), kind, name)


def _rows(table: Table, by: str | None, moments: np.ndarray) -> tuple[np.ndarray, str]:
    if by is not None:
        column(by, table.columns, "by")
        coded = table.categorical(by)
        values: Any = np.asarray(coded.levels, dtype=object)[coded.codes]
        values[np.asarray(coded.codes) < 0] = None
        return values, by
    restarts = np.cumsum(np.diff(moments, prepend=moments[:1]) < 0)
    return (restarts + 1).astype(object), "trial" if restarts.max() else "row"


def _window(window: Any) -> tuple[float, float]:
    try:
        start, stop = (float(value) for value in window)
    except (TypeError, ValueError):
        raise OptionError(f"window= takes (start, stop), not {shown(window)}.") from None
    if not start < stop:
        raise OptionError(f"window= takes a start before its stop, not {shown(window)}.")
    return start, stop


def raster(
    data: Any,
    spikes: str | None = None,
    *,
    by: str | None = None,
    time: str | None = None,
    window: tuple[float, float] | None = None,
    stimulus: str | None = None,
    title: str | None = None,
) -> alt.Chart | alt.VConcatChart:
    """Draws when each neuron, or each trial, fired, and the stimulus above.

    Args:
        data: as for `raster_data`; as are `spikes`, `by`, `time` and `window`.
        spikes: the column of counts.
        by: the column that makes rows.
        time: the column of times.
        window: (start, stop).
        stimulus: a column to draw above, on the same axis of time.
        title: by default "Spikes of each neuron", or what the rows are.

    Returns:
        A chart with one tick per bin with events; bins of several are darker.

    Raises:
        OptionError: as `raster_data`; or there is no such stimulus.

    Example:
        >>> bz.plot.raster(data, stimulus="stim", window=(0, 2))  # doctest: +SKIP
    """
    import altair as alt

    frame: Any = raster_data(data, spikes, by=by, time=time, window=window)
    kind, order = frame.attrs["rows"], frame.attrs["levels"]
    axis = "time" if "time" in frame else "bin"
    notes = [f"{int(frame['count'].sum()):,} events"]
    if len(frame) > LIMIT:
        cut = _densest(frame, axis)
        notes.append(f"the first {cut:.4g}{' s' if axis == 'time' else ' bins'} drawn; see window=")
        frame = frame[frame[axis] <= frame[axis].min() + cut]
    ends = [float(v) for v in (window or _span(data, axis, time))]
    if window is None and len(frame):
        ends[1] = min(ends[1], float(frame[axis].max()) if len(notes) > 1 else ends[1])
    table, _ = rename(frame)
    rows = [value for value in order if value in set(frame["row"])] if len(order) > 200 else order
    side = max(LOWEST, min(TALLEST, 16 * len(rows)))
    x = alt.X(
        field=axis,
        type="quantitative",
        title="Time (s)" if axis == "time" else "Bin",
        scale=alt.Scale(domain=ends, nice=False),
        axis=alt.Axis(grid=False),
    )
    y = alt.Y(
        field="row",
        type="ordinal",
        title=kind if len(rows) > 1 else None,
        sort=rows,
        scale=alt.Scale(domain=rows),
        axis=alt.Axis(labelOverlap=True, labels=len(rows) > 1, ticks=len(rows) > 1),
    )
    shade: Any = alt.value(1.0)
    if len(frame) and frame["count"].max() > 1:
        shade = alt.Opacity(
            field="count",
            type="quantitative",
            title="per bin",
            scale=alt.Scale(range=[0.55, 1], domain=[1, float(frame["count"].max())]),
            legend=None,
        )
        notes.append("bins of several events are darker")
    height = 0.8 * side / max(1, len(rows))
    ticks = alt.Chart(table).mark_tick(
        orient="vertical", thickness=1.2, size=min(14, max(1.5, height)), color=INK
    )
    names = {axis: axis, "row": kind, "count": "count"}
    spoken = frame.attrs["spikes"]
    text = title or (f"{spoken} of each {kind}" if len(rows) > 1 else spoken).capitalize()
    chart = ticks.encode(x, y, opacity=shade, tooltip=tooltips(table, names))
    chart = chart.properties(width=2 * WIDTH, height=side)
    about = heading(text, "; ".join(notes))
    if stimulus is None:
        return chart.properties(title=about)
    above = _stimulus(data, stimulus, axis, time, ends)
    return alt.vconcat(above, chart, spacing=6, title=about).resolve_scale(x="shared")


def _densest(frame: Any, axis: str) -> float:
    """How long a stretch from the start holds as many events as are drawn."""
    moments = np.sort(frame[axis].to_numpy(dtype=float))
    return float(moments[LIMIT - 1] - moments[0])


def _table(data: Any) -> Table:
    if isinstance(data, Fit | Model):
        return data.table if isinstance(data, Model) else data.model.table
    return read({"spikes": data} if isinstance(data, np.ndarray) else data)


def _moments(table: Table, time: str | None) -> np.ndarray:
    if time is not None:
        return table.numeric(time)
    return np.arange(table.rows, dtype=float) if table.time is None else table.time.values


def _span(data: Any, axis: str, time: str | None) -> tuple[float, float]:
    moments = _moments(_table(data), time)
    low, high = float(np.nanmin(moments)), float(np.nanmax(moments))
    return (low, high) if high > low else (low, low + 1)


def _stimulus(data: Any, name: str, axis: str, time: str | None, ends: list[float]) -> Any:
    import altair as alt

    table = _table(data)
    narrow = [key for key in table.columns if table.stream(key) is None]
    values = table.numeric(column(name, narrow, "stimulus"))
    moments = _moments(table, time)
    inside = (moments >= ends[0]) & (moments <= ends[1])
    frame: Any = pd.DataFrame({axis: moments[inside], "value": values[inside]})
    frame = frame.groupby(axis, as_index=False)["value"].mean()
    step = -(-len(frame) // POINTS)
    if step > 1:
        frame = frame.groupby(np.arange(len(frame)) // step, as_index=False).mean()
    shown, _ = rename(frame)
    x = alt.X(
        field=axis,
        type="quantitative",
        title=None,
        scale=alt.Scale(domain=ends, nice=False),
        axis=alt.Axis(labels=False, ticks=False, grid=False),
    )
    y = alt.Y(
        field="value",
        type="quantitative",
        title=name,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=3, grid=False),
    )
    line = alt.Chart(shown).mark_line(strokeWidth=1, color=ACCENT)
    return line.encode(x, y, tooltip=tooltips(shown, {axis: axis, "value": name})).properties(
        width=2 * WIDTH, height=60
    )


RASTER = Chart("raster", raster, raster_data, "When did each neuron fire, and in which trials?")
