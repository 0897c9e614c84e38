"""The marks of raw data: boxes with points, lines, points, proportions, or a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import kind, levels, tooltips
from .raw import OFFSET, Roles, color_places
from .theme import GREY, INK, SEQUENTIAL, colours, legend


def raw_marks(
    frame: Any,
    roles: Roles,
    how: str,
    titles: Mapping[str, str],
    quiet: bool = False,
) -> list[Any]:
    """Returns the Altair layers that draw prepared rows.

    Args:
        frame: the prepared rows with plain names.
        roles: with plain names.
        how: from `style`.
        titles: plain name -> title.
        quiet: pale, as the background of what is fitted.
    """
    import altair as alt

    colour: dict[str, Any] = {}
    places: list[int] = []
    detailed: Any = roles.detail
    if roles.color is not None:
        order = levels(frame[roles.color])
        places = list(color_places(frame, roles.color, roles.facet).values())
        nested = max(places) + 1 < len(order)
        scale = colours(order, places if nested else None)
        colour["color"] = alt.Color(
            field=roles.color, type="nominal", scale=scale, sort=order,
            title=titles[roles.color], legend=None if nested and len(order) > 12 else legend(),
        )  # fmt: skip
    shown = [c for c in (*roles.columns, "rows") if c in frame]
    scale = alt.Scale(domain=[0, 1]) if roles.binary else alt.Scale(zero=False)
    channels = {
        "x": horizontal(frame, roles, titles),
        "y": alt.Y(field=roles.y, type="quantitative", title=titles[roles.y], scale=scale),
        "tooltip": tooltips(frame, {name: titles.get(name, name) for name in shown}),
        **colour,
    }
    shift = {"xOffset": at_offset()} if roles.nominal and how in ("box", "proportion") else {}
    if how == "heat":
        return [_heat(roles, titles)]
    if how == "proportion":
        return [_proportions(quiet).encode(**channels, **shift)]
    if how == "line":
        detail = {"detail": alt.Detail(field=detailed, type="nominal")}
        many = quiet or frame[roles.detail].nunique() > 12
        return [_lines(many, bool(colour)).encode(**channels, **detail)]
    dense = len(frame) > 600
    opacity = (0.3 if dense else 0.45) if quiet else (0.35 if dense else 0.5)
    shade = "#555555" if quiet else GREY
    dots = _blank().mark_circle(size=16 if dense else 22, opacity=opacity, color=shade)
    strip = dots.encode(**channels, **shift)
    if how == "point" or quiet:
        return [strip]
    del channels["tooltip"]
    if roles.color is not None:
        order = levels(frame[roles.color])
        channels["xOffset"] = alt.XOffset(field=roles.color, type="nominal", sort=order)
    return [strip, _boxes(max(places, default=-1) + 1).encode(**channels)]


def at_offset() -> Any:
    """Returns the channel that shifts marks within a level along the axis."""
    import altair as alt

    scale = alt.Scale(domain=[0, 1], nice=False, zero=False)
    return alt.XOffset(field=OFFSET, type="quantitative", scale=scale)


def horizontal(frame: Any, roles: Roles, titles: Mapping[str, str]) -> Any:
    """Returns the channel of the horizontal axis."""
    import altair as alt

    if not roles.nominal:
        scale = alt.Scale(zero=False, nice=kind(frame[roles.x]) == "quantitative")
        return alt.X(field=roles.x, type=kind(frame[roles.x]), title=titles[roles.x], scale=scale)
    order = levels(frame[roles.x])
    long = sum(len(str(level)) for level in order) > 40 or len(order) > 8
    axis = alt.Axis(labelAngle=-40 if long else 0, labelLimit=160)
    return alt.X(field=roles.x, type="nominal", sort=order, title=titles[roles.x], axis=axis)


def _proportions(quiet: bool) -> Any:
    import altair as alt

    words: dict[str, Any] = {"legend": None} if quiet else {"legend": alt.Legend(tickCount=3)}
    scale = alt.Scale(range=[25, 220], zero=True)
    size = alt.Size(field="rows", type="quantitative", title="rows", scale=scale, **words)
    mark = _blank().mark_point(filled=True, opacity=0.5 if quiet else 0.8, color=GREY)
    return mark.encode(size=size)


def _lines(many: bool, coloured: bool) -> Any:
    import altair as alt

    own: dict[str, Any] = {} if coloured else {"color": GREY}
    return _blank().mark_line(
        opacity=0.4 if many else 0.8,
        strokeWidth=1 if many else 1.5,
        point=alt.OverlayMarkDef(size=14 if many else 25, opacity=0.6, **own),
        color=GREY,
    )


def _boxes(colours: int) -> Any:
    own: dict[str, Any] = {} if colours else {"stroke": INK, "color": GREY}
    return _blank().mark_boxplot(
        outliers=False,
        size=min(16, max(3, 44 // colours)) if colours else 34,
        opacity=0.9,
        box={"fillOpacity": 0.15, "strokeWidth": 1.2, **own},
        median={"color": INK, "strokeWidth": 2},
        rule={"strokeWidth": 1, "color": INK},
    )


def _heat(roles: Roles, titles: Mapping[str, str]) -> Any:
    import altair as alt

    free = alt.Scale(zero=False)
    return _blank().mark_rect().encode(
        x=alt.X(field=roles.x, type="quantitative", title=titles[roles.x], scale=free),
        x2=alt.X2(field="x_end"),
        y=alt.Y(field=roles.y, type="quantitative", title=titles[roles.y], scale=free),
        y2=alt.Y2(field="y_end"),
        color=alt.Color(
            field="count", type="quantitative", scale=alt.Scale(scheme=SEQUENTIAL, type="log"),
            title="points",
        ),
        tooltip=[alt.Tooltip(field="count", type="quantitative", title="points")],
    )  # fmt: skip


def _blank() -> Any:
    import altair as alt

    return alt.Chart()
