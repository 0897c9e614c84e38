"""Posterior: the density of each parameter, with its interval, zero, and its prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...inference.fit import Fit
from ...inference.options import flag, number
from ...inference.summary import draws_by_name
from ..accept import FIT, describe, fits, intervals
from ..chart import Chart
from ..densities import POINTS, density, normal_density
from ..parameters import choose
from ..prior_draws import prior_draws

if TYPE_CHECKING:
    import altair as alt

MOST = 24
"""Parameters that are drawn at most."""
DENSITY, PRIOR, POINT = "density", "prior", "point"


def posterior_data(
    fit: Any,
    names: Sequence[str] | str | None = None,
    prior: bool = False,
    prob: float = 0.95,
    groups: bool = False,
) -> pd.DataFrame:
    """Returns densities of parameters on grids, beside their estimates and intervals.

    Args:
        fit: a Fit, or a mapping from names to Fits.
        names: printed names of parameters or variables; None for all.
        prior: whether to add the prior's density; not for frequentist fits.
        prob: probability of the interval.
        groups: whether to take group effects too.

    Returns:
        Columns `fit`, `parameter`, `kind` ("density", "prior", or "point" where there is a single
        estimate), `value`, `density`, `mean`, `lower`, `upper`. The density of a frequentist fit is
        that of the estimator's normal distribution (of its logarithm for standard deviations, of
        Fisher's transform for correlations).

    Raises:
        OptionError: an unknown parameter, or something that is no fit.
        PriorError: the prior is wanted but improper.
    """
    number("prob", prob, 0.0, 1.0)
    flag("prior", prior)
    flag("groups", groups)
    given = fits(fit, "posterior")
    tables = {n: f.summary(prob=prob, groups=groups or names is not None) for n, f in given.items()}
    wanted = choose(names, list(dict.fromkeys(p for t in tables.values() for p in t.index)))
    points = max(30, min(POINTS, 4200 // (len(given) * min(len(wanted), MOST) * (1 + prior))))
    frames = []
    for name, one in given.items():
        drawn = draws_by_name(one.model.spec, one.draws.natural, groups=True)
        before = prior_draws(one.model) if prior and not one.backend.frequentist else {}
        for parameter in (p for p in wanted if p in tables[name].index):
            row = tables[name].loc[parameter]
            shared = {FIT: name, "parameter": parameter}
            estimate = {column: row[column] for column in ("mean", "lower", "upper")}
            grid, height = _curve(one, parameter, row, drawn[parameter], points)
            kind = DENSITY if len(grid) else POINT
            value = grid if len(grid) else np.array([row["mean"]])
            height = height if len(grid) else np.array([np.nan])
            frames.append({**shared, "kind": kind, "value": value, "density": height, **estimate})
            if parameter in before:
                grid, height = _within(density(before[parameter], 6 * points), value, points)
                frames.append({**shared, "kind": PRIOR, "value": grid, "density": height})
    return pd.concat(
        [pd.DataFrame(frame) for frame in frames if len(frame["value"])], ignore_index=True
    )


def _curve(
    fit: Fit, parameter: str, row: Any, draws: np.ndarray, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """The density of one parameter; empty for a single estimate."""
    if fit.backend.point:
        return np.empty(0), np.empty(0)
    table = fit.draws.table
    if fit.backend.frequentist and table is not None and parameter in table.index:
        return normal_density(row["mean"], row["sd"], table.loc[parameter, "scale"], points)
    return density(draws, points)


def _within(
    curve: tuple[np.ndarray, np.ndarray], value: np.ndarray, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """A prior's density around the posterior; outside, a wide prior would hide it."""
    grid, height = curve
    span = np.ptp(value) or abs(value[0]) or 1.0
    inside = (grid > value.min() - 0.6 * span) & (grid < value.max() + 0.6 * span)
    if inside.sum() < 8 and len(grid):
        dense = np.linspace(value.min() - 0.6 * span, value.max() + 0.6 * span, points)
        return dense, np.interp(dense, grid, height, left=0.0, right=0.0)
    return grid[inside], height[inside]


def posterior(
    fit: Any,
    names: Sequence[str] | str | None = None,
    prior: bool = False,
    prob: float = 0.95,
    groups: bool = False,
    columns: int | None = None,
    title: str | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Draws the density of each parameter in a panel of its own, with its mean and interval.

    Args:
        fit: a Fit, or a mapping from names to Fits, which get a colour each.
        names: printed names of parameters or variables; None for all (24 at most).
        prior: whether to draw the prior's density too, dashed.
        prob: probability of the interval, which is the bar below the density.
        groups: whether to draw group effects too.
        columns: panels beside each other.
        title: by default "Posterior" ("Estimates" where there is no posterior).

    Returns:
        A chart with a panel per parameter; the line at zero is drawn where it is near.

    Raises:
        OptionError: an unknown parameter, or something that is no fit.
        PriorError: the prior is wanted but improper.

    Example:
        >>> bz.plot.posterior(fit, ["stim", "sd(1|mouse)"], prior=True)  # doctest: +SKIP
    """
    given = fits(fit, "posterior")
    table = posterior_data(given, names, prior, prob, groups)
    from ..posterior_panels import draw_panels

    parameters = list(dict.fromkeys(table["parameter"]))
    note = ""
    if len(parameters) > MOST:
        table = table[table["parameter"].isin(parameters[:MOST])]
        note = f"the first {MOST} of {len(parameters)} parameters"
    every = all(one.backend.frequentist or one.backend.point for one in given.values())
    text = title or ("Estimates" if every else "Posterior")
    lines = (describe(given), _words(given, prob, prior), note)
    return draw_panels(table, parameters[:MOST], text, lines, columns, len(given) > 1)


def _words(given: Mapping[str, Fit], prob: float, prior: bool) -> str:
    parts = [f"bars: {intervals(given, prob)}"] if intervals(given, prob) else []
    if any(one.backend.point for one in given.values()):
        parts.append("upright lines: single estimates")
    if prior:
        parts.append("dashed: prior")
    return "; ".join(parts)


POSTERIOR = Chart(
    "posterior", posterior, posterior_data, "What does the fit say of each parameter?"
)
