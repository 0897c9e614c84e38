"""Estimates of groups against their raw means, with the line on which both agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .accept import FIT
from .fields import tooltips
from .layers import join, layered, only
from .theme import ACCENT, GREY, colours
from .theme import title as heading
from .thinning import thin

if TYPE_CHECKING:
    import altair as alt


def draw_against_raw(
    table: Any, group: str, text: str, lines: tuple[str, ...], axes: tuple[str, str]
) -> alt.LayerChart | alt.FacetChart:
    """Draws columns `raw`, `mean`, `lower` and `upper` of groups, with a colour for each fit."""
    import altair as alt

    members = list(dict.fromkeys(table[FIT]))
    few, note = thin(table[np.isfinite(table["raw"])], 2000)
    columns = few[["raw", "mean", "lower", "upper"]].to_numpy(dtype=float)
    low, high = np.nanmin(columns), np.nanmax(columns)
    ends = [min(low, few["raw"].min()), max(high, few["raw"].max())]
    tables = {"estimate": few, "equal": pd.DataFrame({"raw": ends, "mean": ends})}
    frame, names = join(tables)
    base: Any = alt.Chart()
    scale = alt.Scale(zero=False)
    x = alt.X(field="raw", type="quantitative", title=axes[0], scale=scale)
    y = alt.Y(field="mean", type="quantitative", title=axes[1], scale=scale)
    colour: dict[str, Any] = {}
    if len(members) > 1:
        colour["color"] = alt.Color(
            field=FIT, type="nominal", scale=colours(members), sort=members, title="fit"
        )
    shown = {names[c]: c for c in (FIT, group, "raw", "mean", "lower", "upper", "rows")}
    tip = {"tooltip": tooltips(frame, shown)}
    equal = base.mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1)
    bars = base.mark_rule(strokeWidth=1.5, opacity=0.7, color=ACCENT)
    dots = base.mark_point(filled=True, size=55, opacity=0.9, color=ACCENT)
    low_end = alt.Y(field="lower", type="quantitative", title=axes[1])
    marks = [
        only(equal, "equal").encode(x=x, y=y),
        only(bars, "estimate").encode(x=x, y=low_end, y2=alt.Y2(field="upper"), **colour, **tip),
        only(dots, "estimate").encode(x=x, y=y, **colour, **tip),
    ]
    return layered(frame, marks, heading(text, *lines, note), 320, 300)
