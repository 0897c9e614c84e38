"""Formula + training data -> Schema and Design: levels, codings, and which rows are used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DataError, FormulaError, listing, pointer
from .coding import plan, product
from .design import (
    Design,
    assemble,
    evaluate_all,
    group_keys,
    read_response,
    refuse_infinite,
)
from .expressions import Evaluator
from .quoting import names_in
from .schema import GroupSchema, PredictorSchema, RowReport, Schema, TermSchema
from .tables import Categories, Table, require_columns
from .terms import Formula, Predictor, Term
from .transforms.contrasts import BARE
from .values import Matrix


def learn(
    formula: Formula, table: Table, functions: Mapping[str, Callable[..., Any]] | None = None
) -> tuple[Schema, Design]:
    """Binds a formula to its training data.

    Args:
        formula: from `grammar.parse`.
        table: the training data.
        functions: the user's own functions.

    Returns:
        The schema, and the design of the rows used.

    Raises:
        FormulaError: a column is absent, constant, or the transforms do not fit the data.
        DataError: infinite values, or no complete row.
    """
    names = column_names(formula)
    require_columns(names, table, formula.text)
    complete, missing = _complete_rows(names, table)
    rows = np.flatnonzero(complete)
    _require_rows(rows, table, missing)
    evaluator = Evaluator(table, formula.text, {}, rows, functions or {})
    blank = Schema(formula, (), (), (), (), RowReport(table.rows, 0), "{}")
    values = evaluate_all(blank, evaluator)
    response = read_response(blank, evaluator)
    rows, missing = _drop_undefined(values, response, rows, missing, formula)
    _require_rows(rows, table, missing)
    predictors = tuple(_predictor(p, values, rows, formula.text) for p in formula.predictors)
    schema = Schema(
        formula=formula,
        columns=tuple(names),
        predictors=predictors,
        extras=tuple(name for name in response if name != "y"),
        response_levels=_response_levels(evaluator, formula),
        rows=RowReport(table.rows, len(rows), tuple(missing)),
        state=json.dumps(evaluator.state),
    )
    return schema, assemble(schema, values, response, rows)


def column_names(formula: Formula) -> list[str]:
    """Returns the columns that a formula reads, in order of appearance."""
    names: dict[str, None] = {}
    for factor in (formula.response, *formula.factors):
        if factor.lookup:
            names[factor.expression] = None
        else:
            found = names_in(factor.expression)
            names.update(dict.fromkeys(name for name in found if name not in BARE))
    return list(names)


def _complete_rows(
    names: Sequence[str], table: Table
) -> tuple[np.ndarray, list[tuple[str, int, int]]]:
    complete = np.ones(table.rows, dtype=bool)
    missing = []
    for name in names:
        column = table.columns[name]
        if isinstance(column, np.ndarray):
            lacks = np.isnan(column).any(axis=1) if column.dtype.kind == "f" else ~complete & False
        else:
            lacks = column.isna().to_numpy(dtype=bool)
        if lacks.any():
            missing.append((name, int(lacks.sum()), int(np.argmax(lacks))))
            complete &= ~lacks
    return complete, missing


def _require_rows(rows: np.ndarray, table: Table, missing: list[tuple[str, int, int]]) -> None:
    if len(rows) == 0:
        report = RowReport(table.rows, 0, tuple(missing))
        raise DataError(f"no row is complete: {report}.")


def _drop_undefined(
    values: Mapping[str, Any],
    response: Mapping[str, np.ndarray],
    rows: np.ndarray,
    missing: list[tuple[str, int, int]],
    formula: Formula,
) -> tuple[np.ndarray, list[tuple[str, int, int]]]:
    """Drops rows where an expression is undefined (NaN); refuses infinite ones."""
    keep = np.ones(len(rows), dtype=bool)
    named = {formula.response.expression: response["y"]} | {
        name: array for name, array in response.items() if name != "y"
    }
    for name, value in (*values.items(), *named.items()):
        if isinstance(value, Categories):
            lacks = value.codes[rows] < 0
        else:
            array = value.values if isinstance(value, Matrix) else value
            flat = array[rows].reshape(len(rows), -1)
            refuse_infinite(name, flat, rows, formula.text)
            lacks = np.isnan(flat).any(axis=1)
        if lacks.all() and not isinstance(value, Categories):
            raise DataError(
                f"`{name}` is not a number in any of the {len(rows):,} complete rows. Is the column "
                f"constant, or outside of what the function takes?{pointer(formula.text, name)}"
            )
        if lacks.any():
            missing = [*missing, (name, int(lacks.sum()), int(rows[np.argmax(lacks)]))]
            keep &= ~lacks
    return rows[keep], missing


def _predictor(
    predictor: Predictor, values: Mapping[str, Any], rows: np.ndarray, source: str
) -> PredictorSchema:
    common = _terms(predictor.common, values, rows, source)
    groups = []
    seen: set[tuple[str, str]] = set()
    for term in predictor.groups:
        keys, codes = group_keys(term, values)
        present = np.unique(codes[rows])
        ordered = [keys[i] for i in present if i >= 0]
        levels = tuple(key[0] if len(key) == 1 else ":".join(map(str, key)) for key in ordered)
        effects = _terms(term.effects, values, rows, source, f"({'...'} | {term.group})")
        group = GroupSchema(term, tuple(effects), levels, tuple(ordered))
        for effect in effects:
            pair = (effect.name, term.group)
            if pair in seen:
                raise FormulaError(
                    f"`{group.variable(effect)}` stands twice in the formula; write each effect of "
                    f"a grouping factor once.{pointer(source, term.group)}"
                )
            seen.add(pair)
        if len(levels) < 2:
            raise FormulaError(
                f"the grouping factor `{term.group}` has only one level ({listing(levels)}), so the "
                f"spread between groups cannot be learned.{pointer(source, term.group)}\n"
                f"Leave out `{term}`."
            )
        groups.append(group)
    rest = tuple(term for term in common if term.term.factors)
    return PredictorSchema(predictor.parameter, predictor.intercept, rest, tuple(groups))


def _terms(
    terms: Sequence[Term], values: Mapping[str, Any], rows: np.ndarray, source: str, where: str = ""
) -> list[TermSchema]:
    described = [
        tuple((f.expression, _spans(values[f.expression])) for f in t.factors) for t in terms
    ]
    out = []
    for term, blocks in zip(terms, plan(described), strict=True):
        if not term.factors:
            out.append(TermSchema(term))
            continue
        factors = [values[factor.expression] for factor in term.factors]
        labels: list[Any] = []
        for block in blocks:
            labels.extend(product(factors, block)[1] if block else [""])
        if not labels:
            levels = next((v.levels for v in factors if isinstance(v, Categories)), ())
            raise FormulaError(
                f"`{term.name}` is constant: it has only the level {levels}, so it has no effect "
                f"to learn.{pointer(source, term.factors[0].expression)}\nLeave it out."
            )
        out.append(TermSchema(term, () if labels == [""] else tuple(labels), blocks))
    return out


def _spans(value: Any) -> bool:
    return isinstance(value, Categories) or (isinstance(value, Matrix) and value.spans_intercept)


def _response_levels(evaluator: Evaluator, formula: Formula) -> tuple[Any, ...]:
    value = evaluator.factor(formula.response)
    return value.levels if isinstance(value, Categories) else ()
