"""Formula + training data -> Schema and Design: levels, codings, and which rows are used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DataError, FormulaError, listing, pointer
from .coding import plan, product_labels
from .convolution import Filtered
from .design import (
    Design,
    assemble,
    evaluate_all,
    group_keys,
    read_response,
)
from .expressions import Evaluator
from .feedback import check_feedback, filtered_names
from .missing import check_size, missing_at
from .quoting import names_in
from .schema import GroupSchema, Neurons, PredictorSchema, RowReport, Schema, TermSchema
from .streams import as_stream, is_wide, rows_where
from .tables import Categories, Table, require_columns
from .terms import Formula, Predictor, Term
from .transforms.contrasts import BARE
from .values import Matrix


def learn(
    formula: Formula,
    table: Table,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    keep: np.ndarray | None = None,
) -> tuple[Schema, Design]:
    """Binds a formula to its training data.

    Args:
        formula: from `grammar.parse`.
        table: the training data.
        functions: the user's own functions.
        keep: which rows may be used, boolean, shape (obs,); the others are only history.

    Returns:
        The schema, and the design of the rows used.

    Raises:
        FormulaError: a column is absent, constant, or the transforms do not fit the data.
        DataError: infinite values, or no complete row.
    """
    neurons = find_neurons(formula, table)
    names = column_names(formula, (*(functions or ()), *([neurons.dim] if neurons else ())), table)
    require_columns(names, table, formula.text)
    check_feedback(formula, functions or {})
    complete, missing = _complete_rows(names, table, filtered_names(formula, functions or {}))
    rows = np.flatnonzero(complete if keep is None else complete & keep)
    _require_rows(rows, table, missing)
    evaluator = Evaluator(table, formula.text, {}, rows, functions or {})
    blank = Schema(formula, (), (), (), (), RowReport(table.rows, 0), "{}", neurons)
    values = evaluate_all(blank, evaluator)
    response = read_response(blank, evaluator)
    rows, missing = _drop_undefined(values, response, rows, missing, formula)
    _require_rows(rows, table, missing)
    predictors = tuple(
        _predictor(p, values, rows, formula.text, neurons) for p in formula.predictors
    )
    schema = Schema(
        formula=formula,
        columns=tuple(names),
        predictors=predictors,
        extras=tuple(name for name in response if name != "y"),
        response_levels=_response_levels(evaluator, formula),
        rows=RowReport(table.rows, len(rows), tuple(missing), tuple(evaluator.notes.values())),
        state=json.dumps(evaluator.state),
        neurons=neurons,
    )
    return schema, assemble(schema, values, response, rows, table)


def find_neurons(formula: Formula, table: Table) -> Neurons | None:
    """Returns the second dimension of a response of several columns, or None."""
    name = formula.response.expression
    known = formula.response.lookup and name in table.columns
    stream = table.stream(name) if known else None
    if stream is None or stream.shape[1] == 1:
        return None
    return Neurons(*table.second_dimension(name))


def column_names(formula: Formula, known: Sequence[str], table: Table) -> list[str]:
    """Returns the columns that a formula reads, in order of appearance.

    Args:
        formula: the formula.
        known: names that are no columns: the user's functions, the dimension of neurons.
        table: the data; its columns win over such names.
    """
    names: dict[str, None] = {}
    for factor in (formula.response, *formula.factors):
        if factor.lookup:
            names[factor.expression] = None
        else:
            found = names_in(factor.expression)
            names.update(dict.fromkeys(name for name in found if name not in BARE))
    return [name for name in names if name not in known or name in table.columns]


def _complete_rows(
    names: Sequence[str], table: Table, filtered: frozenset[str]
) -> tuple[np.ndarray, list[tuple[str, int, int]]]:
    """Which rows lack nothing; columns that are only filtered may, and their terms say what is lost."""
    complete = np.ones(table.rows, dtype=bool)
    missing = []
    for name in names:
        column = table.columns[name]
        if name in filtered:
            continue
        if is_wide(column):
            lacks = rows_where(as_stream(column), np.isnan)
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
        if isinstance(value, Filtered):  # says itself what is lost
            keep &= value.defined[rows]
            continue
        if isinstance(value, Categories):
            lacks = value.codes[rows] < 0
        else:
            array = value.values if isinstance(value, Matrix) else value
            lacks = missing_at(name, array, rows, formula.text)
            if isinstance(array, np.ndarray):
                check_size(name, array[rows], formula.text)
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
    predictor: Predictor,
    values: Mapping[str, Any],
    rows: np.ndarray,
    source: str,
    neurons: Neurons | None,
) -> PredictorSchema:
    common = _terms(predictor.common, values, rows, source)
    groups = []
    seen: set[tuple[str, str]] = set()
    for term in predictor.groups:
        keys, codes, over_neurons = group_keys(term, values, neurons)
        present = np.unique(codes[rows] if len(codes) > 1 else codes)
        ordered = [keys[i] for i in present if i >= 0]
        levels = tuple(key[0] if len(key) == 1 else ":".join(map(str, key)) for key in ordered)
        effects = _terms(term.effects, values, rows, source, f"({'...'} | {term.group})")
        group = GroupSchema(term, tuple(effects), levels, tuple(ordered), over_neurons)
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
    pooled = {effect.name for g in groups if g.over_neurons for effect in g.effects}
    shared = [term for term in common if neurons is None or term.name in pooled]
    own = [term for term in common if term not in shared]
    return PredictorSchema(
        predictor.parameter,
        any(not term.term.factors for term in shared),
        tuple(term for term in shared if term.term.factors),
        tuple(groups),
        any(not term.term.factors for term in own),
        tuple(term for term in own if term.term.factors),
    )


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
            labels.extend(product_labels(factors, block) if block else [""])
        if not labels:
            levels = next((v.levels for v in factors if isinstance(v, Categories)), ())
            raise FormulaError(
                f"`{term.name}` is constant: it has only the level {levels}, so it has no effect "
                f"to learn.{pointer(source, term.factors[0].expression)}\nLeave it out."
            )
        sources: tuple[Any, ...] = ()
        if len(factors) == 1 and isinstance(factors[0], Filtered):
            sources = factors[0].sources
        elif len(factors) == 1 and isinstance(factors[0], Matrix):
            sources = tuple(labels)
        out.append(TermSchema(term, () if labels == [""] else tuple(labels), blocks, sources))
    return out


def _spans(value: Any) -> bool:
    if isinstance(value, Matrix | Filtered):
        return value.spans_intercept
    return isinstance(value, Categories)


def _response_levels(evaluator: Evaluator, formula: Formula) -> tuple[Any, ...]:
    value = evaluator.factor(formula.response)
    return value.levels if isinstance(value, Categories) else ()
