"""Predictive checks: do responses drawn from the fit look like the observed ones?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError
from ...inference.options import choice, number, whole
from ..accept import column, describe
from ..chart import Chart
from ..observed import Observed, observe
from ..predictive_tables import Curve, along, bands, bars, overlays, split
from ..replicates import PRIOR, replicates

if TYPE_CHECKING:
    import altair as alt

STYLES = ("density", "ecdf", "bars")
PANELS, CURVES, POINTS = 40, 40, 90
"""Groups with a panel; curves of draws; points of a curve."""


@dataclass(frozen=True, eq=False)
class Check:
    """A predictive check, ready to be drawn.

    Attributes:
        table: from `predictive_data`.
        style: `density`, `ecdf`, `bars`, or `along` a column.
        observed: the observed rows.
        kind: `posterior` or `prior`.
        note: what the curves leave out.
    """

    table: pd.DataFrame
    style: str
    observed: Observed
    kind: str
    note: str = ""


def predictive_data(
    given: Any,
    kind: str | None = None,
    by: str | None = None,
    x: str | None = None,
    style: str | None = None,
    draws: int = 200,
    prob: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Returns observed and drawn responses, summarised in the same way.

    Args:
        given: a Fit, or a Model for draws from its prior.
        kind: "posterior" or "prior"; by default the first for fits, the second for models.
        by: a column with a check of its own for each value, such as the mouse.
        x: a column along which responses are summarised, as in the chart of data.
        style: "density" or "ecdf" (cumulative share) of continuous responses, "bars" of whole
            numbers; by default as the family's support has it.
        draws: data sets drawn.
        prob: probability of the intervals over draws.
        seed: the same seed gives the same draws.

    Returns:
        With `x`: the column, `observed`, `mean`, `lower`, `upper` (and `q25`, `median`, `q75`). Else
        with "bars" or `by`: `value` (and `end` of bars), `observed`, `mean`, `lower`, `upper` of the
        density or share. Else `kind` ("observed" or "drawn"), `draw`, `value` and the density.

    Raises:
        OptionError: an unknown column, style or kind.
        PriorError: the prior is wanted but improper.
    """
    return _check(given, kind, by, x, style, draws, prob, seed).table


def _check(
    given: Any,
    kind: str | None,
    by: str | None,
    x: str | None,
    style: str | None,
    draws: int,
    prob: float,
    seed: int,
    units: Mapping[str, str] | None = None,
) -> Check:
    number("prob", prob, 0.0, 1.0)
    whole("draws", draws, 1)
    whole("seed", seed, 0)
    model, drawn, kind = replicates(given, kind, draws, seed)
    found = observe(model, units)
    y = found.frame[found.response].to_numpy()
    counts = not model.spec.family.support.holds(np.array([0.5])).all()
    counts &= "trials" not in model.design.response
    style = choice("style", style or ("bars" if counts else "density"), STYLES)
    if style == "bars" and not counts:
        raise OptionError("style='bars' is for whole numbers; take 'density' or 'ecdf'.")
    for option, name in (("by", by), ("x", x)):
        if name is not None:
            column(name, found.frame.columns, option)
    groups = [] if by is None else [by]
    holds = model.spec.family.support.holds
    low, high = (None if holds(np.array([v])).all() else float(v > 0) for v in (-1.0, 2.0))
    bounded = Curve(style, low, None if counts or low is None else high)
    tables, outside = [], 0.0
    for key, rows in split(found.frame, groups):
        observed, replicated = y[rows], drawn[:, rows]
        if x is not None:
            frame = found.frame.iloc[rows].reset_index(drop=True)
            table = along(frame, x, observed, replicated, found.binary, prob)
        elif style == "bars":
            table = bars(observed, replicated, prob)
        elif by is None:
            grid, outside = bounded.span(observed, replicated, POINTS)
            table = overlays(observed, replicated[:CURVES], bounded, grid)
        else:
            grid, _ = bounded.span(observed, replicated, POINTS // 2)
            summary = lambda values, at=grid: bounded(values, at)
            table = pd.DataFrame({"value": grid, **bands(observed, replicated, summary, prob)})
        tables.append(table.assign(**key)[[*key, *table.columns]])
    joined = pd.concat(tables, ignore_index=True)
    note = f"{100 * outside:.0f}% of what is drawn lies beyond the axis" if outside > 0.02 else ""
    return Check(joined, "along" if x is not None else style, found, kind, note)


def predictive(
    given: Any,
    kind: str | None = None,
    by: str | None = None,
    x: str | None = None,
    style: str | None = None,
    draws: int = 200,
    prob: float = 0.95,
    seed: int = 0,
    columns: int | None = None,
    units: Mapping[str, str] | None = None,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws a predictive check: observed responses in black, drawn ones in blue.

    Args:
        given: a Fit, or a Model for draws from its prior.
        kind: "posterior" or "prior"; by default the first for fits, the second for models.
        by: a column with a panel for each value, such as the mouse.
        x: a column along which responses are drawn, as in the chart of data.
        style: "density", "ecdf" or "bars"; by default as the family's support has it.
        draws: data sets drawn.
        prob: probability of the intervals over draws.
        seed: the same seed gives the same draws.
        columns: panels beside each other.
        units: column -> unit.
        title: by default "Posterior predictive check".

    Returns:
        A chart that composes with `|`, `&` and `+`.

    Raises:
        OptionError: an unknown column, style or kind.
        PriorError: the prior is wanted but improper.

    Example:
        >>> bz.plot.predictive(fit, by="mouse")  # doctest: +SKIP
    """
    check = _check(given, kind, by, x, style, draws, prob, seed, units)
    from ..predictive_marks import draw_along, draw_check

    text = title or f"{'Prior' if check.kind == PRIOR else 'Posterior'} predictive check"
    if by is not None:
        text = title or f"{text} by {by}"
    about = describe(given if check.kind != PRIOR else getattr(given, "model", given))
    draw = draw_along if x is not None else draw_check
    return draw(
        check.table, check.style, check.observed, (text, about, check.note), prob, by, x, columns
    )


PREDICTIVE = Chart(
    "predictive", predictive, predictive_data, "Do data drawn from the fit look like the data?"
)
