"""The reference grid: rows of new data whose mean responses are averaged to one answer per cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...errors import OptionError, listing
from ...formula import Table
from ...formula.groupings import combine
from ...formula.tables import Categories
from .columns import Columns
from .request import Request

MOST = 5_000_000
"""A grid of more rows than this is refused."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of new data.

    Attributes:
        table: the data, the training rows themselves where nothing is set.
        rows: positions in the table.
        cells: the cell of each of these rows, ascending.
        weights: what each row weighs in the average of its cell.
        changed: whether the table differs from the training data.
    """

    table: Table
    rows: np.ndarray
    cells: np.ndarray
    weights: np.ndarray
    changed: bool = True


@dataclass(frozen=True, eq=False)
class Plan:
    """Cells, and the rows over which each is averaged.

    Attributes:
        codes: which value of each column of `by` a cell has, shape (cell, column).
        names: these columns, without the response's second dimension.
        parts: the rows.
    """

    codes: np.ndarray
    names: tuple[str, ...]
    parts: Iterator[Part]


def plan(request: Request) -> Plan:
    """Lays out the rows that answer a question."""
    return _over_rows(request) if request.rows else _over_grid(request)


# ------------------------------------------------------------------------------ a grid


def _over_grid(request: Request) -> Plan:
    columns, names = request.columns, _names(request)
    values = _axes(request)
    axes = [(request.live, _combinations(request))] if request.live else []
    axes += [
        ((name,), np.arange(len(found))[:, None])
        for name, found in values.items()
        if name not in request.live
    ]
    size = int(np.prod([float(len(codes)) for _, codes in axes])) if axes else 1
    if size > MOST:
        largest = sorted(values, key=lambda name: -len(values[name]))[:5]
        raise OptionError(
            f"the grid of all levels would have {size:,} rows "
            f"({listing(f'{name} {len(values[name]):,}' for name in largest)}). Fix some columns by "
            'at=, or average over the training rows with average="rows".'
        )
    positions = np.indices([len(codes) for _, codes in axes]).reshape(len(axes), -1)
    codes = {
        name: part[position, i]
        for (held, part), position in zip(axes, positions, strict=True)
        for i, name in enumerate(held)
    }
    kept = _occurring(request, codes, values, size)
    codes = {name: part[kept] for name, part in codes.items()}
    cells, unique = _cells([codes[name] for name in names], len(kept))
    order = np.argsort(cells, kind="stable")
    counts = np.bincount(cells, minlength=len(unique))
    table = Table(
        {name: series(values[name], part[order]) for name, part in codes.items()}
        | _wide(columns, len(kept)),
        len(kept),
    )
    part = Part(table, np.arange(len(kept)), cells[order], (1 / counts[cells])[order])
    return Plan(unique, names, iter([part]))


def _names(request: Request) -> tuple[str, ...]:
    return tuple(name for name in request.by if name != request.columns.dim)


def _axes(request: Request) -> dict[str, list[Any]]:
    """The values of every column in the grid."""
    columns, out = request.columns, {}
    for name, column in columns.known.items():
        if column.wide:
            continue
        if name in request.values:
            out[name] = list(request.values[name])
        elif column.factor:
            levels = list(columns.levels(name))
            out[name] = levels if column.ordinary or name in request.live else levels[:1]
        else:
            out[name] = [float(columns.numbers(name).mean())]
    return out


def _combinations(request: Request) -> np.ndarray:
    """The combinations of groups that occur, as positions in their values, (combination, column)."""
    parts = [_picked(request, name) for name in request.live]
    _, row = combine(parts)
    first = np.unique(row[row >= 0], return_index=True)[1]
    kept = np.flatnonzero(row >= 0)[first]
    if not len(kept):
        raise OptionError(
            f"no row of the training data has these levels of {listing(request.live)} together."
        )
    return np.stack([part.codes[kept] for part in parts], axis=1)


def _picked(request: Request, name: str) -> Categories:
    """A factor at the rows used, as positions among its values asked for, -1 for others."""
    coded = request.columns.coded(name)
    wanted = request.values.get(name)
    if wanted is None:
        return coded
    lookup = np.array([wanted.index(v) if v in wanted else -1 for v in coded.levels] + [-1])
    return Categories(lookup[coded.codes], tuple(wanted))


def _occurring(
    request: Request, codes: dict[str, np.ndarray], values: dict[str, list[Any]], size: int
) -> np.ndarray:
    """The rows of a grid where nested factors stand with levels that they occur with.

    A factor is nested in another where each of its levels occurs with only one of the other's, as
    neurons in mice. What is averaged over or compared is set as if it were independent.
    """
    kept = np.ones(size, dtype=bool)
    known = request.columns.known
    factors = [n for n in codes if known[n].factor and (known[n].ordinary or n in request.live)]
    for inner, outer in itertools.permutations(factors, 2):
        averaged = inner in request.live and inner not in request.by
        joined = inner in request.live and outer in request.live
        if outer == request.variable or averaged or joined:
            continue
        occurs = _nested(request.columns, inner, outer)
        if occurs is not None:
            at = [
                np.array([request.columns.levels(name).index(v) for v in values[name]])[codes[name]]
                for name in (inner, outer)
            ]
            kept &= occurs[at[0], at[1]]
    return np.flatnonzero(kept)


def _nested(columns: Columns, inner: str, outer: str) -> np.ndarray | None:
    """Returns which levels occur together, (inner, outer), where one is nested; else None."""
    shape = len(columns.levels(inner)), len(columns.levels(outer))
    if shape[0] <= shape[1] or shape[1] < 2:
        return None
    a, b = columns.coded(inner).codes, columns.coded(outer).codes
    known = (a >= 0) & (b >= 0)
    occurs = np.zeros(shape, dtype=bool)
    occurs[a[known], b[known]] = True
    return occurs if (occurs.sum(axis=1) == 1).all() else None


def _cells(codes: list[np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers the combinations of codes that occur, in order of the first column, then the next."""
    if not codes:
        return np.zeros(size, dtype=np.int64), np.zeros((1, 0), dtype=np.int64)
    unique, cells = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
    return cells.reshape(-1), unique


