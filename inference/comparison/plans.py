"""Which rows are left out together: random folds, blocks of time, or groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import DataError, OptionError, listing, nearest
from ..model import Model
from ..options import whole
from ..temporal import reach


@dataclass(frozen=True, eq=False)
class Plan:
    """Rows that are left out together.

    Attributes:
        label: the number of the fold, or the level of the group.
        scored: positions of the rows that are predicted, ascending.
        trained: which rows the models are fitted to, boolean, shape (obs,).
    """

    label: Any
    scored: np.ndarray
    trained: np.ndarray


def fold_plans(models: Sequence[Model], folds: int, gap: int | None, seed: int) -> list[Plan]:
    """Deals the rows out to folds.

    Rows of models without temporal terms are dealt out at random, the rows of every group in turn, so
    that each fold has its share of every group. Where a term filters the past, folds are blocks of
    neighbouring rows, with a gap on both sides as long as the longest window.

    Raises:
        OptionError: folds or gap out of range.
        DataError: a fold leaves no row.
    """
    size = models[0].design.size
    whole("folds", folds, 2, size)
    far = max(reach(model.spec.schema, model.functions) for model in models)
    gap = far if gap is None else whole("gap", gap, 0)
    if far or gap:
        blocks = np.array_split(np.arange(size), folds)
    else:
        order = _in_turn(models, np.random.default_rng(seed))
        blocks = [np.sort(order[start::folds]) for start in range(folds)]
    return [_plan(models[0], i, block, gap) for i, block in enumerate(blocks, start=1)]


def group_plans(models: Sequence[Model], by: str, column: str, gap: int | None) -> list[Plan]:
    """Leaves out one level of a column at a time.

    Raises:
        OptionError: no such column, or it has a single level.
    """
    tables = [model.table for model in models]
    names = [name for name in tables[0].columns if tables[0].stream(name) is None]
    if column not in names:
        raise OptionError(
            f"by={by!r} names no column.{nearest(column, names)} Columns: {listing(names)}. (A loaded "
            "fit keeps those of its formula.)"
        )
    far = max(reach(model.spec.schema, model.functions) for model in models)
    gap = far if gap is None else whole("gap", gap, 0)
    rows = models[0].design.rows
    groups = tables[0].categorical(column)
    codes = groups.codes[rows]
    if (codes < 0).any():
        raise OptionError(
            f"by={by!r}: `{column}` lacks a value in {int((codes < 0).sum()):,} of {len(rows):,} rows "
            f"(first: row {rows[np.argmax(codes < 0)]}). Name a column that is complete."
        )
    present = np.unique(codes)
    if len(present) < 2:
        raise OptionError(f"by={by!r} needs two levels of `{column}` or more in the rows used.")
    return [_plan(models[0], groups.levels[k], np.flatnonzero(codes == k), gap) for k in present]


def _in_turn(models: Sequence[Model], generator: np.random.Generator) -> np.ndarray:
    """Rows in random order, those of one group together."""
    size = models[0].design.size
    keys: list[np.ndarray] = [generator.random(size)]
    for model in models:
        for arrays in model.design.predictors.values():
            for group in arrays.groups:
                if group.index.ndim == 1 and len(group.index) == size:
                    names = generator.permutation(int(group.index.max(initial=0)) + 1)
                    keys.append(names[group.index])
    return np.lexsort(keys)


def _plan(model: Model, label: Any, scored: np.ndarray, gap: int) -> Plan:
    rows, total = model.design.rows, model.table.rows
    near = np.zeros(total, dtype=bool)
    held = rows[scored]
    for run in np.split(held, np.flatnonzero(np.diff(held) > 1) + 1):
        near[max(0, run[0] - gap) : run[-1] + gap + 1] = True
    trained = ~near[rows]
    if not trained.any():
        raise DataError(
            f"fold {label!r} and a gap of {gap:,} rows on both sides leave no row to fit. Use more "
            "folds, a shorter window, or a smaller gap=."
        )
    return Plan(label, scored, trained)
