"""Schema + data -> Design: the arrays that a model needs, for the training data or any new data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError, offenders, pointer
from .coding import product
from .expressions import Evaluator
from .schema import GroupSchema, PredictorSchema, Schema, TermSchema
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
            from them, or -1 where it is missing.
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
    """

    matrix: np.ndarray
    offset: np.ndarray
    groups: tuple[GroupDesign, ...]


@dataclass(frozen=True, eq=False)
class Design:
    """All arrays of a model.

    Attributes:
        response: `y` and extras such as `trials`, each of shape (obs,); empty for new data.
        predictors: parameter -> its arrays.
        rows: positions in the user's table, shape (obs,).
    """

    response: dict[str, np.ndarray]
    predictors: dict[str, PredictorDesign]
    rows: np.ndarray

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
        if not isinstance(value, Categories):
            array = value.values if isinstance(value, Matrix) else value
            refuse_infinite(name, array[rows].reshape(len(rows), -1), rows, schema.formula.text)
    arrays = read_response(schema, evaluator) if response else {}
    return assemble(schema, values, arrays, rows)


def refuse_infinite(name: str, values: np.ndarray, rows: np.ndarray, source: str) -> None:
    """Raises where values (obs, k) at these rows of the table are infinite or beyond 1e100.

    Raises:
        DataError: with the count and the first rows.
    """
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
    ordinary = {f for p in schema.formula.predictors for t in p.common for f in t.factors}
    for predictor in schema.formula.predictors:
        ordinary.update(f for g in predictor.groups for t in g.effects for f in t.factors)
        ordinary.update(predictor.offsets)
    needed = [f for f in schema.formula.factors if f in ordinary or f not in groupings]
    return {factor.expression: evaluator.factor(factor) for factor in needed} | {
        f"group {factor.expression}": evaluator.table.categorical(factor.expression)
        for factor in schema.formula.factors
        if factor in groupings
    }


def read_response(schema: Schema, evaluator: Evaluator) -> dict[str, np.ndarray]:
    """Evaluates the response and its extras."""
    value = evaluator.factor(schema.formula.response)
    if isinstance(value, Matrix) and value.values.shape[1] == 1:
        return {"y": value.values[:, 0]}
    if isinstance(value, Matrix):
        raise DataError(
            f"the response `{schema.response}` has {value.values.shape[1]} columns; models of tables "
            f"take one response per row.{pointer(schema.formula.text, schema.response)}"
        )
    if isinstance(value, ResponseValue):
        return {"y": value.values, **value.extras}
    if isinstance(value, Categories):
        return {"y": np.where(value.codes < 0, np.nan, value.codes.astype(np.float64))}
    return {"y": value}


def assemble(
    schema: Schema, values: Mapping[str, Any], response: dict[str, np.ndarray], rows: np.ndarray
) -> Design:
    """Builds the arrays from evaluated factors."""
    predictors = {}
    for predictor, schema_ in zip(schema.formula.predictors, schema.predictors, strict=True):
        predictors[predictor.parameter] = _predictor(predictor, schema_, values, rows)
    return Design({name: array[rows] for name, array in response.items()}, predictors, rows)


def term_columns(term: TermSchema, values: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    """Returns the columns of one term, shape (obs, columns)."""
    if not term.term.factors:
        return np.ones((len(rows), 1))
    factors = [values[factor.expression] for factor in term.term.factors]
    parts = [
        product(factors, block)[0][rows] if block else np.ones((len(rows), 1))
        for block in term.blocks
    ]
    return np.concatenate(parts, axis=1)


def _predictor(
    predictor: Predictor, schema: PredictorSchema, values: Mapping[str, Any], rows: np.ndarray
) -> PredictorDesign:
    columns = [term_columns(term, values, rows) for term in schema.terms]
    offset = np.zeros(len(rows))
    for factor in predictor.offsets:
        offset = offset + values[factor.expression][rows]
    groups = tuple(
        GroupDesign(
            np.concatenate([term_columns(e, values, rows) for e in group.effects], axis=1),
            *_index(group, values, rows),
        )
        for group in schema.groups
    )
    matrix = np.concatenate(columns, axis=1) if columns else np.zeros((len(rows), 0))
    return PredictorDesign(matrix, offset, groups)


def _index(
    group: GroupSchema, values: Mapping[str, Any], rows: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    keys, codes = group_keys(group.term, values)
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
    return index[rows], tuple(unseen)


def group_keys(
    term: GroupTerm, values: Mapping[str, Any]
) -> tuple[list[tuple[Any, ...]], np.ndarray]:
    """Returns the distinct groups of a (crossed) factor and the code of each row, -1 if missing."""
    parts: list[Categories] = [values[f"group {factor.expression}"] for factor in term.by]
    combined = np.zeros(len(parts[0].codes), dtype=np.int64)
    missing = np.zeros(len(combined), dtype=bool)
    for part in parts:
        combined = combined * (len(part.levels) + 1) + part.codes
        missing |= part.codes < 0
    present, codes = np.unique(combined[~missing], return_inverse=True)
    keys = []
    for value in present.tolist():
        key: list[Any] = []
        for part in reversed(parts):
            value, code = divmod(value, len(part.levels) + 1)
            key.append(part.levels[code])
        keys.append(tuple(reversed(key)))
    out = np.full(len(combined), -1)
    out[~missing] = codes
    return keys, out
