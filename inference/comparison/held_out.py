"""Log predictive densities of rows, by fits that know them or that were made without them.

    log p(y_i | others) = log mean_s p(y_i | theta_s, u_s),

where u_s are the effects of fitted groups, and draws from the distribution of groups where all rows of
a group were left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...formula import Design
from ...formula.design import GroupDesign, PredictorDesign
from ...formula.features import Dense
from ...zoo.statistics import bucket
from ...zoo.structure import Structure
from ..evaluate import flatten, log_likelihood_blocks
from ..fit import Fit
from ..predict import group_effects

COPIES, DRAWS = 4, 4_000
"""New groups have at least this many draws of their effects for each posterior draw, and in all."""


def log_mean(logs: np.ndarray) -> np.ndarray:
    """Returns the log of the mean density over the last axis."""
    top = logs.max(axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        return np.log(np.exp(logs - top).mean(axis=-1)) + top[..., 0]


def in_sample(fit: Fit) -> np.ndarray:
    """Returns the log predictive density of every row given all rows, shape (obs[, neuron])."""
    return _densities(fit.model.spec.structure, fit.model.design, fit.draws.natural)


def left_out_densities(
    fit: Fit, refit: Fit, rows: np.ndarray, trained: np.ndarray, seed: int
) -> np.ndarray:
    """Returns the log predictive density of some rows by a fit that was made without them.

    Args:
        fit: the fit of all rows.
        refit: the fit without these rows.
        rows: their positions in the design.
        trained: which rows of the design the refit knows, boolean, shape (obs,).
        seed: of the effects of new groups.

    Returns:
        Shape (len(rows)[, neuron]).
    """
    structure = fit.model.spec.structure
    few_sizes = rows[np.minimum(np.arange(bucket(len(rows))), len(rows) - 1)]
    design, draws = _with_new_groups(fit, refit, few_sizes, trained, seed)
    parts = [_densities(structure, design, natural) for natural in draws]
    return log_mean(np.stack(parts, axis=-1))[: len(rows)]


def left_out_draws(
    fit: Fit, refit: Fit, cell: tuple[int, ...], trained: np.ndarray, seed: int
) -> np.ndarray:
    """Returns log p(y_i | theta) of one row (and neuron) over the draws of a refit without it."""
    structure = fit.model.spec.structure
    design, draws = _with_new_groups(fit, refit, np.array(cell[:1]), trained, seed)
    return np.concatenate([_cell(structure, design, natural, cell) for natural in draws])


def known_draws(fit: Fit, cell: tuple[int, ...]) -> np.ndarray:
    """Returns log p(y_i | theta) of one row (and neuron) over the draws of the fit."""
    design = take(fit.model.design, np.array(cell[:1]))
    return _cell(fit.model.spec.structure, design, fit.draws.natural, cell)


def _cell(structure: Structure, design: Design, natural: Any, cell: tuple[int, ...]) -> np.ndarray:
    ((_, logs),) = log_likelihood_blocks(structure, design, natural)
    return logs[0][cell[1]] if len(cell) > 1 else logs[0]


def _with_new_groups(
    fit: Fit, refit: Fit, rows: np.ndarray, trained: np.ndarray, seed: int
) -> tuple[Design, Iterator[Mapping[str, Any]]]:
    """Returns some rows, and draws of a refit; several sets with new effects where groups are new."""
    structure, natural = fit.model.spec.structure, refit.draws.natural
    design, new = _as_new(take(fit.model.design, rows), fit.model.design, trained)
    if not new:
        return design, iter((natural,))
    flat = flatten(natural)
    often = -(-DRAWS // (COPIES * len(next(iter(flat.values())))))
    flat = {name: np.repeat(array, often, axis=0) for name, array in flat.items()}

    def copies() -> Iterator[Mapping[str, Any]]:
        for copy in range(COPIES):
            _, extended = group_effects(structure, design, flat, "new", seed + copy)
            yield {name: array[None] for name, array in extended.items()}

    return design, copies()


def _densities(structure: Structure, design: Design, natural: Mapping[str, Any]) -> np.ndarray:
    pieces = log_likelihood_blocks(structure, design, natural)
    return np.concatenate([log_mean(logs) for _, logs in pieces])


def take(design: Design, rows: np.ndarray) -> Design:
    """Returns some rows of a design, by their positions in ascending order."""
    total = design.size

    def picked(array: np.ndarray) -> np.ndarray:
        return array[rows] if len(array) == total else array

    def predictor(arrays: PredictorDesign) -> PredictorDesign:
        groups = tuple(
            GroupDesign(picked(g.effects), picked(g.index) if _by_row(g) else g.index, g.unseen)
            for g in arrays.groups
        )
        shared, own = (Dense(f.take(rows)) for f in (arrays.shared, arrays.own))
        return PredictorDesign(shared, picked(arrays.offset), groups, own)

    return Design(
        {name: picked(array) for name, array in design.response.items()},
        {name: predictor(arrays) for name, arrays in design.predictors.items()},
        design.rows[rows],
        design.neurons,
        None if design.time is None else design.time[rows],
    )


def _by_row(group: GroupDesign) -> bool:
    return len(group.index) == len(group.effects)


def _as_new(design: Design, whole: Design, trained: np.ndarray) -> tuple[Design, bool]:
    """Numbers the groups of a design that have no trained row as groups that were never seen."""
    predictors, new = {}, False
    for name, arrays in design.predictors.items():
        groups = []
        for group, full in zip(arrays.groups, whole.predictors[name].groups, strict=True):
            if not _by_row(full):
                groups.append(group)
                continue
            fresh = np.setdiff1d(group.index, full.index[trained])
            count = int(full.index.max(initial=-1)) + 1
            number = np.arange(count)
            number[fresh] = count + np.arange(len(fresh))
            groups.append(
                GroupDesign(
                    group.effects, number[group.index].astype(np.int32), tuple(map(str, fresh))
                )
            )
            new |= bool(fresh.size)
        predictors[name] = replace(arrays, groups=tuple(groups))
    return replace(design, predictors=predictors), new
