"""What of raw data is drawn: boxes with points, lines, points, proportions, or a heat map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .fields import is_number, kind, levels
from .thinning import LIMIT, grid, thin

FEW = 20
"""Numeric columns of at most so many values are drawn as lines, one point per value."""
OFFSET = "_offset"
"""Where a row stands within its level along the axis, from 0 to 1."""


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


def is_level(column: Any, factor: bool) -> bool:
    """Whether a column is drawn as levels: a factor, texts, or two numbers such as 0 and 1."""
    return factor or kind(column) == "nominal" or column.nunique() <= 2


def is_crowded(column: Any) -> bool:
    """Whether so many rows share a few numbers that boxes say more than points."""
    return column.nunique() <= 12 and len(column) > 20 * column.nunique()


def style(frame: Any, roles: Roles) -> str:
    """Returns how raw data are drawn: `proportion`, `line`, `box`, `point` or `heat`."""
    if roles.binary:
        return "proportion"
    if roles.detail is not None:
        return "line"
    if roles.nominal:
        return "box"
    few = len(frame) <= LIMIT or roles.color or roles.facet or not is_number(frame[roles.x])
    return "point" if few else "heat"


def prepare(frame: Any, roles: Roles, how: str, keep: list[str]) -> tuple[Any, str]:
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
    places = color_places(table, roles.color, roles.facet)
    return table.assign(**{OFFSET: offsets(table, roles.color, 0.5, places)}), note


def color_places(table: Any, color: str | None, facet: str | None) -> dict[Any, int]:
    """Returns the place of each colour beside the others: of all, or of its panel's where nested.

    Neurons of one mouse stand in no other mouse's panel, so each panel has places for its own alone.
    """
    if color is None:
        return {}
    order = levels(table[color])
    if facet is not None and facet != color:
        panels = table[[color, facet]].drop_duplicates().set_index(color)[facet]
        if panels.index.is_unique and panels.nunique() > 1:
            counted = panels.reindex(order).groupby(panels.reindex(order), observed=True).cumcount()
            return dict(zip(order, counted.astype(int), strict=True))
    return {level: place for place, level in enumerate(order)}


def offsets(
    table: Any, color: str | None, spread: float = 0.0, places: dict[Any, int] | None = None
) -> np.ndarray:
    """Returns the middle of each colour's share of a level's width, and a jitter around it."""
    places = places or color_places(table, color, None)
    place = table[color].map(places) if color is not None else 0
    jitter = np.random.default_rng(0).uniform(-0.5, 0.5, len(table)) * spread
    share = max(places.values(), default=0) + 1
    return np.round((np.asarray(place, dtype=float) + 0.5 + jitter) / share, 3)


def _proportions(frame: Any, roles: Roles, keep: list[str]) -> pd.DataFrame:
    """Mean and number of a response of 0 and 1, per level or per tenth of the rows along x."""
    x = frame[roles.x]
    if not roles.nominal and is_number(x) and x.nunique() > FEW:
        cuts = np.unique(np.quantile(x.dropna(), np.linspace(0, 1, 11)))
        place = np.clip(np.searchsorted(cuts, x, side="right") - 1, 0, len(cuts) - 2)
        centres = x.groupby(place).mean()
        frame = frame.assign(**{roles.x: centres.reindex(place).to_numpy()})
    by = [c for c in (roles.x, roles.color, roles.detail, roles.facet, *keep) if c is not None]
    grouped = frame.groupby(list(dict.fromkeys(by)), observed=True, dropna=False, sort=False)
    table = grouped[roles.y].agg(["mean", "size"]).reset_index()
    table, _ = thin(table.rename(columns={"mean": roles.y, "size": "rows"}))
    return table.assign(**{OFFSET: offsets(table, roles.color)})
