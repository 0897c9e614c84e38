"""Schema + data -> Design: the arrays that a model needs, for the training data or any new data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import DataError, offenders, pointer
from .coding import product
from .convolution import Filtered
from .expressions import Evaluator
from .features import BUDGET_BYTES, Computed, Dense, Features, in_memory
from .groupings import combine
from .schema import GroupSchema, Neurons, PredictorSchema, Schema, TermSchema
from .tables import Categories, Table
from .terms import GroupTerm, Predictor
from .values import Matrix, ResponseValue

MISSING = -1
LARGEST = 1e100


@dataclass(frozen=True, eq=False)
class GroupDesign:
    """The arrays of one group term.

    Attributes:
        effects: values that multiply the group's effects, shape (obs, effect).
        index: the group of each row, shape (obs,): a training group, or one of `unseen` counted on
            from them, or -1 where it is missing; where neurons are a grouping factor, the group of
            each row and neuron, shape (obs, neuron), or (1, neuron) where they are the only one.
        unseen: labels of the groups that the training data lacked.
    """

    effects: np.ndarray
    index: np.ndarray
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PredictorDesign:
    """The arrays of one linear predictor.

    Attributes:
        matrix: columns of the common terms without the intercept, shape (obs, coef).
        offset: shape (obs,).
        groups: one entry per group term.
        own: columns of the terms of which every neuron has coefficients of its own, shape (obs, coef);
            computed in blocks where it would be too large.
    """

    matrix: np.ndarray
    offset: np.ndarray
    groups: tuple[GroupDesign, ...]
    own: Features

    @cached_property
    def shared(self) -> Features:
        """The columns of the common terms, whose moments are then computed once."""
        return Dense(self.matrix)


@dataclass(frozen=True, eq=False)
class Design:
    """All arrays of a model.

    Attributes:
        response: `y` and extras such as `trials`, each of shape (obs,), `y` of shape (obs, neuron) for
            several neurons; empty for new data.
        predictors: parameter -> its arrays.
        rows: positions in the user's table, shape (obs,).
        neurons: the number of neurons of a response of two dimensions; 0 where it has one.
        time: the time of each row in seconds, shape (obs,), where the data have a time axis.
    """

    response: dict[str, np.ndarray]
    predictors: dict[str, PredictorDesign]
    rows: np.ndarray
    neurons: int = 0
    time: np.ndarray | None = None

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def arrays(self) -> dict[str, Any]:
        """Returns all arrays as a tree of dictionaries, the form that compiled programs take."""
        return {
            "response": dict(self.response),
            "predictors": {
                name: {
                    "matrix": p.matrix,
                    "own": in_memory(p.own),
                    "offset": p.offset,
                    "groups": tuple(
                        {
                            "effects": tuple(
                                np.ascontiguousarray(column) for column in g.effects.T
                            ),
                            "index": g.index,
                        }
                        for g in p.groups
                    ),
                }
                for name, p in self.predictors.items()
            },
        }


def apply(
    schema: Schema,
    table: Table,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    response: bool = False,
    rows: np.ndarray | None = None,
) -> Design:
    """Applies a schema to data.

    Args:
        schema: from `learn.learn`.
        table: the data.
        functions: the user's own functions.
        response: whether to read the response too.
        rows: positions of the rows to keep; None keeps all.

    Returns:
        The arrays; missing predictors are NaN, unseen groups are numbered on.

    Raises:
        FormulaError: a column is absent.
        DataError: infinite values.
        LevelError: a factor has a level that the training data lacked.
    """
    evaluator = Evaluator(table, schema.formula.text, dict(schema.learned()), None, functions or {})
    values = evaluate_all(schema, evaluator)
    if rows is None:
        rows = np.arange(table.rows)
    for name, value in values.items():
        if not isinstance(value, Categories | Filtered):
            array = value.values if isinstance(value, Matrix) else value
            refuse_infinite(name, at_rows(array, rows), rows, schema.formula.text)
    arrays = read_response(schema, evaluator) if response else {}
    return assemble(schema, values, arrays, rows, table)


def at_rows(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns some rows of an array as (len(rows), k), without a copy where they are all."""
    picked = array if len(rows) == len(array) else array[rows]
    return picked.reshape(len(rows), -1)


