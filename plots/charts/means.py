"""Means: what the fit says of the mean response, over the data it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError, shown
from ..accept import FIT, describe, fits, groups_note, intervals, mapping
from ..chart import Chart
from ..fields import levels
from ..mean_roles import MeanRoles, mean_roles

if TYPE_CHECKING:
    import altair as alt

    from ...inference.fit import Fit

POINTS, ROWS, PANELS = 60, 1900, 40
"""Points of a line; rows of all lines; panels."""


def means_data(
    fit: Any,
    by: Sequence[str] | str | None = None,
    facet: str | None = None,
    at: Mapping[str, Any] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Returns the fitted means that are drawn; see `fit.means`.

    Args:
        fit: a Fit, or a mapping from names to Fits.
        by: a column along the axis and, if there is a second, one with a colour per value; by default
            the first of the formula's mean.
        facet: a column with a panel per value.
        at: values of columns; by default, numbers along the axis take values over their whole range.
        **options: those of `fit.means`, such as groups, average, prob.

    Returns:
        Columns `fit`, those of `by` and `facet`, `mean`, `sd`, `lower`, `upper`, ...

    Raises:
        OptionError: an unknown column or option.
    """
    return _table(fits(fit, "means"), by, facet, at, options)[0]


def _table(
    given: Mapping[str, Fit],
    by: Sequence[str] | str | None,
    facet: str | None,
    at: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> tuple[pd.DataFrame, MeanRoles]:
    first = next(iter(given.values()))
    roles = mean_roles(first, by, facet, len(given) > 1)
    asked = mapping("at", at)
    frame: Any = roles.observed.frame
    if not roles.nominal and roles.x not in asked:
        others = [c for c in (roles.color, roles.facet) if c is not None]
        cells = int(np.prod([min(frame[c].nunique(), PANELS) for c in others])) * len(given)
        values = frame[roles.x].dropna()
        count = int(np.clip(ROWS // max(cells, 1), 5, POINTS))
        asked[roles.x] = np.linspace(values.min(), values.max(), count).tolist()
    frames = []
    for name, one in given.items():
        table = one.means(by=roles.by, at=asked or None, **options)
        frames.append(table.assign(**{FIT: name})[[FIT, *table.columns]])
    return pd.concat(frames, ignore_index=True), roles


def means(
    fit: Any,
    by: Sequence[str] | str | None = None,
    data: bool = True,
    facet: str | None = None,
    at: Mapping[str, Any] | None = None,
    columns: int | None = None,
    units: Mapping[str, str] | None = None,
    title: str | None = None,
    **options: Any,
) -> alt.LayerChart | alt.FacetChart:
    """Draws fitted means with their intervals over the data, on one axis in the response's units.

    Args:
        fit: a Fit, or a mapping from names to Fits, which get a colour each.
        by: a column along the axis and, if there is a second, one with a colour per value (a panel
            where there are several fits); by default the first of the formula's mean.
        data: whether to draw the data.
        facet: a column with a panel per value, such as the mouse, whose fitted effects then enter.
        at: values of columns, as `fit.means` takes them.
        columns: panels beside each other.
        units: column -> unit.
        title: by default "y by x".
        **options: those of `fit.means`, such as groups, average, prob.

    Returns:
        A chart that composes with `|`, `&`, `+` and, without panels of its own, `.facet`.

    Raises:
        OptionError: an unknown column or option.

    Example:
        >>> bz.plot.means({"nuts": fit, "lme": other}, facet="mouse")  # doctest: +SKIP
    """
    if not isinstance(data, bool):
        raise OptionError(f"data= takes True or False, not {shown(data)}.")
    given = fits(fit, "means")
    table, roles = _table(given, by, facet, at, options)
    roles = roles.with_units(units)
    from ..mean_marks import draw_means

    note = ""
    if roles.facet is not None:
        panels = levels(table[roles.facet])
        if len(panels) > PANELS:
            note = f"the first {PANELS} of {len(panels)} {roles.facet}"
            table = table[table[roles.facet].isin(panels[:PANELS])]
    prob = float(options.get("prob", 0.95))
    text = title or f"{roles.observed.label} by {roles.x}"
    what = "fitted means"
    what += f" and {intervals(given, prob)}" if intervals(given, prob) else ""
    lines = (
        text,
        describe(given),
        what + (", over the data" if data else ""),
        groups_note(given, roles.by, options.get("groups")),
        note,
    )
    return draw_means(table, roles, lines, data, columns)


MEANS = Chart("means", means, means_data, "What mean does the fit give, and does it meet the data?")
