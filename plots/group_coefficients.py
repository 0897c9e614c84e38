"""Coefficients of each group: what all have in common plus the group's own deviation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import OptionError, listing, nearest, shown
from ..formula.terms import INTERCEPT, MEAN
from ..inference.evaluate import flatten
from ..inference.fit import Fit
from ..inference.point import point_values
from ..inference.programs import double_precision
from ..zoo.links import LINKS


@dataclass(frozen=True, eq=False)
class GroupCoefficients:
    """The coefficients of the groups of one group term, on the scale of the link.

    Attributes:
        group: the printed name of the grouping factor.
        levels: the groups.
        names: the printed names of the coefficients that vary.
        position: which group term of the mean it is.
        draws: shape (sample, level, coef).
        point: what stands for the fit, shape (level, coef).
        population: the same without deviations, shape (coef,).
        shared: which of them the formula has as a common coefficient too, shape (coef,).
        columns: where those stand among the common coefficients, the intercept first; -1: nowhere.
    """

    group: str
    levels: tuple[Any, ...]
    names: tuple[str, ...]
    position: int
    draws: np.ndarray
    point: np.ndarray
    population: np.ndarray
    columns: tuple[int, ...]


def group_coefficients(fit: Fit, group: str | None, chart: str) -> GroupCoefficients:
    """Returns the coefficients of the groups of one term of the mean.

    Args:
        fit: the fit.
        group: the grouping factor; None for the first.
        chart: the chart's name, for messages.

    Raises:
        OptionError: the model has no such group term.
    """
    schema = fit.model.spec.schema.predictors[0]
    names = [term.term.group for term in schema.groups]
    if not names:
        raise OptionError(
            f"plot.{chart}() draws the effects of groups, but `{fit.model.spec.schema.formula.text}` "
            "has no group term such as (1 | mouse)."
        )
    if group is not None and group not in names:
        raise OptionError(
            f"group= takes a grouping factor of the formula, not {shown(group)}."
            f"{nearest(str(group), names)} Grouping factors: {listing(dict.fromkeys(names))}."
        )
    position = 0 if group is None else names.index(group)
    term = schema.groups[position]
    common = [INTERCEPT] * schema.intercept + list(schema.column_names)
    columns = tuple(common.index(n) if n in common else -1 for n in term.effect_names)
    flat, point = flatten(fit.draws.natural), point_values(fit)
    site = f"{MEAN}.group{position}.effects"
    base = [_common(values, columns) for values in (flat, point)]
    return GroupCoefficients(
        names[position],
        term.levels,
        term.effect_names,
        position,
        base[0][:, None, :] + flat[site],
        (base[1][:, None, :] + point[site])[0],
        base[1][0],
        columns,
    )


def _common(values: Mapping[str, np.ndarray], columns: tuple[int, ...]) -> np.ndarray:
    """Common coefficients, shape (sample, coef); 0 where there is none."""
    held = values.get(f"{MEAN}.coefficients")
    count = len(next(iter(values.values())))
    out = np.zeros((count, len(columns)))
    for i, column in enumerate(columns):
        if column >= 0 and held is not None:
            out[:, i] = held[:, column]
    return out


def natural_mean(fit: Fit, eta: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns the mean of the response at linear predictors, in its own units, for one trial.

    Args:
        fit: the fit.
        eta: shape (sample, level).
        values: natural parameters with one leading dimension (sample); further modelled parameters
            are taken at their intercepts.
    """
    structure, schema = fit.model.spec.structure, fit.model.spec.schema
    links = dict(fit.model.spec.links)
    with double_precision():
        parameters: dict[str, Any] = {name: values[name][:, None] for name in structure.scalars}
        for predictor in schema.predictors[1:]:
            held = values.get(f"{predictor.parameter}.coefficients")
            start = (
                np.zeros((len(eta), 1)) if held is None or not predictor.intercept else held[:, :1]
            )
            parameters[predictor.parameter] = LINKS[links[predictor.parameter]].inverse(start)
        mu = LINKS[links[MEAN]].inverse(eta)
        mean = structure.family.mean(mu, {**parameters, MEAN: mu}, {"trials": np.ones((1, 1))})
        return np.broadcast_to(np.asarray(mean), eta.shape)


def summarise(fit: Fit, draws: np.ndarray, point: np.ndarray, prob: float) -> dict[str, np.ndarray]:
    """Returns mean, lower and upper of draws (sample, ...), as the method of the fit has them."""
    if fit.backend.point:
        lacking = np.full(point.shape, np.nan)
        return {"mean": point, "lower": lacking, "upper": lacking}
    tail = (1 - prob) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    middle = point if fit.backend.frequentist else draws.mean(axis=0)
    return {"mean": middle, "lower": low, "upper": high}
