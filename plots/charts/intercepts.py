"""Intercepts: the baseline of every group by the fit, against its raw mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError
from ...formula.terms import INTERCEPT, MEAN
from ...inference.evaluate import flatten
from ...inference.fit import Fit
from ...inference.options import number
from ...inference.point import point_values
from ..accept import FIT, describe, fits, intervals
from ..chart import Chart
from ..group_coefficients import GroupCoefficients, group_coefficients, natural_mean, summarise

if TYPE_CHECKING:
    import altair as alt

BASELINE, ROWS = "baseline", "all rows"
MANY = 60
"""Groups beyond so many get no row each."""
LARGEST = 10_000_000
"""Numbers that predictions for all rows may take."""


def intercepts_data(fit: Any, group: str | None = None, prob: float = 0.95) -> pd.DataFrame:
    """Returns the intercept of every group in the response's units, and the group's raw mean.

    The intercept is that of the population plus the group's effect, through the inverse of the link.
    The raw mean is that of the group's rows where every predictor is at its reference or 0. Where
    fewer than half of the groups have such rows, both are means over all rows of the group: of the
    fitted means, and of the responses.

    Args:
        fit: a Fit, or a mapping from names to Fits.
        group: the grouping factor; None for the formula's first.
        prob: probability of the interval.

    Returns:
        Columns `fit`, the grouping factor, `mean`, `lower`, `upper`, `raw`, `rows` (of which `raw` is
        the mean), and `of` ("baseline" or "all rows").

    Raises:
        OptionError: the model has no such group term, or no intercept that varies over it.
    """
    number("prob", prob, 0.0, 1.0)
    frames = [_one(f, n, group, prob) for n, f in fits(fit, "intercepts").items()]
    return pd.concat(frames, ignore_index=True)


def _one(fit: Fit, name: str, group: str | None, prob: float) -> pd.DataFrame:
    found = group_coefficients(fit, group, "intercepts")
    if INTERCEPT not in found.names:
        raise OptionError(f"the intercept does not vary over `{found.group}` in this model.")
    if fit.model.spec.schema.neurons is not None:
        raise OptionError(
            "intercepts() compares groups of rows; the response of this model has two dimensions. "
            "plot.forest(fit, groups=True) draws its group effects."
        )
    index = fit.model.design.predictors[MEAN].groups[found.position].index
    y, weight = _response(fit)
    base = _baseline(fit)
    counts = np.bincount(index[base], minlength=len(found.levels))
    at_base = (counts > 0).mean() >= 0.5 and weight is not None
    kept = base if at_base else np.ones(len(y), dtype=bool)
    size = np.ones(len(y)) if weight is None else weight
    total = np.bincount(index[kept], y[kept], len(found.levels))
    sizes = np.bincount(index[kept], size[kept], len(found.levels))
    with np.errstate(invalid="ignore"):
        raw = total / sizes
    values = _intercepts(fit, found, prob) if at_base else _fitted(fit, found, index, size, prob)
    table = pd.DataFrame({FIT: name, found.group: list(found.levels), **values, "raw": raw})
    rows = np.bincount(index[kept], minlength=len(found.levels))
    return table.assign(rows=rows, of=BASELINE if at_base else ROWS)


def _response(fit: Fit) -> tuple[np.ndarray, np.ndarray | None]:
    """The response, and what its sums are divided by; None where an offset does not scale the mean."""
    design = fit.model.design
    y, offset = design.response["y"], design.predictors[MEAN].offset
    size = design.response.get("trials", np.ones(len(y)))
    if not offset.any():
        return y, size
    return y, size * np.exp(offset) if dict(fit.model.spec.links)[MEAN] == "log" else None


def _baseline(fit: Fit) -> np.ndarray:
    """Rows at which every common column is 0."""
    matrix = fit.model.design.predictors[MEAN].matrix
    return np.asarray(~matrix.any(axis=1)) if matrix.size else np.ones(len(matrix), dtype=bool)


def _intercepts(fit: Fit, found: GroupCoefficients, prob: float) -> dict[str, np.ndarray]:
    k = found.names.index(INTERCEPT)
    draws = natural_mean(fit, found.draws[:, :, k], flatten(fit.draws.natural))
    point = natural_mean(fit, found.point[None, :, k], point_values(fit))[0]
    return summarise(fit, draws, point, prob)


def _fitted(
    fit: Fit, found: GroupCoefficients, index: np.ndarray, size: np.ndarray, prob: float
) -> dict[str, np.ndarray]:
    """Means of the fitted means over the rows of each group."""
    chains, available = np.shape(next(iter(fit.draws.natural.values())))[:2]
    wanted = max(1, min(available, LARGEST // max(1, chains * len(index))))
    predicted = fit.predict(draws=wanted).values.reshape(-1, len(index))
    membership = np.zeros((len(index), len(found.levels)))
    membership[np.arange(len(index)), index] = 1.0
    draws = predicted @ membership / np.bincount(index, size, len(found.levels))
    return summarise(fit, draws, draws.mean(axis=0), prob)


def intercepts(
    fit: Any,
    group: str | None = None,
    prob: float = 0.95,
    units: str | None = None,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws the intercept of every group with its interval against the group's raw mean.

    Args:
        fit: a Fit, or a mapping from names to Fits, which get a colour each.
        group: the grouping factor; None for the formula's first.
        prob: probability of the interval.
        units: the unit of the response.
        title: by default "Baselines of ...".

    Returns:
        A chart with a row per group, the raw means as diamonds; beyond 60 groups, fits against raw
        means. Groups with few rows are drawn towards the population (shrinkage).

    Raises:
        OptionError: the model has no such group term, or no intercept that varies over it.

    Example:
        >>> bz.plot.intercepts({"gamma": fit, "lme": other})  # doctest: +SKIP
    """
    given = fits(fit, "intercepts")
    table: Any = intercepts_data(given, group, prob)
    from ..against_raw import draw_against_raw
    from ..rows import draw_rows

    model = next(iter(given.values())).model
    response = model.spec.schema.response
    name = next(c for c in table.columns[1:])
    at_base = (table["of"] == BASELINE).all()
    unit = f" ({units})" if units else ""
    text = title or (f"Intercept of each {name}" if at_base else f"Mean of each {name}")
    rows = "rows with all predictors 0 or at their reference" if at_base else "all rows of a group"
    lines = (describe(given), intervals(given, prob))
    if table[name].nunique() > MANY:
        axes = (f"raw mean of {response}{unit}", f"fitted {response}{unit}")
        words = (f"raw means of {rows}", "dashed: fit and raw mean agree")
        return draw_against_raw(table, name, text, (*lines, *words), axes)
    first = table[table[FIT] == table[FIT].iloc[0]]
    order = first.sort_values("mean", ascending=False)[name].tolist()
    words = f"black diamonds: raw means of {rows}"
    scaled = bool(at_base) and bool(model.design.predictors[MEAN].offset.any())
    axis = f"{response}{' at offset 0' * scaled}{unit}"
    return draw_rows(
        table, name, text, (*lines, words), axis, None, order=order, raw="raw", name=name
    )


INTERCEPTS = Chart(
    "intercepts",
    intercepts,
    intercepts_data,
    "Where does each group start, and how far is it pooled?",
)
