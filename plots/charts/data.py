"""Data: what was measured, before any fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...errors import OptionError
from ...formula import read
from ...inference.fit import Fit
from ...inference.model import Model
from ..accept import column, describe
from ..chart import Chart
from ..fields import is_number
from ..layers import layered
from ..observed import Observed, observe, observe_table
from ..raw import FEW, Roles, color_places, is_crowded, is_level, prepare, style

if TYPE_CHECKING:
    import altair as alt

PANELS = 24
"""Groups beyond so many get no panel each unless they are asked for."""


def data_data(
    given: Any, x: str | None = None, y: str | None = None, units: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Returns the rows that are drawn, before any are left out.

    Args:
        given: a Model, a Fit, or a table in any form that Model takes.
        x: a column, which is checked.
        y: the response's column, for a table; a Model knows its own.
        units: column -> unit.

    Returns:
        The columns of one dimension at the rows used, with the response by its printed name; several
        responses as rows of their own, told apart by a column.

    Raises:
        OptionError: no such column, or no y= of a table.
    """
    found = _observed(given, y, units)
    if x is not None:
        column(x, found.frame.columns, "x")
    return found.frame


def data(
    given: Any,
    x: str | None = None,
    y: str | None = None,
    color: str | None = None,
    detail: str | None = None,
    facet: str | bool = True,
    row: str | None = None,
    columns: int | None = None,
    units: Mapping[str, str] | None = None,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws raw data: boxes with points, lines, points, proportions, or a heat map of very many.

    Args:
        given: a Model, a Fit, or a table in any form that Model takes.
        x: a column; by default the first factor or number of the formula's mean.
        y: the response's column, for a table; a Model's is its response in its own units.
        color: a column with a colour per value; by default the formula's second factor.
        detail: a column with a line per value, such as trials.
        facet: a column with a panel per value; True for the grouping factor of the formula where it
            has at most 24 groups; False for none.
        row: a column with one row of panels per value; `facet` then stands along the columns.
        columns: panels beside each other before a new row begins.
        units: column -> unit for the axes, such as `{"Power": "uV²"}`.
        title: by default "y by x".

    Returns:
        A chart that composes with `|`, `&`, `+` and, without panels of its own, `.facet`.

    Raises:
        OptionError: no such column, or no y= of a table.

    Example:
        >>> bz.plot.data(bz.Model("Power ~ stim + (1 | mouse)", df))  # doctest: +SKIP
    """
    found = _observed(given, y, units)
    roles = choose_roles(found, x, color, detail, facet)
    if row is not None:
        column(row, found.frame.columns, "row")
    how = style(found.frame, roles)
    every: Any = found.frame
    keep = [c for c in (row, *found.groups, *found.predictors) if c is not None]
    keep = [c for c in dict.fromkeys(keep) if every[c].nunique() <= 200]
    if how == "proportion":
        keep = [row] if row else []
    if row and how == "heat":
        how = "point"
    table, note = prepare(found.frame, roles, how, keep)
    return draw(found, roles, how, table, note, given, title, row, columns)


def draw(
    found: Observed,
    roles: Roles,
    how: str,
    table: Any,
    note: str,
    given: Any,
    text: str | None,
    row: str | None,
    columns: int | None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws prepared rows with their title."""
    from ..fields import rename
    from ..panel_sizes import panel_size
    from ..raw_marks import raw_marks
    from ..theme import title as heading

    frame, names = rename(table)
    titles = {short: found.title(name) for name, short in names.items()}
    spot: dict[str | None, Any] = {None: None, **names}
    plain_roles = Roles(
        names[roles.x],
        names[roles.y],
        spot[roles.color],
        spot[roles.detail],
        spot[roles.facet],
        roles.nominal,
        roles.binary,
    )
    about = describe(given) if isinstance(given, Model | Fit) else ""
    counted = [f"{len(found.frame):,} rows"]
    counted += [f"{found.frame[g].nunique():,} levels of {g}" for g in found.groups]
    places = color_places(found.frame, roles.color, roles.facet)
    if places and max(places.values()) + 1 < len(places):
        counted.append(f"colours: {roles.color}, anew in each {roles.facet}")
    text = text or f"{found.label} by {roles.x}"
    every: Any = found.frame
    panels = 1 if roles.facet is None else int(every[roles.facet].nunique())
    width, height = panel_size(panels, table[roles.x].nunique() if roles.nominal else None)
    independent = how == "box" and roles.color is not None
    return layered(
        frame,
        raw_marks(frame, plain_roles, how, titles),
        heading(text, about, ", ".join(counted) + (f"; {note}" if note else "")),
        width,
        height,
        facet=plain_roles.facet if row is None else None,
        column=plain_roles.facet if row is not None else None,
        row=names[row] if row is not None else None,
        columns=columns,
        resolve={"xOffset": "independent"} if independent else None,
    )


def choose_roles(
    found: Observed, x: str | None, color: str | None, detail: str | None, facet: str | bool
) -> Roles:
    """Returns the columns that a chart of raw data takes, from the user's wishes and the formula."""
    frame: Any = found.frame
    for option, name in (("x", x), ("color", color), ("detail", detail)):
        if name is not None:
            column(name, frame.columns, option)
    if x is None:
        x = _first(found)
    nominal = is_level(frame[x], x in found.factors)
    others = [p for p in found.predictors if p not in (x, detail)]
    if color is None and facet not in others:
        factors = [p for p in others if is_level(frame[p], p in found.factors)]
        color = next((p for p in factors if frame[p].nunique() <= 7), None)
    panel: str | None = None
    if isinstance(facet, str):
        panel = column(facet, frame.columns, "facet")
    elif facet:
        taken = (x, color, detail)
        panel = next(
            (g for g in found.groups if g not in taken and frame[g].nunique() <= PANELS), None
        )
    if detail is None and not nominal and is_number(frame[x]) and frame[x].nunique() <= FEW:
        free = [g for g in found.groups if g not in (x, color)]
        detail = next(iter(free), None)
    nominal = nominal or (detail is None and not found.binary and is_crowded(frame[x]))
    roles = Roles(x, found.response, color, detail, panel, nominal, found.binary)
    return replace(roles, detail=None) if found.binary else roles


def _first(found: Observed) -> str:
    for name in (*found.predictors, *found.groups):
        if name != found.response:
            return name
    if "time" in found.frame:
        return "time"
    raise OptionError("data() needs x=, because the formula has no predictor that is a column.")


def _observed(given: Any, y: str | None, units: Mapping[str, str] | None) -> Observed:
    model = given.model if isinstance(given, Fit) else given
    if isinstance(model, Model):
        if y is not None and not (isinstance(y, str) and y == model.spec.schema.response):
            raise OptionError(
                f"y= is for tables; the response of this model is `{model.spec.schema.response}`."
            )
        return observe(model, units)
    table = read(given)
    if y is None:
        raise OptionError("data() of a table needs x= and y=, the names of two of its columns.")
    return observe_table(table, column(y, table.columns, "y"), units)


DATA = Chart("data", data, data_data, "What was measured, before any fit?")
