"""How raw data are drawn: boxes with points, lines, points, proportions, or a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .fields import is_number, kind, levels, tooltips
from .theme import GREY, INK, SEQUENTIAL, colours
from .thinning import LIMIT, grid, thin

FEW = 20
"""Numeric columns of at most so many values are drawn as lines, one point per value."""
JITTER = "_jitter"


@dataclass(frozen=True, eq=False)
class Roles:
    """What the columns of a table stand for in a chart; names as in the table.

    Attributes:
        x: along the axis.
        y: the response.
        color: what has a colour per value, or None.
        detail: what is one line per value, or None.
        facet: what is one panel per value, or None.
        nominal: whether `x` is drawn as levels.
        binary: whether the response is 0 or 1.
    """

    x: str
    y: str
    color: str | None = None
    detail: str | None = None
    facet: str | None = None
    nominal: bool = True
    binary: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns, each once."""
        found = (self.x, self.y, self.color, self.detail, self.facet)
        return list(dict.fromkeys(name for name in found if name is not None))


def is_level(column: pd.Series, factor: bool) -> bool:
    """Whether a column is drawn as levels: a factor, texts, or two numbers such as 0 and 1."""
    return factor or not is_number(column) or column.nunique() <= 2


def is_crowded(column: pd.Series) -> bool:
    """Whether so many rows share a few numbers that boxes say more than points."""
    return column.nunique() <= 12 and len(column) > 20 * column.nunique()


def style(frame: pd.DataFrame, roles: Roles) -> str:
    """Returns how raw data are drawn: `proportion`, `line`, `box`, `point` or `heat`."""
    if roles.binary:
        return "proportion"
    if roles.detail is not None:
        return "line"
    if roles.nominal:
        return "box"
    return "point" if len(frame) <= LIMIT or roles.color or roles.facet else "heat"


def prepare(frame: pd.DataFrame, roles: Roles, how: str, keep: list[str]) -> tuple[Any, str]:
    """Returns the rows to draw, thinned or binned, and a note for the subtitle.

    Args:
        frame: all rows.
        roles: what the columns stand for.
        how: from `style`.
        keep: further columns to keep, for `.facet` by them.
    """
    columns = list(dict.fromkeys([*roles.columns, *keep]))
    frame = frame[columns]
    if how == "heat":
        table, _ = grid(frame[roles.x], frame[roles.y])
        names = {"x": roles.x, "y": roles.y}
        return table.rename(columns=names), "counted in the cells of a grid"
    if how == "proportion":
        return _proportions(frame, roles, keep), ""
    if how == "line":
        together = [c for c in (roles.detail, roles.color, roles.facet) if c is not None]
        frame = frame.sort_values(roles.x, kind="stable")
        repeated = len(frame) > frame.groupby([*together, roles.x], observed=True).ngroups
        note = ""
        if repeated:
            frame = frame.groupby([*together, roles.x], observed=True, sort=False, as_index=False)
            frame, note = frame[roles.y].mean(), f"lines are means of each {roles.detail}"
        table, thinned = thin(frame, by=list(dict.fromkeys(together)))
        return table, "; ".join(part for part in (note, thinned) if part)
    table, note = thin(frame)
    rng = np.random.default_rng(0)
    return table.assign(**{JITTER: rng.uniform(-1, 1, len(table)).round(3)}), note


def _proportions(frame: pd.DataFrame, roles: Roles, keep: list[str]) -> pd.DataFrame:
    """Mean and number of a response of 0 and 1, per level or per tenth of the rows along x."""
    x = frame[roles.x]
    if not roles.nominal and x.nunique() > FEW:
        cuts = np.unique(np.quantile(x.dropna(), np.linspace(0, 1, 11)))
        place = np.clip(np.searchsorted(cuts, x, side="right") - 1, 0, len(cuts) - 2)
        centres = x.groupby(place).mean()
        frame = frame.assign(**{roles.x: centres.reindex(place).to_numpy()})
    by = [c for c in (roles.x, roles.color, roles.detail, roles.facet, *keep) if c is not None]
    grouped = frame.groupby(list(dict.fromkeys(by)), observed=True, dropna=False, sort=False)
    table = grouped[roles.y].agg(["mean", "size"]).reset_index()
    table, _ = thin(table.rename(columns={"mean": roles.y, "size": "rows"}))
    return table


