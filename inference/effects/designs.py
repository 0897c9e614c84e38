"""Designs of changed data, and rows of a design in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...formula import Design, Table, apply
from ...formula.features import Dense, Features

if TYPE_CHECKING:
    from ..model import Model


def applied(model: Model, table: Table, rows: np.ndarray) -> Design:
    """Applies a model's formula to data, at some rows of them in any order."""
    order = np.argsort(rows, kind="stable")
    design = apply(model.spec.schema, table, model.functions, rows=rows[order])
    if (np.diff(order) == 1).all():
        return design
    return take(design, np.argsort(order, kind="stable"))


def take(design: Design, rows: np.ndarray) -> Design:
    """Returns rows of a design by position, in any order, without the response."""
    order = np.argsort(rows, kind="stable")
    back = np.argsort(order, kind="stable")

    def features(held: Features) -> Features:
        return Dense(held.take(rows[order])[back])

    def index(codes: np.ndarray) -> np.ndarray:
        return codes[rows] if len(codes) == design.size else codes

    predictors = {
        name: replace(
            arrays,
            shared=features(arrays.shared),
            own=features(arrays.own),
            offset=arrays.offset[rows],
            groups=tuple(
                replace(group, effects=group.effects[rows], index=index(group.index))
                for group in arrays.groups
            ),
        )
        for name, arrays in design.predictors.items()
    }
    return replace(design, response={}, predictors=predictors, rows=design.rows[rows], time=None)
