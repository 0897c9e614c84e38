"""Blocks of rows, each scored by models that were trained on the rows outside of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError, OptionError, shown
from ..formula import Table
from .batches import fit_models
from .fit import Fit
from .model import Model
from .options import choice, whole
from .point import Point, at_point
from .run import Run, choose
from .temporal import reach

GROUP = "group:"
"""Starts the name of a column whose levels are the blocks."""
ROWS = 500_000
"""Rows of all folds that are held in memory at a time."""
MODEL_OPTIONS = ("family", "link", "priors", "mask", "functions")


@dataclass(frozen=True, eq=False)
class Fold:
    """One block, held out.

    Attributes:
        label: its number, counted from 1, or the level of its column.
        block: its rows, shape (row,).
        train_rows: how many rows the models were trained on.
        fits: one fit per model.
        points: the distribution of the block's responses by each of them, all of the same rows.
    """

    label: Any
    block: np.ndarray
    train_rows: int
    fits: tuple[Fit, ...]
    points: tuple[Point, ...]


def held_out(
    formulas: Sequence[str],
    table: Table,
    given: Sequence[Mapping[str, Any]],
    folds: int | str,
    gap: int | None,
) -> Iterator[Fold]:
    """Yields each block with the models that were trained without it.

    Models of one formula have nearly the same number of rows, so that they share compiled programs.

    Args:
        formulas: one per model.
        table: the data.
        given: options of each model and its fit, with `method` and `groups`.
        folds: number of contiguous blocks, or `"group:"` and a column whose levels are the blocks.
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
    blocks = _blocks(folds, usable, table)
    if gap is None:
        gap = max(reach(model.spec.schema, model.functions) for model in models)
    whole("gap", gap, 0)
    del models
    kept = [_outside(block, table.rows, gap, usable) for _, block in blocks]
    at_once = max(1, ROWS // table.rows)
    for start in range(0, len(blocks), at_once):
        part = kept[start : start + at_once]
        fits = [_fits(f, table, s, part) for f, s in zip(formulas, sorted_, strict=True)]
        for place, chosen in enumerate(zip(*fits, strict=True), start):
            label, block = blocks[place]
            points = _points(chosen, table, block, sorted_)
            yield Fold(label, block, int(kept[place][usable].sum()), chosen, points)


def _blocks(folds: int | str, usable: np.ndarray, table: Table) -> list[tuple[Any, np.ndarray]]:
    """Returns the label and the rows of every block."""
    if not isinstance(folds, str):
        whole("folds", folds, 2, max(2, len(usable)))
        return list(enumerate(np.array_split(usable, folds), start=1))
    name = folds.removeprefix(GROUP)
    if name == folds:
        raise OptionError(
            f'folds= takes a whole number, or "group:" and a column, not {shown(folds)}.'
        )
    groups = table.categorical(choice(f"folds={GROUP}", name, tuple(table.columns)))
    codes = groups.codes[usable]
    found = [(level, usable[codes == k]) for k, level in enumerate(groups.levels)]
    found = [(level, block) for level, block in found if len(block)]
    if len(found) < 2:
        raise OptionError(
            f"folds={shown(folds)} needs two levels of `{name}` or more in the rows used."
        )
    return found


def _outside(block: np.ndarray, rows: int, gap: int, usable: np.ndarray) -> np.ndarray:
    """Which rows lie outside of a block and of a gap around each of its runs, shape (obs,)."""
    keep = np.ones(rows, dtype=bool)
    for run in np.split(block, np.flatnonzero(np.diff(block) > 1) + 1):
        keep[max(0, run[0] - gap) : run[-1] + gap + 1] = False
    if not keep[usable].any():
        raise DataError(
            f"the block of rows {block[0]:,} to {block[-1]:,} and a gap of {gap:,} rows on both "
            "sides leave no row to train on. Use more folds, a shorter window, or a smaller gap=."
        )
    return keep


def _fits(formula: str, table: Table, options: _Options, kept: Sequence[np.ndarray]) -> list[Fit]:
    models = [Model(formula, table, keep=keep, **options.model) for keep in kept]
    fits: list[Fit] = []
    for found in fit_models(models, [options.run] * len(models)):
        if isinstance(found, Exception):
            raise found
        fits.append(found)
    return fits


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
    run: Run
    groups: str


def _sort(given: Mapping[str, Any]) -> _Options:
    if "keep" in given:
        raise OptionError("keep= is set by cross-validation itself; leave rows out of the data.")
    taken = (*MODEL_OPTIONS, "method", "groups", "progress")
    fitting = {name: value for name, value in given.items() if name not in taken}
    model = {name: given[name] for name in MODEL_OPTIONS if name in given}
    return _Options(model, choose(given["method"], **fitting), given["groups"])


def fill_in(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Puts a number in place of {n} in the names of priors and of masked terms."""
    out = dict(given)
    for name in ("priors", "mask"):
        if isinstance(out.get(name), Mapping):
            out[name] = {
                str(key).replace("{n}", str(number)): value for key, value in out[name].items()
            }
    return out
