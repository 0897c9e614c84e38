"""Forest: the coefficients of one or several fits with their intervals, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...inference.options import flag, number
from ..accept import FIT, describe, fits, intervals
from ..chart import Chart
from ..parameters import choose, parameter_kinds

if TYPE_CHECKING:
    import altair as alt


def forest_data(
    fit: Any, names: Sequence[str] | str | None = None, prob: float = 0.95, groups: bool = False
) -> pd.DataFrame:
    """Returns the summary of one or several fits as one tidy table.

    Args:
        fit: a Fit, or a mapping from names to Fits.
        names: printed names of the parameters, or of variables of which all numbers are wanted
            (`C(stim)`); None for all.
        prob: probability of the interval.
        groups: whether to list group effects too.

    Returns:
        Columns `fit`, `parameter`, and those of `fit.summary()`, in the order of the model.

    Raises:
        OptionError: an unknown parameter, or something that is no fit.
    """
    number("prob", prob, 0.0, 1.0)
    flag("groups", groups)
    frames = []
    for name, one in fits(fit, "forest").items():
        table = one.summary(prob=prob, groups=groups or names is not None)
        table = table.rename_axis("parameter").reset_index()
        frames.append(table.assign(**{FIT: name})[[FIT, *table.columns]])
    joined = pd.concat(frames, ignore_index=True)
    wanted = choose(names, list(dict.fromkeys(joined["parameter"])))
    kept: Any = joined[joined["parameter"].isin(wanted)]
    place = {name: i for i, name in enumerate(wanted)}
    order = kept["parameter"].map(place).sort_values(kind="stable").index
    return pd.DataFrame(kept.loc[order]).reset_index(drop=True)


def forest(
    fit: Any,
    names: Sequence[str] | str | None = None,
    prob: float = 0.95,
    groups: bool = False,
    panels: bool | None = None,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws the coefficients of one or several fits with their intervals and the line at zero.

    Args:
        fit: a Fit, or a mapping from names to Fits, which get a colour each.
        names: see `forest_data`; None for all.
        prob: probability of the interval.
        groups: whether to draw group effects too.
        panels: whether each kind of parameter has a panel and an axis of its own; by default where
            their sizes differ more than thirtyfold.
        title: by default "Parameters".

    Returns:
        A chart, one row per parameter.

    Raises:
        OptionError: an unknown parameter, or something that is no fit.

    Example:
        >>> bz.plot.forest({"nuts": fit, "lme": other})  # doctest: +SKIP
    """
    given = fits(fit, "forest")
    if panels is not None:
        flag("panels", panels)
    table: Any = forest_data(given, names, prob, groups)
    from ..rows import draw_rows

    lines = (describe(given), intervals(given, prob))
    text = title or "Parameters"
    kinds = parameter_kinds(next(iter(given.values())))
    table = table.assign(kind=[kinds.get(name, "other") for name in table["parameter"]])
    if panels is None:
        panels = _differ(table)
    if not panels or table["kind"].nunique() == 1:
        return draw_rows(table, "parameter", text, lines)
    return draw_rows(table, "parameter", text, lines, "", row_panels="kind")


def _differ(table: Any) -> bool:
    """Whether the sizes of parameters of several kinds differ more than thirtyfold."""
    size = table[["mean", "lower", "upper"]].abs().max(axis=1)
    largest = size.groupby(table["kind"]).max()
    return bool(largest.max() > 30 * max(largest.min(), 1e-300))


FOREST = Chart(
    "forest", forest, forest_data, "How large are the coefficients, and do methods agree?"
)