def series(values: list[Any], codes: np.ndarray) -> pd.Series:
    """Returns a column of new data from its values and which of them each row has."""
    if all(isinstance(value, bool) for value in values):
        return pd.Series(np.array(values, dtype=bool)[codes])
    if any(isinstance(value, str | bool) for value in values):
        return pd.Series(np.array([*values, None], dtype=object)[codes], dtype=object)
    return pd.Series(np.array(values, dtype=np.float64)[codes])


def _wide(columns: Columns, rows: int) -> dict[str, np.ndarray]:
    """Columns of two dimensions at their means."""
    return {
        name: np.tile(columns.numbers(name).mean(axis=0), (rows, 1))
        for name, column in columns.known.items()
        if column.wide
    }


# ------------------------------------------------------------------------- training rows


def _over_rows(request: Request) -> Plan:
    columns, names = request.columns, _names(request)
    live = set(request.live)
    kept = np.ones(len(columns.rows), dtype=bool)
    own: dict[str, np.ndarray] = {}
    for name in request.values:
        if name in live:
            own[name] = _picked(request, name).codes
            kept &= own[name] >= 0
    if not kept.any():
        raise OptionError(f"no row of the training data has these levels of {listing(own)}.")
    where = np.flatnonzero(kept)
    set_ = [n for n in request.values if n not in live and n != columns.dim]
    several = [range(len(request.values[name])) for name in set_]
    chosen = list(itertools.product(*several))
    rows: list[tuple[np.ndarray, np.ndarray]] = []
    for setting in chosen:
        fixed = dict(zip(set_, setting, strict=True))
        codes = {n: own[n][where] if n in own else np.full(len(where), fixed[n]) for n in names}
        good = where
        if names:
            levels = {name: list(request.values[name]) for name in names}
            shown = _occurring(request, codes, levels, len(where))
            good, codes = where[shown], {name: part[shown] for name, part in codes.items()}
        empty = np.zeros((len(good), 0), dtype=np.int64)
        rows.append((good, np.stack([codes[n] for n in names], axis=1) if names else empty))
    joined = np.concatenate([codes for _, codes in rows])
    cells, unique = _cells(list(joined.T), len(joined))
    counts = np.bincount(cells, minlength=len(unique))
    return Plan(unique, names, _parts(request, set_, chosen, rows, cells, counts))


def _parts(
    request: Request,
    names: list[str],
    chosen: list[tuple[int, ...]],
    rows: list[tuple[np.ndarray, np.ndarray]],
    cells: np.ndarray,
    counts: np.ndarray,
) -> Iterator[Part]:
    """Yields the training rows once for every setting of the columns that are set."""
    table, start = request.columns.table, 0
    for setting, (good, _) in zip(chosen, rows, strict=True):
        mine = cells[start : start + len(good)]
        start += len(good)
        if not len(good):
            continue
        order = np.argsort(mine, kind="stable")
        fresh = {
            name: series(request.values[name], np.full(table.rows, code))
            for name, code in zip(names, setting, strict=True)
        }
        changed = Table({**table.columns, **fresh}, table.rows, table.time, table.dims)
        picked = request.columns.rows[good[order]]
        weights = 1 / counts[mine[order]]
        yield Part(changed, picked, mine[order], weights, bool(fresh))