def is_plain(values: np.ndarray) -> bool:
    """Whether values (obs, k) are all finite and of a size that can be squared; two quick passes."""
    if not values.size:
        return True
    with np.errstate(all="ignore"):
        sums = values @ np.ones(values.shape[1])
    return bool(np.isfinite(sums).all() and max(values.max(), -values.min()) <= LARGEST)


def refuse_infinite(name: str, values: np.ndarray, rows: np.ndarray, source: str) -> None:
    """Raises where values (obs, k) at these rows of the table are infinite or beyond 1e100.

    Raises:
        DataError: with the count and the first rows.
    """
    if is_plain(values):
        return
    infinite = np.isinf(values).any(axis=1)
    if infinite.any():
        bad = rows[infinite]
        raise DataError(
            f"`{name}` is infinite in {len(bad):,} of {len(rows):,} rows "
            f"({offenders(bad.tolist(), values[infinite].max(axis=1).tolist())})."
            f"{pointer(source, name)}"
        )
    with np.errstate(invalid="ignore"):
        huge = (np.abs(values) > LARGEST).any(axis=1)
    if huge.any():
        bad = rows[huge]
        raise DataError(
            f"`{name}` exceeds {LARGEST:g} in {len(bad):,} of {len(rows):,} rows "
            f"({offenders(bad.tolist(), values[huge].max(axis=1).tolist())}), so that its square is no "
            f"number. Change its unit.{pointer(source, name)}"
        )


def evaluate_all(schema: Schema, evaluator: Evaluator) -> dict[str, Any]:
    """Evaluates every factor of the right-hand sides once."""
    groupings = {f for p in schema.formula.predictors for g in p.groups for f in g.by}
    columns = evaluator.table.columns
    if schema.neurons is not None and schema.neurons.dim not in columns:
        dim = {f for f in groupings if f.expression == schema.neurons.dim}
    else:
        dim = set()
    ordinary = {f for p in schema.formula.predictors for t in p.common for f in t.factors}
    for predictor in schema.formula.predictors:
        ordinary.update(f for g in predictor.groups for t in g.effects for f in t.factors)
        ordinary.update(predictor.offsets)
    misplaced = ordinary & dim
    if misplaced:
        name = next(iter(misplaced)).expression
        raise DataError(
            f"`{name}` is the second dimension of the response, and every neuron has coefficients of "
            f"its own already; it can stand after a bar only: (1 | {name})."
            f"{pointer(schema.formula.text, name)}"
        )
    needed = [f for f in schema.formula.factors if f in ordinary or f not in groupings]
    return {factor.expression: evaluator.factor(factor) for factor in needed} | {
        f"group {factor.expression}": evaluator.table.categorical(factor.expression)
        for factor in schema.formula.factors
        if factor in groupings and factor not in dim
    }


def read_response(schema: Schema, evaluator: Evaluator) -> dict[str, np.ndarray]:
    """Evaluates the response and its extras."""
    value = evaluator.factor(schema.formula.response)
    if isinstance(value, Matrix) and value.values.shape[1] == 1:
        return {"y": value.values[:, 0]}
    if isinstance(value, Matrix) and schema.neurons is not None:
        return {"y": value.values}
    if isinstance(value, Matrix | Filtered):
        raise DataError(
            f"the response `{schema.response}` has {len(value.labels)} columns; several responses are "
            f"one two-dimensional column of the data.{pointer(schema.formula.text, schema.response)}"
        )
    if isinstance(value, ResponseValue):
        return {"y": value.values, **value.extras}
    if isinstance(value, Categories):
        return {"y": np.where(value.codes < 0, np.nan, value.codes.astype(np.float64))}
    return {"y": value}


def assemble(
    schema: Schema,
    values: Mapping[str, Any],
    response: dict[str, np.ndarray],
    rows: np.ndarray,
    table: Table,
) -> Design:
    """Builds the arrays from evaluated factors."""
    predictors = {}
    for predictor, schema_ in zip(schema.formula.predictors, schema.predictors, strict=True):
        predictors[predictor.parameter] = _predictor(
            predictor, schema_, values, rows, schema.neurons
        )
    return Design(
        {name: array[rows] for name, array in response.items()},
        predictors,
        rows,
        0 if schema.neurons is None else len(schema.neurons.labels),
        None if table.time is None else table.time.values[rows],
    )


