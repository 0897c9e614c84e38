"""ROC: how well methods tell an effect from none, and how often they find it at a level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError
from ...inference.options import number
from ...inference.power_study import PowerStudy
from ..chart import Chart
from ..fields import rename, tooltips
from ..layers import rule
from ..theme import GREY, SECOND, WIDTH, colours
from ..theme import title as heading

if TYPE_CHECKING:
    import altair as alt

SIDE = 260
CORNERS = 400
"""Points of one curve; curves of larger studies are thinned."""


def roc_data(study: PowerStudy) -> pd.DataFrame:
    """Returns the ROC curve of every method and effect, with the area under it.

    Args:
        study: from `bz.power`.

    Returns:
        Columns `method effect threshold false_positive true_positive auc`.

    Raises:
        OptionError: it is no study.

    Example:
        >>> bz.plot.roc_data(study)  # doctest: +SKIP
    """
    _check(study)
    area = study.auc().rename("auc").reset_index()
    return study.roc().merge(area, on=["method", "effect"], how="left")


def _check(study: Any) -> None:
    if not isinstance(study, PowerStudy):
        raise OptionError(
            f"plot.roc() takes the study that bz.power returns, not {type(study).__name__}."
        )


def power_table(study: PowerStudy, alpha: float) -> pd.DataFrame:
    """Returns the share of data sets in which each method finds an effect, with Wilson's interval.

    Returns:
        Columns `method effect share lower upper datasets`; 95 % intervals.
    """
    wide: Any = study.power(alpha)
    stacked: Any = wide.rename_axis(index="method", columns="effect").stack()
    long = stacked.rename("share").reset_index()
    sizes: Any = study.table.groupby(["method", "effect"], sort=False).size()
    sizes = sizes.rename("datasets")
    long = long.merge(sizes.reset_index(), on=["method", "effect"])
    n, p, z = long["datasets"], long["share"], 1.959963984540054
    centre, half = (p + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n)
    half = half * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return long.assign(lower=centre - half, upper=centre + half)


def roc(
    study: PowerStudy, *, alpha: float | None = None, title: str | None = None
) -> alt.HConcatChart | alt.LayerChart:
    """Draws ROC curves: which method tells an effect from none?

    Args:
        study: from `bz.power`.
        alpha: a level, at which the share of data sets with a finding is drawn beside the curves: false
            alarms at effect 0, power elsewhere, with 95 % intervals; None for the curves alone.
        title: by default "Which method finds the effect?".

    Returns:
        A chart with one panel per effect; the legend tells the area under each curve, the diagonal is
        chance.

    Raises:
        OptionError: it is no study, or alpha is not between 0 and 1.

    Example:
        >>> bz.plot.roc(study, alpha=0.05)  # doctest: +SKIP
    """
    import altair as alt

    _check(study)
    if alpha is not None:
        number("alpha", alpha, 0.0, 1.0)
    frame: Any = roc_data(study)
    methods = frame["method"].unique().tolist()
    effects = sorted(frame["effect"].unique().tolist(), key=abs)
    sizes: Any = study.table.groupby(["method", "effect"]).size()
    about = f"{int(sizes.min()):,} simulated data sets per method and effect"
    failed = f"{len(study.errors):,} fits failed and count as no detection" * bool(study.errors)
    panels = [_curves(frame[frame["effect"] == e], e, methods, len(effects) > 1) for e in effects]
    if alpha is not None:
        panels.append(_power(power_table(study, alpha), alpha, methods))
    lines = [about, failed, "dashed: chance"]
    text = heading(title or "Which method finds the effect?", "; ".join(p for p in lines if p))
    if len(panels) == 1:
        return panels[0].properties(title=text)
    return alt.hconcat(*panels, title=text).resolve_scale(color="independent")


def _curves(frame: Any, effect: float, methods: list[str], several: bool) -> Any:
    import altair as alt

    area = frame.groupby("method")["auc"].first()
    labels = {name: f"{name}: {area[name]:.3f}" for name in methods if name in area}
    parts = []
    for name in labels:
        part = frame[frame["method"] == name]
        step = -(-len(part) // CORNERS)
        kept = np.unique([*range(0, len(part), step), len(part) - 1])
        parts.append(part.iloc[kept].assign(curve=labels[name], order=np.arange(len(kept))))
    table, _ = rename(pd.concat(parts, ignore_index=True))
    unit = {"scale": alt.Scale(domain=[0, 1]), "axis": alt.Axis(tickCount=5, grid=False)}
    x = alt.X(field="false_positive", type="quantitative", title="False positive rate", **unit)
    y = alt.Y(field="true_positive", type="quantitative", title="True positive rate", **unit)
    order = list(labels.values())
    colour = alt.Color(
        field="curve",
        type="nominal",
        title="Area under the curve",
        sort=order,
        scale=colours(order),
        legend=alt.Legend(labelLimit=240, symbolType="stroke", symbolStrokeWidth=3),
    )
    tips = tooltips(
        table,
        {
            "method": "method",
            "effect": "effect",
            "threshold": "threshold of the score",
            "false_positive": "false positive rate",
            "true_positive": "true positive rate",
        },
    )
    corners = pd.DataFrame({"false_positive": [0.0, 1.0], "true_positive": [0.0, 1.0]})
    chance = alt.Chart(corners).mark_line(color=GREY, strokeDash=[4, 3], strokeWidth=1)
    lines = alt.Chart(table).mark_line(strokeWidth=2, interpolate="step-after")
    chart = alt.layer(
        chance.encode(x, y),
        lines.encode(
            x, y, colour, order=alt.Order(field="order", type="quantitative"), tooltip=tips
        ),
    )
    chart = chart.properties(width=SIDE, height=SIDE)
    return chart.properties(title=f"Effect {effect:g}") if several else chart


def _power(table: pd.DataFrame, alpha: float, methods: list[str]) -> Any:
    import altair as alt

    table, _ = rename(table)
    x = alt.X(
        field="effect", type="quantitative", title="Simulated effect", axis=alt.Axis(grid=False)
    )
    scale = alt.Scale(domain=[0, 1])
    colour = alt.Color(
        field="method", type="nominal", title="Method", sort=methods, scale=colours(methods)
    )
    tips = tooltips(table, ["method", "effect", "share", "lower", "upper", "datasets"])
    y = alt.Y(field="share", type="quantitative", title=f"Share with p < {alpha:g}", scale=scale)
    ends = alt.Y(field="lower", type="quantitative", scale=scale)
    base = alt.Chart(table)
    lines = base.mark_line(strokeWidth=1.5).encode(x, y, colour)
    bars = base.mark_rule(strokeWidth=1.5).encode(x, ends, alt.Y2(field="upper"), colour)
    points = base.mark_point(filled=True, size=50, opacity=1).encode(x, y, colour, tooltip=tips)
    chart = alt.layer(rule(alpha, colour=SECOND), lines, bars, points)
    return chart.properties(
        width=WIDTH, height=SIDE, title=f"Found at level {alpha:g} (0: false alarms)"
    )


ROC = Chart("roc", roc, roc_data, "Which method tells an effect from none?")
