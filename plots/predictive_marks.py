"""How predictive checks are drawn: curves, bars with intervals, or ranges along a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .fields import tooltips
from .layers import join, layered, only
from .observed import Observed
from .panel_sizes import panel_size
from .predictive_tables import DRAWN, OBSERVED
from .raw import OFFSET, Roles, is_level, prepare, style
from .raw_marks import at_offset, horizontal, raw_marks
from .theme import ACCENT, INK
from .theme import title as heading
from .thinning import thin

if TYPE_CHECKING:
    import altair as alt


def draw_check(
    table: Any,
    how: str,
    observed: Observed,
    words: tuple[str, str, str],
    prob: float,
    by: str | None,
    x: str | None,
    columns: int | None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws curves or bars over the values of the response."""
    import altair as alt

    table, note = _panels(table, by)
    band = "mean" in table
    curves = "black: observed; blue: data sets drawn"
    intervals = f"black: observed; blue: mean and {100 * prob:g}% interval over data sets drawn"
    lines = heading(words[0], words[1], intervals if band else curves, words[2], note)
    drawn = (
        {"all": table} if band else {str(k): part for k, part in table.groupby("kind", sort=False)}
    )
    frame, names = join(drawn)
    base: Any = alt.Chart()
    titles = {"density": "density", "ecdf": "cumulative share", "bars": "share of rows"}
    at = alt.X(field="value", type="quantitative", title=observed.title(observed.response),
               scale=alt.Scale(zero=False, nice=False))  # fmt: skip
    y = lambda field: alt.Y(field=field, type="quantitative", title=titles[how])
    tip = {
        "tooltip": tooltips(
            frame, [n for n in ("value", "observed", "mean", "lower", "upper") if n in frame]
        )
    }
    if how == "bars":
        layers = _bars(base, frame, observed, y, tip)
    elif band:
        area = base.mark_area(opacity=0.3, color=ACCENT)
        layers = [
            area.encode(x=at, y=y("lower"), y2=alt.Y2(field="upper"), **tip),
            base.mark_line(color=ACCENT, strokeWidth=1).encode(x=at, y=y("mean"), **tip),
            base.mark_line(color=INK, strokeWidth=1.6).encode(x=at, y=y("observed"), **tip),
        ]
    else:
        thread = base.mark_line(color=ACCENT, strokeWidth=1, opacity=0.25)
        layers = [
            only(thread, DRAWN).encode(
                x=at, y=y(how), detail=alt.Detail(field="draw", type="nominal")
            ),
            only(base.mark_line(color=INK, strokeWidth=2.2), OBSERVED).encode(x=at, y=y(how)),
        ]
    count = 1 if by is None else table[by].nunique()
    width, height = panel_size(count)
    facet = None if by is None else names[by]
    chart = layered(frame, layers, lines, width, height, facet=facet, columns=columns)
    return (
        chart
        if facet is None or how == "ecdf"
        else chart.resolve_scale(x="independent", y="independent")
    )


def _bars(base: Any, frame: Any, observed: Observed, y: Any, tip: dict[str, Any]) -> list[Any]:
    import altair as alt

    steps = int((frame["end"] - frame["value"]).max())
    wide = steps > 1
    title = observed.title(observed.response)
    title = title.removeprefix("proportion of ").removesuffix(" = 1") if observed.binary else title
    if wide:
        x = alt.X(
            field="value",
            type="quantitative",
            title=f"{title} (bins of {steps})",
            axis=alt.Axis(tickMinStep=1),
        )
        bar = base.mark_bar(color=INK, opacity=0.25).encode(
            x=x, x2=alt.X2(field="end"), y=y("observed"), y2=alt.Y2Datum(0), **tip
        )
        x = x.copy()
        middle = base.transform_calculate(middle="(datum.value + datum.end) / 2")
        x = alt.X(field="middle", type="quantitative", title=f"{title} (bins of {steps})")
    else:
        many = frame["value"].nunique() > 15
        axis = alt.Axis(labelAngle=0, labelOverlap="greedy" if many else False)
        x = alt.X(field="value", type="ordinal", title=title, axis=axis)
        bar = base.mark_bar(color=INK, opacity=0.25).encode(x=x, y=y("observed"), **tip)
        middle = base
    rule = middle.mark_rule(color=ACCENT, strokeWidth=2)
    return [
        bar,
        rule.encode(x=x, y=y("lower"), y2=alt.Y2(field="upper"), **tip),
        middle.mark_point(filled=True, size=35, opacity=1, color=ACCENT).encode(
            x=x, y=y("mean"), **tip
        ),
    ]


