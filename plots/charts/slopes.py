"""Slopes: how much a predictor changes the mean response, for each group or condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError
from ...inference.effects.contrasts import SCALES
from ...inference.options import choice, flag
from ..accept import FIT, column, columns, describe, fits, groups_note, intervals
from ..chart import Chart
from ..observed import observe
from ..raw import is_level

if TYPE_CHECKING:
    import altair as alt

    from ...inference.fit import Fit

CONTRAST = "contrast"
MOST = 80
"""Rows of a chart."""


def slopes_data(
    fit: Any,
    variable: str | None = None,
    by: Sequence[str] | str | None = None,
    scale: str = "difference",
    **options: Any,
) -> pd.DataFrame:
    """Returns contrasts of a factor, or slopes of a number; see `fit.contrasts` and `fit.slopes`.

    Args:
        fit: a Fit, or a mapping from names to Fits.
        variable: a column; by default the first of the formula's mean.
        by: columns that tell answers apart; by default the grouping factor over which the variable's
            effect varies. `by=[]` is the population.
        scale: "difference", or "ratio" of means.
        **options: those of `fit.contrasts` or `fit.slopes`, such as against, at, groups, prob.

    Returns:
        Columns `fit`, those of `by`, `contrast` ("b - a"; of numbers "per unit of x"), `mean`, ...

    Raises:
        OptionError: an unknown column or option.
    """
    given = fits(fit, "slopes")
    variable, by = _choose(given, variable, by)
    return _table(given, variable, by, scale, options)


def _choose(
    given: Mapping[str, Fit], variable: str | None, by: Sequence[str] | str | None
) -> tuple[str, list[str]]:
    """The variable, and the columns that tell answers apart."""
    first = next(iter(given.values()))
    observed = observe(first.model)
    if variable is None:
        if not observed.predictors:
            raise OptionError("slopes() needs variable=, because the formula has no predictor.")
        variable = observed.predictors[0]
    column(variable, observed.frame.columns, "variable")
    if by is None:
        by = _varies_over(first, variable)
    return variable, columns("by", by)


def _varies_over(fit: Fit, variable: str) -> list[str]:
    """The factors of the first group term in which the variable's effect varies."""
    schema = fit.model.spec.schema
    for group in schema.predictors[0].groups:
        for effect in group.effects:
            names = [factor.expression for factor in effect.term.factors]
            if any(name == variable or f"({variable}" in name for name in names):
                return [factor.expression for factor in group.term.by]
    if schema.neurons is not None:
        return [schema.neurons.dim]
    return []


def _table(
    given: Mapping[str, Fit], variable: str, by: list[str], scale: str, options: Mapping[str, Any]
) -> pd.DataFrame:
    choice("scale", scale, SCALES)
    frames = []
    for name, one in given.items():
        observed = observe(one.model)
        numbers = not is_level(observed.frame[variable], variable in observed.factors)
        if numbers and scale == "difference" and not {"against"} & options.keys():
            table = one.slopes(variable, by=by or None, **options)
            table = table.assign(**{CONTRAST: f"per unit of {variable}"})
        else:
            table = one.contrasts(variable, by=by or None, scale=scale, **options)
        ordered = [FIT, *by, CONTRAST]
        table = table.assign(**{FIT: name})
        frames.append(table[[*ordered, *(c for c in table.columns if c not in ordered)]])
    return pd.concat(frames, ignore_index=True)


