"""Contiguous blocks of rows, each scored by models that were trained on the rows outside of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError, OptionError
from ..formula import Table
from .fit import Fit
from .model import Model
from .options import whole
from .point import Point, at_point
from .temporal import reach

MODEL_OPTIONS = ("family", "link", "priors", "mask", "functions")


@dataclass(frozen=True, eq=False)
class Fold:
    """One block, held out.

    Attributes:
        block: its rows, shape (row,).
        train_rows: how many rows the models were trained on.
        fits: one fit per model.
        points: the distribution of the block's responses by each of them, all of the same rows.
    """

    block: np.ndarray
    train_rows: int
    fits: tuple[Fit, ...]
    points: tuple[Point, ...]


def held_out(
    formulas: Sequence[str],
    table: Table,
    given: Sequence[Mapping[str, Any]],
    folds: int,
    gap: int | None,
) -> Iterator[Fold]:
    """Yields each block with the models that were trained without it.

    Args:
        formulas: one per model.
        table: the data.
        given: options of each model and its fit, with `method` and `groups`.
        folds: number of blocks.
        gap: rows left out on both sides; None for the reach of the longest window.

    Raises:
        DataError: a block leaves no row to train on, or none that all models can score.
        OptionError: folds or gap out of range.
    """
    sorted_ = [_sort(options) for options in given]
    models = [Model(f, table, **s.model) for f, s in zip(formulas, sorted_, strict=True)]
    usable = np.arange(table.rows)
    for model in models:
        usable = np.intersect1d(usable, model.design.rows)
    whole("folds", folds, 2, max(2, len(usable)))
    if gap is None:
        gap = max(reach(model.spec.schema, model.functions) for model in models)
    whole("gap", gap, 0)
    for block in np.array_split(usable, folds):
        keep = np.ones(table.rows, dtype=bool)
        keep[max(0, block[0] - gap) : block[-1] + gap + 1] = False
        if not keep[usable].any():
            raise DataError(
                f"the block of rows {block[0]:,} to {block[-1]:,} and a gap of {gap:,} rows on both "
                "sides leave no row to train on. Use more folds, a shorter window, or a smaller gap=."
            )
        fits = tuple(
            Model(formula, table, keep=keep, **s.model).fit(s.method, **s.fitting)
            for formula, s in zip(formulas, sorted_, strict=True)
        )
        yield Fold(block, int(keep[usable].sum()), fits, _points(fits, table, block, sorted_))


def _points(
    fits: Sequence[Fit], table: Table, block: np.ndarray, given: Sequence[_Options]
) -> tuple[Point, ...]:
    """The distribution of the responses of those rows that all models can score."""
    common = block
    points = [at_point(f, table, block, s.groups) for f, s in zip(fits, given, strict=True)]
    for point in points:
        common = np.intersect1d(common, point.rows)
    if not len(common):
        raise DataError(f"no row from {block[0]:,} to {block[-1]:,} can be scored by all models.")
    return tuple(
        point if len(point.rows) == len(common) else at_point(fit, table, common, options.groups)
        for fit, point, options in zip(fits, points, given, strict=True)
    )


@dataclass(frozen=True)
class _Options:
    """Options of one model: of `Model`, of its fit, and of its scores."""

    model: dict[str, Any]
    method: str
    fitting: dict[str, Any]
    groups: str


def _sort(given: Mapping[str, Any]) -> _Options:
    if "keep" in given:
        raise OptionError("keep= is set by cross-validation itself; leave rows out of the data.")
    taken = (*MODEL_OPTIONS, "method", "groups")
    fitting = {name: value for name, value in given.items() if name not in taken}
    model = {name: given[name] for name in MODEL_OPTIONS if name in given}
    return _Options(model, given["method"], {"progress": False, **fitting}, given["groups"])


def fill_in(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Puts a number in place of {n} in the names of priors and of masked terms."""
    out = dict(given)
    for name in ("priors", "mask"):
        if isinstance(out.get(name), Mapping):
            out[name] = {
                str(key).replace("{n}", str(number)): value for key, value in out[name].items()
            }
    return out