def draw_along(
    table: Any,
    how: str,
    observed: Observed,
    words: tuple[str, str, str],
    prob: float,
    by: str | None,
    x: str | None,
    columns: int | None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws ranges of drawn responses along a column, over the observed responses."""
    import altair as alt

    assert x is not None
    table, note = _panels(table, by)
    rows = observed.frame if by is None else observed.frame[observed.frame[by].isin(table[by])]
    nominal = is_level(rows[x], x in observed.factors)
    roles = Roles(x, observed.response, None, None, by, nominal, observed.binary)
    raw = style(rows, roles)
    raw = "point" if raw == "heat" else raw
    prepared, thinned = prepare(rows, roles, raw, [])
    prepared, _ = thin(prepared, 1500)
    frame, names = join({"raw": prepared, "drawn": table.assign(**{OFFSET: 0.5})})
    plain = Roles(
        names[x],
        names[observed.response],
        None,
        None,
        names[by] if by else None,
        nominal,
        observed.binary,
    )
    titles = {short: observed.title(name) for name, short in names.items()}
    layers = [only(mark, "raw") for mark in raw_marks(frame, plain, raw, titles, quiet=True)]
    base: Any = alt.Chart()
    at = horizontal(frame, plain, titles)
    y = lambda field: alt.Y(field=field, type="quantitative", title=titles[plain.y])
    shown = [n for n in (names[x], "mean", "lower", "q25", "median", "q75", "upper") if n in frame]
    tip = {"tooltip": tooltips(frame, {n: titles.get(n, n) for n in shown})}
    middle = "median" if "median" in table else "mean"
    if nominal:
        tip["xOffset"] = at_offset()
        rule = base.mark_rule(color=ACCENT, strokeWidth=2)
        layers.append(
            only(rule, "drawn").encode(x=at, y=y("lower"), y2=alt.Y2(field="upper"), **tip)
        )
        if middle == "median":
            bar = base.mark_rule(color=ACCENT, strokeWidth=7, opacity=0.5)
            layers.append(
                only(bar, "drawn").encode(x=at, y=y("q25"), y2=alt.Y2(field="q75"), **tip)
            )
        dot = base.mark_point(filled=True, size=60, color=ACCENT, opacity=1)
        layers.append(only(dot, "drawn").encode(x=at, y=y(middle), **tip))
    else:
        for low, high in (("lower", "upper"), *((("q25", "q75"),) if middle == "median" else ())):
            area = base.mark_area(opacity=0.22, color=ACCENT)
            layers.append(only(area, "drawn").encode(x=at, y=y(low), y2=alt.Y2(field=high), **tip))
        line = base.mark_line(color=ACCENT, strokeWidth=2)
        layers.append(only(line, "drawn").encode(x=at, y=y(middle), **tip))
    what = (
        f"blue: {middle}, "
        + ("50% and " if middle == "median" else "")
        + f"{100 * prob:g}% of what is drawn"
    )
    lines = heading(words[0], words[1], f"grey: observed; {what}", note, thinned)
    count = 1 if by is None else table[by].nunique()
    width, height = panel_size(count, table[x].nunique() if nominal else None)
    return layered(
        frame, layers, lines, width, height, facet=names[by] if by else None, columns=columns
    )


def _panels(table: Any, by: str | None, most: int = 40) -> tuple[pd.DataFrame, str]:
    """The first panels where there are very many, and a note."""
    if by is None:
        return table, ""
    values = list(dict.fromkeys(table[by]))
    if len(values) <= most:
        return table, ""
    return table[table[by].isin(values[:most])], f"the first {most} of {len(values)} {by}"
