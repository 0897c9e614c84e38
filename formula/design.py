"""Schema + data -> Design: the arrays that a model needs, for the training data or any new data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import DataError, pointer
from .coding import product
from .convolution import Filtered
from .expressions import Evaluator
from .features import Computed, Dense, Features, held, in_memory
from .groupings import combine
from .missing import missing_at
from .schema import GroupSchema, Neurons, PredictorSchema, Schema, TermSchema
from .tables import Categories, Table
from .terms import GroupTerm, Predictor
from .values import Matrix, ResponseValue

MISSING = -1


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
        shared: columns of the common terms without the intercept, shape (obs, coef); computed in
            blocks where they would be too large.
        offset: shape (obs,).
        groups: one entry per group term.
        own: columns of the terms of which every neuron has coefficients of its own, likewise.
    """

    shared: Features
    offset: np.ndarray
    groups: tuple[GroupDesign, ...]
    own: Features

    @property
    def matrix(self) -> np.ndarray:
        """The columns of the common terms as one array, shape (obs, coef)."""
        return in_memory(self.shared)

    def part(self, start: int, rows: int) -> PredictorDesign:
        """Returns rows from `start` on; see `Design.part`."""
        stop = start + rows
        groups = (
            replace(
                group,
                effects=_padded(group.effects, start, rows),
                index=_padded(group.index, start, rows)
                if len(group.index) == len(group.effects)
                else group.index,
            )
            for group in self.groups
        )
        shared, own = (
            Dense(_padded(f.block(start, min(stop, f.shape[0])), 0, rows))
            for f in (self.shared, self.own)
        )
        return PredictorDesign(shared, _padded(self.offset, start, rows), tuple(groups), own)


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

    def part(self, start: int, rows: int) -> Design:
        """Returns so many rows in memory, repeating the last one where the design ends before."""
        return Design(
            {name: _padded(array, start, rows) for name, array in self.response.items()},
            {name: arrays.part(start, rows) for name, arrays in self.predictors.items()},
            _padded(self.rows, start, rows),
            self.neurons,
            None if self.time is None else _padded(self.time, start, rows),
        )

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


def _padded(array: np.ndarray, start: int, rows: int) -> np.ndarray:
    part = array[start : start + rows]
    if len(part) == rows:
        return part
    return np.concatenate([part, np.repeat(part[-1:], rows - len(part), axis=0)])


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
            missing_at(name, array, rows, schema.formula.text)
    arrays = read_response(schema, evaluator) if response else {}
    return assemble(schema, values, arrays, rows, table)


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
        return {"y": np.asarray(value.values)[:, 0]}
    if isinstance(value, Matrix) and schema.neurons is not None:
        return {"y": np.asarray(value.values)}
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
        {n: a if len(rows) == len(a) else a[rows] for n, a in response.items()},
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
        _features(schema.terms, values, rows), offset, groups, _features(schema.own, values, rows)
    )


def _matrix(
    terms: tuple[TermSchema, ...], values: Mapping[str, Any], rows: np.ndarray
) -> np.ndarray:
    columns = [term_columns(term, values, rows) for term in terms]
    if len(columns) == 1:
        return columns[0]
    return np.concatenate(columns, axis=1) if columns else np.zeros((len(rows), 0))


def _features(
    terms: tuple[TermSchema, ...], values: Mapping[str, Any], rows: np.ndarray
) -> Features:
    """Columns in memory, or computed for the rows that are asked for where they would be too large."""
    computed = Computed(
        (len(rows), sum(term.size for term in terms)),
        lambda picked: _matrix(terms, values, rows[picked]),
    )
    return held(computed)


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