def slopes(
    fit: Any,
    variable: str | None = None,
    by: Sequence[str] | str | None = None,
    scale: str = "difference",
    facet: str | None = None,
    sort: bool = True,
    units: str | None = None,
    title: str | None = None,
    **options: Any,
) -> alt.LayerChart | alt.FacetChart:
    """Draws contrasts of a factor, or slopes of a number, with intervals and the line of no effect.

    Args:
        fit: a Fit, or a mapping from names to Fits, which get a colour each.
        variable: a column; by default the first of the formula's mean.
        by: columns that tell answers apart, such as conditions, mice or neurons; by default the
            grouping factor over which the variable's effect varies. `by=[]` is the population.
        scale: "difference", or "ratio" of means, whose line of no effect is at 1.
        facet: one of `by`, with a panel per value; several contrasts have panels anyway.
        sort: whether the largest effect is on top.
        units: the unit of the differences.
        title: by default "Effect of ... on ...".
        **options: those of `fit.contrasts` or `fit.slopes`, such as against, at, groups, prob.

    Returns:
        A chart that composes with `|`, `&`, `+` and, without panels of its own, `.facet`. Where groups
        are told apart, the shaded band is the population's.

    Raises:
        OptionError: an unknown column or option.

    Example:
        >>> bz.plot.slopes({"nuts": fit, "lme": other}, "stim", by="mouse")  # doctest: +SKIP
    """
    given = fits(fit, "slopes")
    flag("sort", sort)
    variable, by = _choose(given, variable, by)
    if facet is not None and not (isinstance(facet, str) and facet in by):
        by = [*by, column(facet, observe(next(iter(given.values())).model).frame.columns, "facet")]
    table: Any = _table(given, variable, by, scale, options)
    response = next(iter(given.values())).model.spec.schema.response
    from ..rows import draw_rows, sorted_rows

    rows = [name for name in by if name != facet]
    contrasts = table[CONTRAST].nunique()
    label = " · ".join(rows) if rows else CONTRAST
    if len(rows) > 1:
        table = table.assign(**{label: table[rows].astype(str).agg(" · ".join, axis=1)})
    if rows and contrasts > 1 and facet is None:
        facet = CONTRAST
    order = sorted_rows(table, label) if sort else list(dict.fromkeys(table[label]))
    table, order, note = _cut(table, label, order)
    what = "ratio of means" if scale == "ratio" else "difference of means"
    only = table[CONTRAST].iloc[0] if contrasts == 1 else f"levels of {variable}"
    axis = f"{response}, {variable}: {only}" if rows or contrasts > 1 else f"{response}: {what}"
    axis = f"{response} {only}" if str(only).startswith("per unit") else axis
    axis += f" ({units})" * bool(units) if scale == "difference" else ""
    prob = float(options.get("prob", 0.95))
    band = _population(given, variable, by, scale, options) if facet is None else None
    lines = (
        describe(given),
        f"{what}, {intervals(given, prob)}" if intervals(given, prob) else what,
        groups_note(given, by, options.get("groups")),
        _words(band),
        note,
    )
    zero = 1.0 if scale == "ratio" else 0.0
    text = title or f"Effect of {variable} on {response}"
    return draw_rows(
        table,
        label,
        text,
        lines,
        axis,
        zero,
        facet=facet,
        order=order,
        band=band,
        name=label if rows else None,
    )


def _words(band: Any) -> str:
    if band is None:
        return ""
    return "shaded: population" if band["lower"].notna().all() else "upright line: population"


def _cut(table: Any, label: str, order: list[Any]) -> tuple[pd.DataFrame, list[Any], str]:
    """Evenly many of very many rows, and a note."""
    if len(order) <= MOST:
        return table, order, ""
    kept = [order[i] for i in np.linspace(0, len(order) - 1, MOST).round().astype(int)]
    note = f"{MOST} of {len(order)} {label}s, evenly over their ranks"
    return table[table[label].isin(kept)], kept, note


def _population(
    given: Mapping[str, Fit], variable: str, by: list[str], scale: str, options: Mapping[str, Any]
) -> pd.DataFrame | None:
    """The effect in the population, for one fit and one contrast told apart by groups."""
    if len(given) > 1 or not by or options.get("groups") is not None:
        return None
    one = next(iter(given.values()))
    groups = {f.expression for g in one.model.spec.schema.predictors[0].groups for f in g.term.by}
    if not set(by) <= groups:
        return None
    table = _table(given, variable, [], scale, options)
    return table if len(table) == 1 else None


SLOPES = Chart("slopes", slopes, slopes_data, "How large is the effect, and in which group?")
