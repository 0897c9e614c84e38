"""How fitted means are drawn over data: points with intervals, or lines with bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .accept import FIT
from .fields import levels, tooltips
from .layers import join, layered, only
from .mean_roles import MeanRoles
from .panel_sizes import panel_size
from .raw import OFFSET, Roles, offsets, prepare, style
from .raw_marks import at_offset, horizontal, raw_marks
from .theme import ACCENT, colours
from .theme import title as heading
from .thinning import thin

if TYPE_CHECKING:
    import altair as alt

SHOWN = ("mean", "lower", "upper", "p_value")


def draw_means(
    table: Any, roles: MeanRoles, lines: tuple[str, ...], data: bool, columns: int | None
) -> alt.LayerChart | alt.FacetChart:
    """Draws a table of fitted means, over the data where wanted."""
    observed = roles.observed
    raw = Roles(
        roles.x, observed.response, roles.color, None, roles.facet, roles.nominal, observed.binary
    )
    several = table[FIT].nunique() > 1
    members = list(dict.fromkeys(table[FIT]))
    own = {name: place for place, name in enumerate(members)}
    place = offsets(table, FIT, 0.0, own) if several else offsets(table, roles.color)
    tables, note, how = {"fitted": table.assign(**{OFFSET: place})}, "", "point"
    if data:
        rows = observed.frame
        if roles.facet is not None:
            rows = rows[rows[roles.facet].isin(table[roles.facet])]
        how = style(rows, raw)
        how = "point" if how == "heat" else how
        keep = [g for g in observed.groups if g in rows and how != "proportion"]
        prepared, note = prepare(rows, raw, how, keep)
        prepared, _ = thin(prepared, 5000 - len(table) - 10)
        tables["raw"] = prepared
    frame, names = join(tables)
    titles = {short: observed.title(name) for name, short in names.items()}
    titles.setdefault(names.get(observed.response, ""), observed.title(observed.response))
    y_title = observed.title(observed.response)
    spot = lambda name: names[name] if name is not None else None
    plain = Roles(
        names[roles.x], names.get(observed.response, ""), spot(roles.color), None, spot(roles.facet),
        roles.nominal, observed.binary,
    )  # fmt: skip
    fitted = _points if roles.nominal else _bands
    layers = [only(mark, "fitted") for mark in fitted(frame, plain, titles, y_title)]
    if data:
        below = 0 if roles.nominal or len(layers) < 2 else 1
        layers[below:below] = [
            only(mark, "raw") for mark in raw_marks(frame, plain, how, titles, quiet=True)
        ]
    panels = 1 if roles.facet is None else table[roles.facet].nunique()
    wide = table[FIT].nunique() * (1 if roles.color is None else table[roles.color].nunique())
    width, height = panel_size(panels, table[roles.x].nunique() if roles.nominal else None)
    if roles.nominal and wide > 1:
        width = int(width * min(1 + 0.25 * (wide - 1), 2))
    chart = layered(frame, layers, heading(*lines, note), width, height)
    if plain.facet is None:
        return chart
    return chart.panels(plain.facet, columns)


def _points(frame: Any, plain: Roles, titles: dict[str, str], y_title: str) -> list[Any]:
    """Points with intervals, those of several fits or colours beside each other."""
    import altair as alt

    shared, colour = _shared(frame, plain, titles)
    shared["xOffset"] = at_offset()
    y = lambda name: alt.Y(field=name, type="quantitative", title=y_title, scale=_scale(plain))
    base: Any = alt.Chart()
    rule = base.mark_rule(strokeWidth=2.2, color=ACCENT)
    dot = base.mark_point(filled=True, size=70, opacity=1, color=ACCENT)
    return [
        rule.encode(y=y("lower"), y2=alt.Y2(field="upper"), **shared, **colour),
        dot.encode(y=y("mean"), **shared, **colour),
    ]


def _bands(frame: Any, plain: Roles, titles: dict[str, str], y_title: str) -> list[Any]:
    """Lines with bands."""
    import altair as alt

    shared, colour = _shared(frame, plain, titles)
    y = lambda name: alt.Y(field=name, type="quantitative", title=y_title, scale=_scale(plain))
    base: Any = alt.Chart()
    many = bool(colour) and len(colour["color"]["sort"]) > 2
    area = base.mark_area(fillOpacity=0.15 if many else 0.25, color=ACCENT)
    line = base.mark_line(strokeWidth=2.2, color=ACCENT)
    dash = {}
    if colour and colour["color"]["field"] == FIT:
        dashes = alt.Scale(range=[[1, 0], [7, 4], [2, 3], [9, 3, 2, 3]])
        order = colour["color"]["sort"]
        dash["strokeDash"] = alt.StrokeDash(
            field=FIT, type="nominal", scale=dashes, sort=order, legend=None
        )
    out = [line.encode(y=y("mean"), **shared, **colour, **dash)]
    if np.isfinite(frame["lower"].to_numpy(dtype=float)).any():
        out.insert(0, area.encode(y=y("lower"), y2=alt.Y2(field="upper"), **shared, **colour))
    return out


def _shared(
    frame: Any, plain: Roles, titles: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The channels of all fitted marks, and that of their colour."""
    import altair as alt

    several = frame[FIT].dropna().nunique() > 1
    names = [plain.x, plain.color, plain.facet]
    shown = {name: titles[name] for name in names if name is not None}
    shown |= {FIT: FIT} if several else {}
    shown |= {name: name for name in SHOWN if name in frame}
    shared = {"x": horizontal(frame, plain, titles), "tooltip": tooltips(frame, shown)}
    field = FIT if several else plain.color
    if field is None:
        return shared, {}
    order = list(dict.fromkeys(frame[FIT].dropna())) if several else levels(frame[field])
    title = "fit" if several else titles[field]
    return shared, {
        "color": alt.Color(
            field=field, type="nominal", scale=colours(order), sort=order, title=title
        )
    }


def _scale(plain: Roles) -> Any:
    import altair as alt

    return alt.Scale(domain=[0, 1]) if plain.binary else alt.Scale(zero=False)
