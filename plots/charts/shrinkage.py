"""Shrinkage: what pooling does to the estimate of every group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError, listing, nearest
from ...formula.terms import MEAN
from ...inference.options import number
from ..accept import describe, intervals, one_fit
from ..chart import Chart
from ..group_coefficients import GroupCoefficients, group_coefficients, summarise
from ..no_pooling import no_pooling

if TYPE_CHECKING:
    import altair as alt

    from ...inference.fit import Fit


def shrinkage_data(
    fit: Any, group: str | None = None, names: list[str] | str | None = None, prob: float = 0.95
) -> pd.DataFrame:
    """Returns every group's coefficients without pooling, by the fit, and of the population.

    Args:
        fit: a Fit.
        group: the grouping factor; None for the formula's first.
        names: which of the coefficients that vary, by printed name; None for all.
        prob: probability of the interval.

    Returns:
        Columns: the grouping factor, `effect`, `alone` (maximum likelihood from the group's own rows,
        NaN where they do not identify it), `mean`, `lower`, `upper` (population + group effect by the
        fit), `population`, and `rows`; all on the scale of the link.

    Raises:
        OptionError: the model has no such group term or coefficient.
    """
    number("prob", prob, 0.0, 1.0)
    one = one_fit(fit, "shrinkage")
    found = group_coefficients(one, group, "shrinkage")
    if one.model.spec.schema.neurons is not None:
        raise OptionError(
            "shrinkage() compares groups of rows; the response of this model has two dimensions. "
            "plot.forest(fit, groups=True) draws its group effects."
        )
    wanted = _chosen(found, names)
    alone = no_pooling(one, found)
    values = summarise(one, found.draws, found.point, prob)
    index = one.model.design.predictors[MEAN].groups[found.position].index
    rows = np.bincount(index, minlength=len(found.levels))
    frames = []
    for name in wanted:
        k = found.names.index(name)
        columns = {key: array[:, k] for key, array in values.items()}
        frame = {found.group: list(found.levels), "effect": name, "alone": alone[:, k], **columns}
        frames.append(pd.DataFrame({**frame, "population": found.population[k], "rows": rows}))
    return pd.concat(frames, ignore_index=True)


def _chosen(found: GroupCoefficients, names: list[str] | str | None) -> list[str]:
    if names is None:
        return list(found.names)
    asked = [names] if isinstance(names, str) else list(names)
    for name in asked:
        if name not in found.names:
            raise OptionError(
                f"`{name}` does not vary over `{found.group}`.{nearest(str(name), found.names)} "
                f"What does: {listing(found.names)}."
            )
    return asked or list(found.names)


def shrinkage(
    fit: Any,
    group: str | None = None,
    names: list[str] | str | None = None,
    prob: float = 0.95,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws an arrow for every group, from its estimate alone to its estimate by the fit.

    Args:
        fit: a Fit.
        group: the grouping factor; None for the formula's first.
        names: which of the coefficients that vary; None for all.
        prob: probability of the interval.
        title: by default "Shrinkage of each ...".

    Returns:
        A chart with a row per group and a panel per coefficient; the dashed line is the population.

    Raises:
        OptionError: the model has no such group term or coefficient.

    Example:
        >>> bz.plot.shrinkage(fit, names="Days")  # doctest: +SKIP
    """
    one = one_fit(fit, "shrinkage")
    table = shrinkage_data(one, group, names, prob)
    from ..arrows import draw_arrows

    name = str(table.columns[0])
    link = dict(one.model.spec.links)[MEAN]
    lines = (
        describe(one),
        "open: each group alone; filled: by the fit; dashed: population",
        intervals({"": one}, prob),
        _lacking(one, table, name),
    )
    axis = "coefficient" if link == "identity" else f"coefficient on the scale of the {link} link"
    return draw_arrows(table, name, title or f"Shrinkage of each {name}", lines, axis)


def _lacking(fit: Fit, table: pd.DataFrame, name: str) -> str:
    lacking = table.loc[table["alone"].isna(), name].drop_duplicates()
    if lacking.empty:
        return ""
    return f"not identified by their own rows: {listing(lacking, 5)}"


SHRINKAGE = Chart(
    "shrinkage", shrinkage, shrinkage_data, "How far does pooling move the estimate of each group?"
)
