"""Arrows from one estimate of each group to another, a row per group and a panel per coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .fields import tooltips
from .layers import join, layered, only
from .theme import ACCENT, GREY, SECOND, STEP
from .theme import title as heading

if TYPE_CHECKING:
    import altair as alt

MOST = 80
"""Groups that get a row."""


def draw_arrows(
    table: Any, group: str, text: str, lines: tuple[str, ...], axis: str
) -> alt.LayerChart | alt.FacetChart:
    """Draws the table of `shrinkage_data`."""
    import altair as alt

    effects = list(dict.fromkeys(table["effect"]))
    last = table[table["effect"] == effects[0]].sort_values("mean", ascending=False, kind="stable")
    order = last[group].tolist()
    note = ""
    if len(order) > MOST:
        order = [order[i] for i in np.linspace(0, len(order) - 1, MOST).round().astype(int)]
        table = table[table[group].isin(order)]
        note = f"{MOST} of {len(last)} groups, evenly over their ranks"
    moved = table[np.isfinite(table["alone"])]
    reach = table.groupby("effect")[["alone", "mean"]].agg(["min", "max"])
    span = (reach.max(axis=1) - reach.min(axis=1)).rename("span")
    right = moved["mean"] > moved["alone"]
    far = (moved["mean"] - moved["alone"]).abs() > 0.02 * moved["effect"].map(span)
    heads = moved.assign(angle=np.where(right, 90, -90))[far.to_numpy()]
    lines_at = table[["effect", "population"]].drop_duplicates()
    frame, names = join({"groups": table, "moved": moved, "head": heads, "population": lines_at})
    field = names[group]
    base: Any = alt.Chart()
    rows = alt.Axis(labelLimit=200, grid=True, gridColor="#EEEEEE", ticks=False, domain=False)
    y = alt.Y(field=field, type="nominal", sort=order, title=None, axis=rows)
    title = axis if len(effects) == 1 else None
    at: dict[str, Any] = {
        name: alt.X(field=name, type="quantitative", title=title, scale=alt.Scale(zero=False),
                    axis=alt.Axis(tickCount=6))
        for name in ("alone", "mean", "lower", "population")
    }  # fmt: skip
    shown = (group, "effect", "alone", "mean", "lower", "upper", "population", "rows")
    tip = {"tooltip": tooltips(frame, {names[c]: c for c in shown})}
    dash = base.mark_rule(color=GREY, strokeDash=[4, 3])
    bars = base.mark_rule(strokeWidth=5, opacity=0.18, color=ACCENT)
    shaft = base.mark_rule(strokeWidth=1.2, color=SECOND)
    head = base.mark_point(shape="triangle-up", filled=True, size=30, opacity=1, color=SECOND)
    turned = alt.Angle(
        field="angle", type="quantitative", scale=alt.Scale(domain=[0, 360], range=[0, 360])
    )
    middle = alt.X(field="halfway", type="quantitative", title=title)
    open_ = base.mark_point(size=40, opacity=1, color=SECOND, strokeWidth=1.3)
    full = base.mark_point(filled=True, size=50, opacity=1, color=ACCENT)
    marks = [
        only(dash, "population").encode(x=at["population"]),
        only(bars, "groups").encode(x=at["lower"], x2=alt.X2(field="upper"), y=y, **tip),
        only(shaft, "moved").encode(x=at["alone"], x2=alt.X2(field="mean"), y=y, **tip),
        only(head, "head").transform_calculate(halfway="(datum.alone + datum.mean) / 2")
        .encode(x=middle, y=y, angle=turned),
        only(open_, "moved").encode(x=at["alone"], y=y, **tip),
        only(full, "groups").encode(x=at["mean"], y=y, **tip),
    ]  # fmt: skip
    step = STEP if len(order) <= 40 else 14
    chart = layered(frame, marks, heading(text, *lines, note), 300, alt.Step(step - 4))
    if len(effects) == 1:
        return chart
    head_ = alt.Header(labelFontWeight="bold", labelFontSize=12, title=axis, titleOrient="bottom",
                       titleFontSize=11)  # fmt: skip
    facet = alt.Column(field="effect", type="nominal", sort=effects, title=None, header=head_)
    return chart.facet(column=facet).resolve_scale(x="independent")
