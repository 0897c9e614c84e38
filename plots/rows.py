"""Lists of estimates with intervals: one row each, one colour per fit, a line of reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .accept import FIT
from .fields import levels, tooltips
from .layers import join, layered, only, rule
from .theme import ACCENT, INK, STEP, WIDTH, colours
from .theme import title as heading

if TYPE_CHECKING:
    import altair as alt

SHOWN = ("mean", "sd", "se", "lower", "upper", "p_positive", "p_value", "r_hat")
"""Columns of a summary that a tooltip lists, where the table has them."""
OFFSET = 11
"""Height of one fit's place within a row, where there are several."""


def draw_rows(
    table: Any,
    row: str,
    text: str,
    lines: tuple[str, ...],
    axis: str = "estimate",
    reference: float | None = 0.0,
    scale: Any = None,
    facet: Any = None,
    order: list[Any] | None = None,
    raw: str | None = None,
    band: pd.DataFrame | None = None,
    name: str | None = None,
    row_panels: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws a list of estimates.

    Args:
        table: columns `fit` (where there are several), `mean`, `lower`, `upper`, and that of the rows.
        row: the column whose values are the rows.
        text: the title.
        lines: the lines below it.
        axis: the title of the horizontal axis.
        reference: where the line of reference stands; None for none.
        scale: of the horizontal axis.
        facet: a column with one panel per value.
        order: the rows from top to bottom; by default as they come.
        raw: a column that is drawn as black diamonds.
        band: one row with `mean`, `lower` and `upper`, shaded across all rows.
        name: what the rows are, as the title of their axis.
        row_panels: a column whose values get panels below each other, with axes of their own.

    Returns:
        The chart.
    """
    import altair as alt

    tables = {"rows": table} if band is None else {"rows": table, "band": band}
    frame, names = join(tables)
    field = names[row]
    several = FIT in table and table[FIT].nunique() > 1
    order = list(dict.fromkeys(table[row])) if order is None else order
    shown = {names[c]: c for c in (FIT, row, *([raw] if raw else ()), *SHOWN) if c in names}
    shared: dict[str, Any] = {
        "y": alt.Y(field=field, type="nominal", sort=order, title=name, axis=_labels(order)),
        "tooltip": tooltips(frame, shown),
    }
    tall = len(order) > 40
    height: Any = alt.Step(14 if tall else STEP)
    if several:
        members = list(dict.fromkeys(table[FIT]))
        shared["color"] = alt.Color(
            field=FIT, type="nominal", scale=colours(members), sort=members, title="fit"
        )
        shared["yOffset"] = alt.YOffset(field=FIT, type="nominal", sort=members)
        height = alt.Step(7 if tall else OFFSET)
    base: Any = alt.Chart()
    at = alt.X(
        field="mean",
        type="quantitative",
        title=axis,
        scale=scale or alt.Scale(zero=False, padding=12),
    )
    bars = base.mark_rule(strokeWidth=2, color=ACCENT).encode(
        x=alt.X(field="lower", type="quantitative", title=axis),
        x2=alt.X2(field="upper"),
        **shared,
    )
    points = base.mark_point(filled=True, size=45, opacity=1, color=ACCENT).encode(x=at, **shared)
    bars, points = only(bars, "rows"), only(points, "rows")
    marks = [] if reference is None else [rule(reference, horizontal=False)]
    if band is not None:
        shade = only(base, "band").mark_rect(color=ACCENT, opacity=0.12)
        middle = only(base, "band").mark_rule(color=ACCENT, strokeWidth=1, opacity=0.6)
        ends = {"x": bars.encoding.x, "x2": alt.X2(field="upper")}
        marks += [shade.encode(**ends), middle.encode(x=at)]
    marks += [bars, points]
    if raw is not None:
        diamond = base.mark_point(shape="diamond", filled=True, size=40, opacity=1, color=INK)
        at = alt.X(field=names[raw], type="quantitative", title=axis)
        shared = {name: shared[name] for name in ("y", "tooltip")}
        marks.append(only(diamond, "rows").encode(x=at, **shared))
    if row_panels is None:
        return layered(frame, marks, heading(text, *lines), WIDTH, height, facet=facet)
    spread = alt.Row(
        field=names[row_panels], type="nominal", sort=list(dict.fromkeys(table[row_panels])),
        title=None, header=alt.Header(labelOrient="top", labelAnchor="start", labelFontWeight="bold"),
    )  # fmt: skip
    chart: Any = layered(frame, marks, heading(text, *lines), WIDTH, height)
    return chart.facet(row=spread).resolve_scale(x="independent", y="independent")


def _labels(order: list[Any]) -> Any:
    """An axis of names, which keep their whole text unless it is very long."""
    import altair as alt

    return alt.Axis(
        labelLimit=320, grid=len(order) < 40, gridColor="#EEEEEE", ticks=False, domain=False
    )


def sorted_rows(table: Any, row: str) -> list[Any]:
    """Returns the rows by their estimate in the first fit, the largest on top."""
    first = table[table[FIT] == table[FIT].iloc[0]] if FIT in table else table
    means = first.groupby(row, sort=False, observed=True)["mean"].mean()
    ranked = means.sort_values(ascending=False, kind="stable").index.tolist()
    return [*ranked, *(value for value in levels(table[row]) if value not in set(ranked))]
