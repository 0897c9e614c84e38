"""Rates: fitted rates (or means) of a series over the observed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...inference.fit import Fit
from ...inference.options import number, whole
from ...inference.rates import counts_events
from ..accept import FIT, describe, fits, intervals
from ..cells import CELLS, by_column, by_time, pool, series
from ..chart import Chart
from ..fields import is_number, levels, rename, tooltips
from ..layers import layered
from ..panels import ROWS, keep, peak
from ..theme import ACCENT, GREY, HEIGHT, INK, PALE, PANEL_HEIGHT, PANEL_WIDTH, WIDTH, colours
from ..theme import title as heading

if TYPE_CHECKING:
    import altair as alt

EVENTS = 3.0
"""Events that a bar of observed counts holds on average."""


def rates_data(
    fit: Fit | Mapping[str, Fit],
    data: Any = None,
    *,
    window: tuple[float, float] | None = None,
    over: str | None = None,
    cells: int | None = None,
    prob: float = 0.95,
    groups: str = "fitted",
) -> pd.DataFrame:
    """Returns fitted and observed means of the rows of a series, pooled in cells.

    Args:
        fit: a Fit, or a mapping from names to Fits.
        data: new data in any form that Model takes; None for the training rows.
        window: (start, stop) in seconds, or in rows where the data have no time axis; None for all.
        over: a column to pool by instead of time, for tuning curves: numbers are cut at quantiles.
        cells: the most cells; by default 20 of values, and 100 to 400 of time.
        prob: probability of the intervals.
        groups: `fitted`, `population` or `new`, as in `fit.predict`.

    Returns:
        Columns `fit`, `neuron` (by the name of its dimension) where the response has two dimensions,
        `time` (s; or `bin`, or the column of `over`), `fitted` (median of the draws), `lower`, `upper`,
        `observed`, `observed_se` (standard error of the observed mean), `rows`. Counts with a time axis
        are rates in Hz; where the clock restarts, cells pool trials. `attrs` say the unit and a note.

    Raises:
        OptionError: an empty window, or an unknown column.

    Example:
        >>> bz.plot.rates_data(fit, window=(0, 2))  # doctest: +SKIP
    """
    number("prob", prob, 0.0, 1.0)
    if cells is not None:
        whole("cells", cells, 2)
    frames, attributes = [], {}
    for name, one in fits(fit, "rates").items():
        found = series(one, data, groups)
        if over is None:
            place, keys, note = by_time(found, window, cells)
        else:
            place, keys, note = by_column(found, over, cells or 20)
        frame = pool(found, place, keys, prob)
        frame.insert(0, FIT, name)
        frames.append(frame)
        attributes = {"unit": found.unit, "note": note, "timed": found.timed}
    table = pd.concat(frames, ignore_index=True)
    table.attrs.update(attributes)
    return table


def rates(
    fit: Fit | Mapping[str, Fit],
    data: Any = None,
    *,
    window: tuple[float, float] | None = None,
    over: str | None = None,
    cells: int | None = None,
    prob: float = 0.95,
    groups: str = "fitted",
    panels: int = 6,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws fitted rates with bands over observed ones: does the model follow the data?

    Args:
        fit: a Fit, or a mapping from names to Fits, which get a colour each.
        data: see `rates_data`; as are `window`, `over`, `cells` and `groups`.
        window: (start, stop) in seconds.
        over: a column; the chart is then a tuning curve.
        cells: the most cells.
        prob: probability of the bands.
        groups: which group effects.
        panels: the most neurons that are drawn.
        title: by default "Fitted and observed rate".

    Returns:
        A chart with one panel per neuron.

    Raises:
        OptionError: as `rates_data`.

    Example:
        >>> bz.plot.rates(fit, window=(3, 8))  # doctest: +SKIP
    """
    import altair as alt

    given = fits(fit, "rates")
    whole("panels", panels, 1)
    if cells is not None:
        whole("cells", cells, 2)
    schema = next(iter(given.values())).model.spec.schema
    neurons = 1 if schema.neurons is None else min(panels, len(schema.neurons.labels))
    most = max(2, ROWS // (len(given) * neurons))
    chosen = min(cells or most, most) if cells or most < CELLS else None
    frame = rates_data(
        given, data, window=window, over=over, cells=chosen, prob=prob, groups=groups
    )
    unit, notes = frame.attrs["unit"], [frame.attrs["note"]]
    dimension = None if schema.neurons is None else schema.neurons.dim
    if dimension:
        frame, note = keep(frame, dimension, panels)
        notes.append(note)
    x = next(c for c in frame.columns if c not in (FIT, dimension))
    counted = all(counts_events(one) for one in given.values())
    if over is None and counted:
        frame = _bars(frame, [FIT, dimension] if dimension else [FIT])
    top, note = peak(frame)
    notes.append(note)
    scale = alt.Scale(domain=[0.0, top], clamp=True) if counted else alt.Scale(zero=False)
    shape = "grey: observed" if over is None else "points: observed, with standard errors"
    key = "; ".join(part for part in (intervals(given, prob), shape, *notes) if part)
    name = "rate" if "Hz" in unit else "mean"
    text = f"Fitted and observed {name}" + (f" over {over}" if over else "")
    table: Any
    table, names = rename(frame)
    known = {names[n]: n for n in frame.columns if n not in (FIT,) * (len(given) == 1)}
    axis = f"{x.capitalize()} (s)" if x == "time" and frame.attrs.get("timed") else x
    numeric = is_number(table[names[x]])
    horizontal = alt.X(
        field=names[x],
        type="quantitative" if numeric else "nominal",
        title=axis,
        sort=levels(table[names[x]]) if not numeric else alt.Undefined,
        scale=alt.Scale(nice=False, zero=False) if numeric else alt.Undefined,
        axis=alt.Axis(grid=False),
    )
    several = len(given) > 1
    order = list(given)
    hue = (
        alt.Color(
            field=FIT,
            type="nominal",
            scale=colours(order),
            sort=order,
            legend=alt.Legend(symbolType="stroke", symbolOpacity=1, symbolStrokeWidth=2),
        )
        if several
        else alt.value(ACCENT)
    )

    def y(field: str) -> Any:
        return alt.Y(field=names[field], type="quantitative", title=unit, scale=scale)

    first = f"datum['{FIT}'] === {order[0]!r}" if several else None
    layers = _observed(horizontal, y, names, over is not None, counted, first)
    if table[names["lower"]].notna().any():
        if numeric:
            band = alt.Chart().mark_area(opacity=0.28, clip=True)
        else:
            band = alt.Chart().mark_rule(strokeWidth=3, opacity=0.5, clip=True)
        layers.append(band.encode(horizontal, y("lower"), alt.Y2(field=names["upper"]), color=hue))
    mark = alt.Chart().mark_line(strokeWidth=1.6) if numeric else alt.Chart().mark_point(size=60)
    layers.append(mark.encode(horizontal, y("fitted"), color=hue, tooltip=tooltips(table, known)))
    many = bool(dimension)
    wide = 2 * WIDTH if over is None else WIDTH
    return layered(
        table,
        layers,
        heading(title or text, describe(given), key),
        width=(2 * PANEL_WIDTH if over is None else PANEL_WIDTH) if many else wide,
        height=PANEL_HEIGHT if many else HEIGHT,
        facet=names[dimension] if dimension else None,
        columns=(2 if over is None else 3) if many else None,
    )


def _observed(
    x: Any, y: Any, names: Mapping[str, str], tuned: bool, counted: bool, first: str | None
) -> list[Any]:
    """The layers of what was observed, of the first fit only: the others have the same."""
    import altair as alt

    base = alt.Chart() if first is None else alt.Chart().transform_filter(first)
    if not tuned:
        if counted:
            bars = base.mark_area(interpolate="step-after", color=PALE, opacity=0.8)
            return [bars.encode(x, y("observed"))]
        return [base.mark_line(color=GREY, strokeWidth=1).encode(x, y("observed"))]
    low, high = (
        f"datum['{names['observed']}'] {sign} datum['{names['observed_se']}']" for sign in "-+"
    )
    error = base.transform_calculate(low_=low, high_=high).mark_rule(color=INK)
    ends = alt.Y(field="low_", type="quantitative"), alt.Y2(field="high_")
    points = base.mark_point(color=INK, filled=True, size=30, opacity=1)
    return [error.encode(x, *ends), points.encode(x, y("observed"))]


def _bars(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Averages observed rates over as many cells as hold a few events, so that bars say something."""
    frame = frame.reset_index(drop=True)
    out = frame["observed"].to_numpy().copy()
    for _, part in frame.groupby(keys, sort=False, observed=True):
        place, values = part.index.to_numpy(), part["observed"].to_numpy()
        occupied = np.nanmean(values > 0) if len(values) else 1.0
        width = int(np.clip(np.ceil(EVENTS / max(occupied, 1e-9)), 1, max(1, len(values) // 20)))
        if occupied > 0.8:
            width = 1
        bar = np.arange(len(values)) // width
        weights = part["rows"].to_numpy()
        total = np.bincount(bar, np.nan_to_num(values) * weights)
        out[place] = (total / np.maximum(np.bincount(bar, weights), 1))[bar]
    return frame.assign(observed=out)


RATES = Chart("rates", rates, rates_data, "Does the fitted rate follow the observed one?")
