"""A panel per parameter: densities, the interval below, the mean, the line at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .accept import FIT
from .fields import LAYER, tooltips
from .layered import beside
from .layers import join, layered, only
from .theme import ACCENT, GREY, INK, colours, legend
from .theme import title as heading

if TYPE_CHECKING:
    import altair as alt

LOW = 0.07
"""Distance of the bars below the densities, relative to the highest density."""


def draw_panels(
    table: Any,
    parameters: list[str],
    text: str,
    lines: tuple[str, ...],
    columns: int | None,
    several: bool,
) -> alt.LayerChart | alt.FacetChart:
    """Draws the table of `posterior_data`."""
    import altair as alt

    members = list(dict.fromkeys(table[FIT]))
    frame, names = join(_tables(table, members))
    base: Any = alt.Chart()
    colour: dict[str, Any] = {}
    if several:
        scale = colours(members)
        colour["color"] = alt.Color(
            field=FIT, type="nominal", scale=scale, sort=members, title="fit", legend=legend()
        )
    tip = {
        "tooltip": tooltips(
            frame, {n: n for n in (FIT, "parameter", "mean", "lower", "upper") if n in names}
        )
    }
    x = alt.X(field="value", type="quantitative", title=None, scale=alt.Scale(zero=False),
              axis=alt.Axis(tickCount=5, grid=False))  # fmt: skip
    y = alt.Y(field="density", type="quantitative", title=None, axis=None)
    flat = alt.Y(field="height", type="quantitative", title=None, axis=None)
    area = base.mark_area(opacity=0.35, line={"strokeWidth": 1.5}, color=ACCENT)
    marks = [only(base, "zero").mark_rule(color=GREY, strokeDash=[4, 3]).encode(x=x)]
    if not several:
        area = base.mark_area(
            opacity=0.35, line={"strokeWidth": 1.5, "color": ACCENT}, color=ACCENT
        )
    y = y.stack(None)
    marks.append(only(area, "density").encode(x=x, y=y, **colour, **tip))
    prior = base.mark_line(
        strokeDash=[5, 3], strokeWidth=1.5, **({} if several else {"color": INK})
    )
    marks.append(only(prior, "prior").encode(x=x, y=y, **colour))
    bar = base.mark_rule(strokeWidth=3, color=ACCENT)
    marks.append(
        only(bar, "interval").encode(
            x=alt.X(field="lower", type="quantitative"),
            x2=alt.X2(field="upper"),
            y=flat,
            **colour,
            **tip,
        )
    )
    dot = base.mark_point(filled=True, size=45, opacity=1, color=ACCENT)
    mean = alt.X(field="mean", type="quantitative")
    marks.append(only(dot, "interval").encode(x=mean, y=flat, **colour, **tip))
    line = base.mark_rule(strokeWidth=2, color=ACCENT)
    marks.append(only(line, "point").encode(x=x, **colour, **tip))
    if set(table["kind"]) == {"point"}:
        words = base.mark_text(align="center", dy=-66, color=INK)
        number = alt.Text(field="mean", type="quantitative", format=".3~g")
        marks.append(only(words, "point").encode(x=x, text=number))
    present = set(frame[LAYER])
    kept = [m for m in marks if any(f"'{name}'" in str(m.transform[0].filter) for name in present)]
    chart = layered(frame, kept, heading(text, *lines), 190, 120)
    order = [p for p in parameters if p in set(frame["parameter"])]
    facet = alt.Facet(
        field="parameter", type="nominal", sort=order, title=None,
        header=alt.Header(labelFontSize=11, labelFontWeight="bold", labelLimit=190),
    )  # fmt: skip
    panels = chart.facet(facet, columns=beside(len(order), columns))
    return panels.resolve_scale(x="independent", y="independent")


def _tables(table: Any, members: list[str]) -> dict[str, pd.DataFrame]:
    """The rows of each layer."""
    out = {str(kind): part for kind, part in table.groupby("kind", sort=False)}
    drawn = table[table["kind"] != "prior"]
    bars = drawn.drop_duplicates([FIT, "parameter"])[[FIT, "parameter", "mean", "lower", "upper"]]
    top = table.groupby("parameter")["density"].max()
    place = bars[FIT].map({name: i + 1 for i, name in enumerate(members)})
    bars = bars.assign(height=-LOW * place * bars["parameter"].map(top))
    out["interval"] = bars[np.isfinite(bars["height"])].dropna(subset=["lower"])
    spans = drawn.groupby("parameter")["value"].agg(["min", "max"])
    reach = (spans["max"] - spans["min"]) * 0.4
    alone = (reach == 0) & (spans["min"] != 0)
    near = (spans["min"] - reach <= 0) & (spans["max"] + reach >= 0) & (reach > 0) | alone
    out["zero"] = pd.DataFrame({"parameter": spans.index[near], "value": 0.0})
    return out
