"""Derivatives of a design's columns by one column of the data.

The formula is applied to the data at seven values about each one, and the derivative of the polynomial
through them is taken (errors of order step^6). The values stay within those of training, where splines
and tuning curves end: near an edge they lie to one side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...formula import Design, Table
from ...formula.design import GroupDesign, PredictorDesign
from ...formula.features import Dense, in_memory
from ...zoo.structure import Structure
from .designs import applied
from .grid import Part

if TYPE_CHECKING:
    from ..fit import Fit

NODES = np.arange(-3, 4)
STEP = 2.0**-10
"""Step in standard deviations of the column: rounding costs 1e-13 of a value, the rest is less."""


def derivative(fit: Fit, part: Part, name: str) -> Design:
    """Returns the derivatives of the columns of a design by one column of the data.

    Args:
        fit: the fit.
        part: the rows.
        name: the column.

    Returns:
        A design whose columns, offsets and group columns are derivatives; intercepts have none, see
        `still`.
    """
    model = fit.model
    training = model.table.numeric(name)[model.design.rows]
    low, high = float(training.min()), float(training.max())
    step = 2.0 ** np.round(np.log2(STEP * max(float(training.std()), 1e-300)))
    centre = part.table.numeric(name)
    shift = _shift(centre, low, high, step)
    weights = np.stack([_weights(NODES + s) for s in (-3, -2, -1, 0, 1, 2, 3)])[shift + 3]
    total: Design | None = None
    for k, node in enumerate(NODES):
        values = centre + (node + shift) * step
        column = pd.Series(values)
        table = Table({**part.table.columns, name: column}, part.table.rows, part.table.time)
        table = replace(table, dims=part.table.dims)
        design = applied(model, table, part.rows)
        weight = weights[part.rows, k] / step
        total = _weighted(design, weight) if total is None else _sum(total, design, weight)
    assert total is not None
    return total


def still(structure: Structure, flat: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns parameters whose intercepts are 0, as constants have no derivative."""
    out = dict(flat)
    for predictor in structure.predictors:
        name = predictor.parameter
        if predictor.intercept:
            changed = np.array(flat[f"{name}.coefficients"])
            changed[:, 0] = 0.0
            out[f"{name}.coefficients"] = changed
        if predictor.own_intercept:
            changed = np.array(flat[f"{name}.neurons"])
            changed[:, 0] = 0.0
            out[f"{name}.neurons"] = changed
    return out


def _shift(centre: np.ndarray, low: float, high: float, step: float) -> np.ndarray:
    """How far the seven nodes are moved so that they stay within the training values."""
    inside = (centre >= low) & (centre <= high) & (high - low > 7 * step)
    with np.errstate(invalid="ignore"):
        below = np.ceil((low - centre) / step + 3).clip(0, 3)
        above = np.ceil((centre - high) / step + 3).clip(0, 3)
    return np.where(inside, np.nan_to_num(below - above), 0.0).astype(int)


def _weights(nodes: np.ndarray) -> np.ndarray:
    """Weights that give the derivative at 0 of the polynomial through values at the nodes."""
    powers = np.vander(nodes.astype(float), increasing=True).T
    return np.linalg.solve(powers, np.eye(len(nodes))[1])


def _combine(design: Design, merge: Any) -> Design:
    predictors = {
        name: PredictorDesign(
            Dense(merge(name, "shared", in_memory(arrays.shared))),
            merge(name, "offset", arrays.offset),
            tuple(
                GroupDesign(merge(name, i, group.effects), group.index, group.unseen)
                for i, group in enumerate(arrays.groups)
            ),
            Dense(merge(name, "own", in_memory(arrays.own))),
        )
        for name, arrays in design.predictors.items()
    }
    return replace(design, predictors=predictors)


def _times(array: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return array * (weight if array.ndim == 1 else weight[:, None])


def _weighted(design: Design, weight: np.ndarray) -> Design:
    return _combine(design, lambda name, key, array: _times(array, weight))


def _sum(total: Design, design: Design, weight: np.ndarray) -> Design:
    def merge(name: str, key: Any, array: np.ndarray) -> np.ndarray:
        held = total.predictors[name]
        if key == "offset":
            before = held.offset
        elif isinstance(key, int):
            before = held.groups[key].effects
        else:
            before = in_memory(held.shared if key == "shared" else held.own)
        return before + _times(array, weight)

    return _combine(design, merge)