def term_columns(term: TermSchema, values: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    """Returns the columns of one term, shape (obs, columns); NaN where they are not defined."""
    if not term.term.factors:
        return np.ones((len(rows), 1))
    factors = [values[factor.expression] for factor in term.term.factors]
    defined = np.ones(len(rows), dtype=bool)
    for factor in factors:
        if isinstance(factor, Filtered):
            defined &= factor.defined[rows]
    picked = rows if defined.all() else rows[defined]
    parts = [
        product(factors, block, picked) if block else np.ones((len(picked), 1))
        for block in term.blocks
    ]
    found = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    if len(picked) == len(rows):
        return found
    out = np.full((len(rows), found.shape[1]), np.nan)
    out[defined] = found
    return out


def _predictor(
    predictor: Predictor,
    schema: PredictorSchema,
    values: Mapping[str, Any],
    rows: np.ndarray,
    neurons: Neurons | None,
) -> PredictorDesign:
    offset = np.zeros(len(rows))
    for factor in predictor.offsets:
        offset = offset + values[factor.expression][rows]
    groups = tuple(
        GroupDesign(
            np.concatenate([term_columns(e, values, rows) for e in group.effects], axis=1),
            *_index(group, values, rows, neurons),
        )
        for group in schema.groups
    )
    return PredictorDesign(
        _matrix(schema.terms, values, rows), offset, groups, _own(schema.own, values, rows)
    )


def _matrix(
    terms: tuple[TermSchema, ...], values: Mapping[str, Any], rows: np.ndarray
) -> np.ndarray:
    columns = [term_columns(term, values, rows) for term in terms]
    if len(columns) == 1:
        return columns[0]
    return np.concatenate(columns, axis=1) if columns else np.zeros((len(rows), 0))


def _own(terms: tuple[TermSchema, ...], values: Mapping[str, Any], rows: np.ndarray) -> Features:
    """Columns in memory, or computed in blocks of rows where they would be too large."""
    columns = sum(term.size for term in terms)
    if 8 * columns * len(rows) <= BUDGET_BYTES:
        return Dense(_matrix(terms, values, rows))
    return Computed(
        (len(rows), columns), lambda start, stop: _matrix(terms, values, rows[start:stop])
    )


def _index(
    group: GroupSchema, values: Mapping[str, Any], rows: np.ndarray, neurons: Neurons | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    keys, codes, _ = group_keys(group.term, values, neurons)
    position = {key: i for i, key in enumerate(group.keys)}
    position |= {tuple(map(str, key)): i for i, key in enumerate(group.keys)}
    lookup, unseen = [], []
    for key in keys:
        found = position.get(key, position.get(tuple(map(str, key))))
        if found is None:
            found = len(group.keys) + len(unseen)
            unseen.append(":".join(map(str, key)))
        lookup.append(found)
    index = np.array([*lookup, MISSING])[codes].astype(np.int32)
    return index if len(codes) == 1 and codes.ndim == 2 else index[rows], tuple(unseen)


def group_keys(
    term: GroupTerm, values: Mapping[str, Any], neurons: Neurons | None
) -> tuple[list[tuple[Any, ...]], np.ndarray, bool]:
    """Returns the groups of a (crossed) factor that occur, and the code of each row, -1 if missing.

    Where the dimension of neurons is one of the factors, codes have a second axis for them, and the
    first is of length 1 if it is the only one.

    Returns:
        Keys, codes of shape (obs,), (1, neuron) or (obs, neuron), and whether neurons are a factor.
    """
    names = [factor.expression for factor in term.by]
    held = [name for name in names if f"group {name}" in values]
    parts = [values[f"group {name}"] for name in held]
    if len(held) == len(names) or neurons is None:
        return *combine(parts), False
    place, count = names.index(neurons.dim), len(neurons.labels)
    keys, codes = combine(parts) if parts else ([()], np.zeros(1, dtype=np.int64))
    every = [(*key[:place], label, *key[place:]) for key in keys for label in neurons.labels]
    spread = codes[:, None] * count + np.arange(count)[None, :]
    return every, np.where(codes[:, None] < 0, -1, spread), True
