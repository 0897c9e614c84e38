"""A chart of several layers over one table, which can be faceted as a whole."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from ..errors import OptionError, listing, nearest
from ..inference.options import whole
from .fields import kind, levels, plain


class Layered(alt.LayerChart):
    """Altair's layered chart with a `facet` that keeps the title and repeats what all panels share.

    Rows without a value of the facetting column, such as those of a population's mean, are drawn in
    every panel.
    """

    def panels(self, facet: str, columns: int | None = None) -> alt.FacetChart:
        """Draws one panel per value of a column, with axes under each where rows are not full."""
        held: Any = self.data
        count = levels(held[facet])
        wanted = beside(len(count), columns)
        chart = self.facet(facet, columns=wanted)
        return chart if len(count) % wanted == 0 else chart.resolve_axis(x="independent")

    def facet(  # type: ignore[override]
        self,
        facet: Any = alt.Undefined,
        row: Any = alt.Undefined,
        column: Any = alt.Undefined,
        data: Any = alt.Undefined,
        columns: Any = alt.Undefined,
        **options: Any,
    ) -> alt.FacetChart:
        """Draws one panel per value of a column.

        Args:
            facet: a column's name, or an `alt.Facet`.
            row: the same, one row of panels per value.
            column: the same, one column of panels per value.
            data: another table, as Altair takes it.
            columns: panels beside each other before a new row begins.
            **options: further properties of Altair's FacetChart.

        Returns:
            The facetted chart.

        Raises:
            OptionError: the table has no such column.
        """
        inner: Any = self.copy()
        heading, inner.title = inner.title, alt.Undefined
        frame: Any = inner.data if data is alt.Undefined else data
        channels = {
            "facet": (facet, alt.Facet),
            "row": (row, alt.Row),
            "column": (column, alt.Column),
        }
        given: dict[str, Any] = {}
        for name, (value, channel) in channels.items():
            if value is alt.Undefined or not isinstance(frame, pd.DataFrame):
                given[name] = value
                continue
            field = _field(value)
            if field is None:
                given[name] = value
                continue
            found = _find(frame, field)
            order = levels(frame[found])
            frame = _spread(frame, found)
            if isinstance(value, str) and (value == field or value in frame.columns):
                kind_ = "nominal" if kind(frame[found]) == "quantitative" else kind(frame[found])
                value = channel(field=found, type=kind_, title=field, sort=order)
            given[name] = value
        if (
            facet is not alt.Undefined
            and columns is alt.Undefined
            and isinstance(frame, pd.DataFrame)
        ):
            field = _field(facet)
            count = len(levels(frame[_find(frame, field)])) if field is not None else 0
            columns = beside(count)
        if isinstance(frame, pd.DataFrame):
            inner.data = alt.Undefined  # else every panel would draw all rows
        chart = alt.LayerChart.facet(inner, data=frame, columns=columns, **given, **options)
        chart.title = heading
        return chart


def beside(count: int, wanted: int | None = None) -> int:
    """Returns how many panels stand beside each other, so that rows are full where they can be.

    Raises:
        OptionError: columns= is no number of panels.
    """
    if wanted is not None:
        return whole("columns", wanted, 1)
    if count <= 4:
        return max(count, 1)
    full = [width for width in (6, 5, 4, 3) if count % width == 0 and count // width <= width]
    return full[-1] if full else 4


def _field(value: Any) -> str | None:
    """The column that a channel names; None where it names none."""
    if isinstance(value, str):
        head, _, tail = value.rpartition(":")
        return head if head and tail in ("Q", "N", "O", "T") else value
    for key in ("field", "shorthand"):
        found = value[key] if key in getattr(value, "_kwds", {}) else alt.Undefined
        if isinstance(found, str):
            return _field(found)
    return None


def _find(frame: Any, field: str) -> str:
    for name in (field, plain(field)):
        if name in frame.columns:
            return name
    names = [name for name in frame.columns if not name.startswith("_")]
    raise OptionError(
        f"the table of this chart has no column `{field}`.{nearest(field, names)} "
        f"Columns: {listing(names)}."
    )


def _spread(frame: Any, field: str) -> pd.DataFrame:
    """Repeats the rows that lack a value of a column for each of its values."""
    lacking = frame[field].isna()
    values = levels(frame[field])
    if not lacking.any() or not values:
        return frame
    shared = frame[lacking]
    parts = [frame[~lacking], *(shared.assign(**{field: value}) for value in values)]
    return pd.concat(parts, ignore_index=True)
