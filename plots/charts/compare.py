"""Compare: how well several fits predict, and how far they are from the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError, listing
from ...inference.options import asked
from ..chart import Chart
from ..fields import tooltips
from ..layers import rule
from ..theme import ACCENT, GREY, INK, SECOND, WIDTH
from ..theme import title as heading

if TYPE_CHECKING:
    import altair as alt

ROW = 34
PREDICTED = {
    "elpd": ("Expected log predictive density (right is better)", True),
    "negative_elpd": ("Negative log predictive density (left is better)", False),
    "deviance": ("Deviance of predictions, -2 elpd (left is better)", False),
}
"""Title of the axis, and whether larger is better, by scale."""
SCALES = {"log": "elpd", "negative_log": "negative_elpd", "deviance": "deviance"}
CRITERIA = ("aic", "bic")


def compare_data(table: Any, **options: Any) -> pd.DataFrame:
    """Returns a comparison as it is drawn.

    Args:
        table: the table of `bz.compare` (or of `arviz.compare`), or a mapping from names to fits, which
            are then compared.
        **options: of `bz.compare`, for a mapping.

    Returns:
        Columns `model`, `value` (elpd, AIC, ...), `lower`, `upper` (value -+ its standard error),
        `difference` from the best, `difference_lower`, `difference_upper` (-+ the standard error of the
        difference), `weight`, `warning`, the best first; `attrs["axis"]` names the value.

    Raises:
        OptionError: the table is no comparison with scores; or as `bz.compare`.

    Example:
        >>> bz.plot.compare_data(bz.compare({"a": fit_a, "b": fit_b}))  # doctest: +SKIP
    """
    if not isinstance(table, pd.DataFrame):
        from ...inference.comparison.compare import compare as compare_fits

        table = asked(compare_fits, table, **options)
    elif options:
        raise OptionError(
            f"plot.compare() of a table takes no options of bz.compare; found {listing(options)}."
        )
    kind = next((c for c in table if str(c).startswith("elpd_") and c != "elpd_diff"), None)
    criterion = next((c for c in CRITERIA if c in table), None)
    if kind is None and criterion is None:
        raise OptionError(
            "plot.compare() takes the table of bz.compare with scores by loo, waic, kfold, groups, aic "
            f"or bic; this one has the columns {listing(table.columns)}."
        )
    out = pd.DataFrame({"model": [str(name) for name in table.index]})
    if kind is not None:
        scale = str(table["scale"].iloc[0]) if "scale" in table else "log"
        axis, better = PREDICTED[SCALES.get(scale, "elpd")]
        values, se, dse = (table[c].to_numpy(float) for c in (kind, "se", "dse"))
        out["value"], out["lower"], out["upper"] = values, values - se, values + se
        gap = table["elpd_diff"].to_numpy(float)
        sign = -1.0 if better else 1.0
        out["difference"] = sign * np.abs(gap)
        out["difference_lower"] = out["difference"] - dse
        out["difference_upper"] = out["difference"] + dse
        out["weight"] = table["weight"].to_numpy(float)
        out["warning"] = table["warning"].to_numpy(bool)
        by = str(kind).removeprefix("elpd_")
        note = {"loo": "PSIS-LOO", "waic": "WAIC", "kfold": "k-fold"}.get(by, f"left-out {by}s")
    else:
        values = table[criterion].to_numpy(float)
        axis, note = f"{str(criterion).upper()} (left is better)", str(criterion).upper()
        out["value"], out["difference"] = values, values - values.min()
        for name in ("lower", "upper", "difference_lower", "difference_upper"):
            out[name] = np.nan
        out["weight"] = table["weight"].to_numpy(float) if "weight" in table else np.nan
        out["warning"] = False
    out.attrs.update(axis=axis, note=note)
    return out


def compare(
    table: Any, title: str | None = None, **options: Any
) -> alt.LayerChart | alt.FacetChart:
    """Draws a comparison: which fit predicts best, and is the difference more than noise?

    Args:
        table: the table of `bz.compare`, or a mapping from names to fits.
        title: by default "Which model predicts best?".
        **options: of `bz.compare`, for a mapping.

    Returns:
        One row per fit, the best on top: a point with its standard error, and below it, for all but the
        best, a triangle with the standard error of the difference from the best. A difference of less
        than a few of the latter says nothing.

    Raises:
        OptionError: as `compare_data`.

    Example:
        >>> bz.plot.compare({"gamma": fit, "normal": other})  # doctest: +SKIP
    """
    import altair as alt

    frame: Any = compare_data(table, **options)
    axis, note = frame.attrs["axis"], frame.attrs["note"]
    best = float(frame["value"].iloc[0])
    frame = frame.assign(
        label=[
            f"{name} (warning)" if bad else name
            for name, bad in zip(frame["model"], frame["warning"], strict=True)
        ],
        from_=best + frame["difference_lower"],
        to=best + frame["difference_upper"],
        shown=best + frame["difference"],
        place=frame["weight"].map("weight {:.2f}".format),
    )
    order = frame["label"].tolist()
    keys = ["model", "value", "lower", "upper", "difference", "difference_lower"]
    tips = tooltips(frame, {k: k.replace("_", " ") for k in [*keys, "difference_upper", "weight"]})
    scale = alt.Scale(zero=False, nice=True)

    def x(field: str) -> Any:
        parts = axis.replace(" (", "\n(").split("\n")
        return alt.X(field=field, type="quantitative", title=parts, scale=scale)

    y = alt.Y(field="label", type="nominal", sort=order, title=None, axis=alt.Axis(labelLimit=260))
    base = alt.Chart().encode(y=y)
    spread = bool(frame["lower"].notna().any())
    layers = [rule(best, horizontal=False)]
    if spread:
        layers.append(base.mark_rule(strokeWidth=2, color=ACCENT).encode(x("lower"), x2="upper"))
        others = alt.Chart().transform_filter(f"datum.label !== {order[0]!r}").encode(y=y)
        below: dict[str, Any] = {"yOffset": alt.YOffsetValue(ROW - 4)}
        ends: dict[str, Any] = {"color": SECOND, "strokeWidth": 1.5}
        layers.append(others.mark_rule(**ends).encode(x("from_"), x2="to", **below))
        triangle = others.mark_point(shape="triangle-up", color=SECOND, filled=True, opacity=1)
        layers.append(triangle.encode(x("shown"), tooltip=tips, **below))
    point = base.mark_point(filled=True, size=70, color=ACCENT if spread else INK, opacity=1)
    layers.append(point.encode(x("value"), tooltip=tips))
    if frame["weight"].notna().any():
        text = base.mark_text(align="left", dx=6, color=GREY, fontSize=10)
        layers.append(
            text.encode(text=alt.Text(field="place", type="nominal"), x=alt.XValue("width"))
        )
    key = "blue: score and its standard error; orange: difference from the best and its standard error"
    warned = f"{int(frame['warning'].sum())} with a warning: see bz.compare" * bool(
        frame["warning"].any()
    )
    lines = [f"by {note}", key if spread else "", warned]
    return alt.layer(*layers, data=frame).properties(
        title=heading(title or "Which model predicts best?", *lines, width=76),
        width=WIDTH,
        height={"step": ROW},
    )


COMPARE = Chart("compare", compare, compare_data, "Which model predicts best, and by how much?")
