"""One set of parameter values that stands for a fit, and the response's distribution at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, OptionError
from ..formula import Design, apply, read
from ..zoo.compile import observe
from ..zoo.families import FAMILIES
from ..zoo.structure import Structure
from .evaluate import flatten, linear_predictors, parameters
from .options import choice
from .predict import group_effects
from .programs import double_precision
from .variables import printed_rows, variables

if TYPE_CHECKING:
    from .fit import Fit

GROUPS = ("fitted", "population")


@dataclass(frozen=True, eq=False)
class Point:
    """The distribution of every observed response at one set of parameter values.

    Attributes:
        structure: the model's structure.
        values: the parameters of the distribution, broadcastable to (1, obs[, neuron]).
        response: `y`, shape (1, obs[, neuron]), and its extras.
        rows: the labels of the rows, shape (obs,): positions in the user's table.
        time: the time of each row in seconds, where the data have a time axis.
    """

    structure: Structure
    values: Mapping[str, Any]
    response: Mapping[str, Any]
    rows: np.ndarray
    time: np.ndarray | None

    @property
    def y(self) -> np.ndarray:
        """The response, shape (obs[, neuron])."""
        return np.asarray(self.response["y"])[0]

    def log_prob(self, y: Any = None, mu: Any = None) -> np.ndarray:
        """Returns log p(y | mu), (obs[, neuron]); by default of the response at the model's mu."""
        with double_precision():
            values = dict(self.values) if mu is None else {**self.values, "mu": mu}
            distribution = observe(self.structure.family, values, self.response)
            return np.asarray(distribution.log_prob(self.response["y"] if y is None else y))[0]

    def mean(self, mu: Any = None) -> np.ndarray:
        """Returns the mean of the response, shape (obs[, neuron])."""
        with double_precision():
            mu = self.values["mu"] if mu is None else mu
            mean = np.asarray(self.structure.family.mean(mu, self.values, self.response))
        return np.broadcast_to(mean, (1, *self.y.shape))[0]


def point_values(fit: Fit) -> dict[str, np.ndarray]:
    """Returns the natural parameters that stand for a fit, each with one leading dimension of 1.

    They are the mode for "map", the estimates for frequentist methods, and the means of the draws for
    all others.
    """
    draws = fit.draws
    out = {n: a.mean(axis=0, keepdims=True) for n, a in flatten(draws.natural).items()}
    if draws.table is None:
        return out
    found, coords = variables(fit.model.spec)
    for variable in found:
        if variable.source not in out:
            continue
        view = variable.take(out[variable.source])
        for name, position in printed_rows(variable, coords):
            if name in draws.table.index:
                view[(..., *position)] = draws.table.loc[name, "estimate"]
    return out


def at_point(
    fit: Fit, data: Any = None, rows: np.ndarray | None = None, groups: str = "fitted"
) -> Point:
    """Returns the distribution of observed responses at the point that stands for a fit.

    Args:
        fit: the fit.
        data: data that hold the response too; None for the training rows.
        rows: labels of the rows wanted; None for all.
        groups: "fitted", or "population", which sets group effects to 0.

    Returns:
        Those rows of which predictors and response are known.

    Raises:
        DataError: no such row.
        FamilyError: a new response lies outside the family's support.
        LevelError: a group was not in training (with `groups="fitted"`).
    """
    choice("groups", groups, GROUPS)
    model, structure = fit.model, fit.model.spec.structure
    design = model.design
    if data is not None:
        table = read(data)
        wanted = None if rows is None else _positions(rows, table.rows)
        design = apply(model.spec.schema, table, model.functions, response=True, rows=wanted)
    design, flat = group_effects(structure, design, point_values(fit), groups, 0)
    etas = linear_predictors(structure, design, flat)
    known = _known(etas, design)
    if rows is not None:
        known &= np.isin(design.rows, rows)
    if not known.any():
        raise DataError("there is no row of which the response and all predictors are known.")
    response = {name: array[None, known] for name, array in design.response.items()}
    labels = design.rows[known]
    if data is not None:
        spec = model.spec
        spec.family.check(
            response["y"][0], spec.schema.response, labels, FAMILIES, spec.schema.neurons
        )
    if structure.population:
        response = {k: v if v.ndim == 3 else v[..., None] for k, v in response.items()}
    with double_precision():
        values = parameters(structure, {k: eta[:, known] for k, eta in etas.items()}, flat)
    time = None if design.time is None else design.time[known]
    return Point(structure, values, response, labels, time)


def complete_rows(point: Point, rows: Any) -> None:
    """Refuses labels of rows that a point lacks.

    Raises:
        OptionError: with their number and the first ones.
    """
    wanted = np.asarray(rows)
    lacking = wanted[~np.isin(wanted, point.rows)]
    if len(lacking):
        first = ", ".join(str(label) for label in lacking[:3].tolist())
        raise OptionError(
            f"rows= names {len(lacking):,} of {len(wanted):,} rows that cannot be scored (first: "
            f"{first}), because a predictor or the response is missing there. Longer windows leave out "
            "more rows: give rows that all fits have, such as numpy.intersect1d of their obs labels."
        )


def _positions(rows: Any, count: int) -> np.ndarray:
    wanted = np.asarray(rows)
    good = wanted.ndim == 1 and wanted.dtype.kind in "iu"
    if not good or (len(wanted) and not 0 <= wanted.min() <= wanted.max() < count):
        raise OptionError(f"rows= takes row numbers from 0 to {count - 1:,}, the labels of obs.")
    return np.unique(wanted)


def _known(etas: Mapping[str, np.ndarray], design: Design) -> np.ndarray:
    """Which rows lack neither a predictor nor a part of the response."""
    known = np.ones(design.size, dtype=bool)
    for array in (*(eta[0] for eta in etas.values()), *design.response.values()):
        known &= np.isfinite(array.reshape(design.size, -1)).all(axis=1)
    return known