def marks(
    frame: pd.DataFrame,
    roles: Roles,
    how: str,
    titles: Mapping[str, str],
    quiet: bool = False,
    scale: Any = None,
) -> list[Any]:
    """Returns the Altair layers that draw prepared rows.

    Args:
        frame: the prepared rows with plain names.
        roles: with plain names.
        how: from `style`.
        titles: plain name -> title.
        quiet: pale, as the background of what is fitted.
        scale: of the vertical axis.
    """
    import altair as alt

    shade = roles.color if not quiet else None
    colour: dict[str, Any] = {}
    if shade is not None:
        order = levels(frame[shade])
        colour["color"] = alt.Color(
            field=shade, type="nominal", scale=colours(order), sort=order, title=titles[shade]
        )
    shown = [c for c in (*roles.columns, "rows") if c in frame]
    channels = {
        "x": horizontal(frame, roles, titles),
        "y": alt.Y(
            field=roles.y,
            type="quantitative",
            title=titles[roles.y],
            scale=scale or _scale(frame, roles),
        ),
        "tooltip": tooltips(frame, {name: titles.get(name, name) for name in shown}),
    }
    base = alt.Chart()
    dodge = {}
    if roles.color is not None and roles.nominal:
        dodge["xOffset"] = alt.XOffset(
            field=roles.color, type="nominal", sort=levels(frame[roles.color])
        )
    if how == "heat":
        return [_heat(base, roles, titles)]
    if how == "proportion":
        sized = {"size": alt.Size(field="rows", type="quantitative", title="rows",
                                  scale=alt.Scale(range=[25, 220], zero=True),
                                  **({"legend": None} if quiet else {"legend": alt.Legend(tickCount=3)}))}  # fmt: skip
        mark = base.mark_point(filled=True, opacity=0.55 if quiet else 0.8, color=GREY)
        return [mark.encode(**channels, **colour, **sized, **dodge)]
    if how == "line":
        detail = {"detail": alt.Detail(field=roles.detail, type="nominal")}
        many = frame[roles.detail].nunique() > 12
        line = base.mark_line(
            opacity=0.35 if quiet or many else 0.8,
            strokeWidth=1 if quiet or many else 1.5,
            point=alt.OverlayMarkDef(
                size=14 if many or quiet else 25, opacity=0.6, **({} if colour else {"color": GREY})
            ),
            color=GREY,
        )
        return [line.encode(**channels, **detail, **colour)]
    faint = 0.25 if quiet else 0.45
    dense = 0.5 if len(frame) > 600 else 1.0
    points = base.mark_circle(
        size=16 if dense < 1 else 22, opacity=faint * (0.5 + dense / 2), color=GREY
    )
    if how == "point":
        return [points.encode(**channels, **colour)]
    spread = dodge or {
        "xOffset": alt.XOffset(
            field=JITTER, type="quantitative", scale=alt.Scale(domain=[-2.2, 2.2])
        )
    }
    strip = points.encode(**channels, **colour, **spread)
    if quiet:
        return [strip]
    unlabelled = {name: channel for name, channel in channels.items() if name != "tooltip"}
    box = base.mark_boxplot(
        outliers=False,
        size=18 if dodge else 34,
        opacity=0.9,
        box={"fillOpacity": 0.15, "strokeWidth": 1.2, **({} if colour else {"stroke": INK, "color": GREY})},
        median={"color": INK, "strokeWidth": 2},
        rule={"strokeWidth": 1, "color": INK},
    )  # fmt: skip
    return [strip, box.encode(**unlabelled, **colour, **dodge)]


def horizontal(frame: pd.DataFrame, roles: Roles, titles: Mapping[str, str]) -> Any:
    """Returns the channel of the horizontal axis."""
    import altair as alt

    if not roles.nominal:
        scale = alt.Scale(zero=False, nice=kind(frame[roles.x]) == "quantitative")
        return alt.X(field=roles.x, type=kind(frame[roles.x]), title=titles[roles.x], scale=scale)
    order = levels(frame[roles.x])
    long = sum(len(str(level)) for level in order) > 40 or len(order) > 8
    axis = alt.Axis(labelAngle=-40 if long else 0, labelLimit=160)
    return alt.X(field=roles.x, type="nominal", sort=order, title=titles[roles.x], axis=axis)


def _scale(frame: pd.DataFrame, roles: Roles) -> Any:
    import altair as alt

    if roles.binary:
        return alt.Scale(domain=[0, 1])
    return alt.Scale(zero=False)


def _heat(base: Any, roles: Roles, titles: Mapping[str, str]) -> Any:
    import altair as alt

    return base.mark_rect().encode(
        x=alt.X(field=roles.x, type="quantitative", title=titles[roles.x], scale=alt.Scale(zero=False)),
        x2=alt.X2(field="x_end"),
        y=alt.Y(field=roles.y, type="quantitative", title=titles[roles.y], scale=alt.Scale(zero=False)),
        y2=alt.Y2(field="y_end"),
        color=alt.Color(
            field="count", type="quantitative", scale=alt.Scale(scheme=SEQUENTIAL, type="log"),
            title="points",
        ),
        tooltip=[alt.Tooltip(field="count", type="quantitative", title="points")],
    )  # fmt: skip
