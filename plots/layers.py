"""Several tables become one, each drawn by a layer of its own, so that a chart can be facetted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from .fields import LAYER, levels, rename
from .theme import HEIGHT, WIDTH

if TYPE_CHECKING:
    import altair as alt


def join(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Returns one table with plain names, where a column says which layer draws a row.

    Args:
        tables: name of the layer -> its table; empty ones are left out.

    Returns:
        The table, and the plain name of each column.
    """
    parts: list[Any] = [
        table.assign(**{LAYER: name}) for name, table in tables.items() if len(table)
    ]
    joined = pd.concat([_objects(part) for part in parts], ignore_index=True).infer_objects()
    for part in parts:
        for name in part.columns[[isinstance(d, pd.CategoricalDtype) for d in part.dtypes]]:
            order = levels(part[name])
            rest = [value for value in levels(joined[name]) if value not in order]
            joined[name] = pd.Categorical(joined[name].astype(object), [*order, *rest])
    return rename(joined)


def _objects(part: Any) -> Any:
    """Texts and categories as plain objects, which concatenate without surprises."""
    labels = part.columns[~part.dtypes.map(pd.api.types.is_numeric_dtype)]
    return part.astype({name: object for name in labels if part[name].dtype.kind not in "mM"})


def only(chart: Any, name: str) -> Any:
    """Returns a chart that draws the rows of one layer of a joined table."""
    return chart.transform_filter(f"datum['{LAYER}'] == '{name}'")


def layered(
    frame: pd.DataFrame,
    layers: Sequence[Any],
    heading: Any,
    width: Any = WIDTH,
    height: Any = HEIGHT,
    facet: Any = None,
    row: Any = None,
    column: Any = None,
    columns: int | None = None,
    resolve: Mapping[str, str] | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Puts layers over each other, in one panel or one for each value of a column.

    Args:
        frame: the table of all layers, with plain names.
        layers: Altair charts without data.
        heading: from `theme.title`.
        width: of a panel.
        height: of a panel.
        facet: a column with one panel per value.
        row: a column with one row of panels per value.
        column: a column with one column of panels per value.
        columns: panels beside each other before a new row begins.
        resolve: channels whose scales the layers do not share -> "independent".

    Returns:
        A chart that composes with `|`, `&`, `+` and, unless it is facetted already, `.facet`.
    """
    from .layered import Layered

    chart: Any = Layered(layer=list(layers), data=frame, title=heading, width=width, height=height)
    if resolve:
        chart = chart.resolve_scale(**resolve)
    given: dict[str, Any] = {"facet": facet, "row": row, "column": column, "columns": columns}
    used = {name: value for name, value in given.items() if value is not None}
    if not used.keys() - {"columns"}:
        return chart
    return chart.panels(facet, columns) if facet is not None else chart.facet(**used)


def rule(value: float, horizontal: bool = True, colour: str | None = None) -> Any:
    """Returns a line of reference, such as zero, across a panel."""
    import altair as alt

    from .theme import GREY

    channel = alt.YDatum(value) if horizontal else alt.XDatum(value)
    base: Any = alt.Chart()
    mark = base.mark_rule(color=colour or GREY, strokeDash=[4, 3], strokeWidth=1)
    return mark.encode(**{"y" if horizontal else "x": channel})
