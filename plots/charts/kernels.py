"""Kernels: the filters of temporal terms over lags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError, listing
from ...inference.fit import Fit
from ...inference.options import flag, whole
from ..accept import FIT, describe, fits, intervals
from ..chart import Chart
from ..fields import levels, rename, tooltips
from ..filters import TRUTH, add_truth, find_term, short_names
from ..layers import layered, rule
from ..panels import fill, keep, keep_lags, reach
from ..theme import ACCENT, HEIGHT, INK, PANEL_HEIGHT, PANEL_WIDTH, WIDTH, colours
from ..theme import title as heading

if TYPE_CHECKING:
    import altair as alt

GAINS = {"log": "Factor on the mean", "logit": "Factor on the odds"}
"""The links under which exp(filter) is a factor, and of what."""
EFFECT = "Effect (linear predictor)"
LABELS = ("source", "neuron", "group", "level")


def kernels_data(
    fit: Fit | Mapping[str, Fit], *, prob: float = 0.95, gain: bool = False, truth: Any = None
) -> pd.DataFrame:
    """Returns the filter of every temporal term, as `fit.kernels()` does, and the truth beside it.

    Args:
        fit: a Fit, or a mapping from names to Fits.
        prob: probability of the intervals.
        gain: whether to return exp(filter): the factor by which one unit of the series multiplies the
            mean (or the odds) so many bins later.
        truth: the true filters where they are known: an array of the only term, or a mapping from terms
            (by name, or by that of their series) to arrays (lag,), (lag, neuron) or
            (source, lag, neuron).

    Returns:
        Columns `fit`, `term`; `source`, `neuron`, `group`, `level` where there are any; `lag` (bins),
        `seconds` where the data have a time axis, `mean`, `lower`, `upper`, and `truth` if given.

    Raises:
        OptionError: no temporal term, a link without factors, or a truth that fits no term.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lnp_cell(bins=2000)
        >>> fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
        >>> list(bz.plot.kernels_data(fit, truth=truth["filter"]))
        ['fit', 'term', 'lag', 'seconds', 'mean', 'lower', 'upper', 'truth']
    """
    flag("gain", gain)
    frames = []
    for name, one in fits(fit, "kernels").items():
        _unit(one, gain)
        table = add_truth(one, one.kernels(prob), truth)
        table.insert(0, FIT, name)
        frames.append(table)
    frame = pd.concat(frames, ignore_index=True)
    if gain:
        values = [name for name in ("mean", "lower", "upper", TRUTH) if name in frame]
        frame[values] = np.exp(frame[values])
    return frame


def kernels(
    fit: Fit | Mapping[str, Fit],
    *,
    prob: float = 0.95,
    gain: bool = False,
    truth: Any = None,
    term: str | None = None,
    panels: int = 6,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart | alt.HConcatChart:
    """Draws the filters of temporal terms over lags, with bands: how does the past act?

    Args:
        fit: a Fit, or a mapping from names to Fits, which get a colour each.
        prob: probability of the bands.
        gain: whether to draw factors, exp(filter), on a logarithmic axis; for log and logit links.
        truth: the true filters, drawn as dashed lines; see `kernels_data`.
        term: the term to draw, by its name or by that of its series; None for all, side by side.
        panels: the most sources and the most neurons that are drawn.
        title: by default "Effect of past ...".

    Returns:
        A chart with one panel per source and neuron; charts of several terms are side by side.

    Raises:
        OptionError: as `kernels_data`; an unknown term.

    Example:
        >>> bz.plot.kernels(fit, gain=True)  # doctest: +SKIP
    """
    import altair as alt

    whole("panels", panels, 1)
    given = fits(fit, "kernels")
    frame: Any = kernels_data(given, prob=prob, gain=gain, truth=truth)
    if len(given) == 1:
        frame = frame.drop(columns=FIT)
    terms = frame["term"].unique().tolist()
    short = short_names(terms)
    wanted = terms if term is None else [find_term(term, terms)]
    unit = _unit(next(iter(given.values())), gain)
    lines = [describe(given)] if len(wanted) == 1 else []
    key = [intervals(given, prob)] + ["dashed: truth"] * (TRUTH in frame)
    charts = []
    for name in wanted:
        text = title or f"Effect of past {short[name]}"
        part = frame[frame["term"] == name]
        charts.append(_draw(part, text, lines, key, unit, gain, panels))
    if len(charts) == 1:
        return charts[0]
    return alt.hconcat(*charts).resolve_scale(color="shared" if len(given) > 1 else "independent")


def _unit(fit: Fit, gain: bool) -> str:
    """The title of the axis of filters."""
    link = dict(fit.model.spec.links)["mu"]
    if not gain:
        return EFFECT
    if link not in GAINS:
        raise OptionError(
            f"gain=True draws factors, exp(filter), but effects under the link `{link}` are none. "
            f"Links where they are: {listing(GAINS)}."
        )
    return GAINS[link]


def _draw(
    frame: Any,
    text: str,
    lines: list[str],
    key: list[str],
    unit: str,
    gain: bool,
    panels: int,
) -> Any:
    import altair as alt

    held = [name for name in (FIT, *LABELS) if name in frame and frame[name].notna().any()]
    row, column, hue = _roles(frame, held)
    notes = []
    for name in (row, column):
        if name:
            frame, note = keep(frame, name, panels if row else 2 * panels)
            notes.append(note)
    frame, note = keep_lags(frame)
    notes.append(note)
    frame, axis = _in_time(frame)
    domain, note = reach(frame, gain)
    notes += [note, (unit[0].lower() + unit[1:]) * bool(row)]
    if row and column:
        frame = fill(frame, row, column)
    table: Any
    table, names = rename(frame)
    x = alt.X(field="x", type="quantitative", title=axis, scale=alt.Scale(nice=False))
    options: dict[str, Any] = {"color": alt.value(ACCENT)}
    if hue:
        order = levels(table[names[hue]])
        options["color"] = alt.Color(
            field=names[hue],
            type="nominal",
            title=hue,
            scale=colours(order),
            sort=order,
            legend=alt.Legend(symbolType="stroke", symbolOpacity=1, symbolStrokeWidth=2),
        )
    rest = [name for name in held if name not in (row, column, hue)]
    details = [alt.Detail(field=names[name], type="nominal") for name in rest]
    options["detail"] = details or alt.Undefined

    scale = alt.Scale(type="log" if gain else "linear", domain=domain, nice=not gain, clamp=True)

    def y(field: str) -> Any:
        return alt.Y(field=field, type="quantitative", title=None if row else unit, scale=scale)

    shown = (*held, "lag", "seconds", "mean", "lower", "upper", TRUTH)
    known = {names[n]: n for n in shown if n in names and frame[n].notna().any()}
    layers = [rule(1.0 if gain else 0.0)]
    if frame["lower"].notna().any():
        band = alt.Chart().mark_area(opacity=0.25, clip=True)
        layers.append(band.encode(x, y("lower"), alt.Y2(field="upper"), **options))
    line = alt.Chart().mark_line(strokeWidth=2)
    layers.append(line.encode(x, y("mean"), tooltip=tooltips(table, known), **options))
    if TRUTH in frame:
        dashed = alt.Chart().mark_line(strokeDash=[5, 3], strokeWidth=1.6)
        colour = {"color": alt.value(INK)} if not hue or hue == FIT else {}
        layers.append(dashed.encode(x, y(TRUTH), **{**options, **colour}))
    many = bool(row or column)
    return layered(
        table,
        layers,
        heading(text, *lines, "; ".join(part for part in (*key, *notes) if part)),
        width=PANEL_WIDTH if many else WIDTH,
        height=PANEL_HEIGHT if many else HEIGHT,
        facet=names[column] if column and not row else None,
        row=names[row] if row else None,
        column=names[column] if row and column else None,
    )


def _roles(frame: Any, held: list[str]) -> tuple[str | None, str | None, str | None]:
    """Which labels make rows, columns and colours."""
    several = [name for name in held if frame[name].nunique() > 1 or name == FIT]
    places = [name for name in ("source", "neuron") if name in several]
    if len(places) == 2:
        row, column = places
    else:
        row, column = None, places[0] if places else None
    others = [name for name in several if name not in places]
    hue = others[0] if others else None
    if column is None and len(others) > 1:
        column = others[1]
    return row, column, hue


def _in_time(frame: Any) -> tuple[Any, str]:
    """Adds the lag as it is drawn, and returns the title of its axis."""
    if "seconds" not in frame or frame["seconds"].isna().any():
        return frame.assign(x=frame["lag"]), "Lag (bins)"
    if frame["seconds"].abs().max() < 2:
        return frame.assign(x=1000 * frame["seconds"]), "Lag (ms)"
    return frame.assign(x=frame["seconds"]), "Lag (s)"


KERNELS = Chart("kernels", kernels, kernels_data, "How does the past act, over which lags?")
