"""The coefficients of temporal terms, told apart by source, basis function and what they multiply."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formula import BASES, TRANSFORMS, Schema
from ..formula.coding import Block, labels, product_labels
from ..formula.convolution import Filtered
from ..formula.quoting import spell
from ..formula.safety import parse_expression
from ..formula.schema import GroupSchema, PredictorSchema, TermSchema
from ..zoo.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The coefficients of one term of one predictor.

    Attributes:
        predictor: the predictor.
        term: the term.
        values: shape (sample, coef) where they are common; (sample, coef, neuron) where every neuron
            has its own; (sample, coef, level) of group effects.
        own: whether every neuron has its own.
        group: the group term that they are effects of.
        position: the number of that group term.
        free: which own coefficients a mask does not set to 0, (coef, neuron); None: all.
    """

    predictor: PredictorSchema
    term: TermSchema
    values: np.ndarray
    own: bool = False
    group: GroupSchema | None = None
    position: int = 0
    free: np.ndarray | None = None


def coefficients(
    spec: ModelSpec, predictor: PredictorSchema, flat: Mapping[str, np.ndarray]
) -> Iterator[Coefficients]:
    """Yields the coefficients of every term of a predictor, group effects last.

    Args:
        spec: the model.
        predictor: one of its predictors.
        flat: natural parameters with one leading dimension (sample).
    """
    name, start = predictor.parameter, int(predictor.intercept)
    for term in predictor.terms:
        values = flat[f"{name}.coefficients"][:, start : start + term.size]
        yield Coefficients(predictor, term, values)
        start += term.size
    free, start = spec.free(name), int(predictor.own_intercept)
    for term in predictor.own:
        span = slice(start, start + term.size)
        used = None if free is None else free[span]
        yield Coefficients(predictor, term, flat[f"{name}.neurons"][:, span], True, free=used)
        start += term.size
    for i, group in enumerate(predictor.groups):
        effects, start = np.swapaxes(flat[f"{name}.group{i}.effects"], 1, 2), 0
        for term in group.effects:
            values = effects[:, start : start + term.size]
            yield Coefficients(predictor, term, values, group=group, position=i)
            start += term.size


@dataclass(frozen=True, eq=False)
class Bank:
    """The coefficients of one block of a term's columns.

    Attributes:
        block: the factors of the block.
        others: the block without the filtered factor; empty where there is nothing else.
        labels: a label for each column that multiplies the filtered series; empty for none.
        values: shape (sample, column, source, basis, *rest).
    """

    block: Block
    others: Block
    labels: tuple[Any, ...]
    values: np.ndarray


def banks(
    found: Coefficients, position: int, size: int, factors: list[Any] | None
) -> Iterator[Bank]:
    """Takes apart the coefficients of a term by what they multiply.

    Args:
        found: the coefficients.
        position: which factor of the term is filtered.
        size: the number of functions of its basis.
        factors: the evaluated factors of the term; None where the filtered one stands alone.
    """
    samples, rest = len(found.values), found.values.shape[2:]
    if factors is None:
        block = found.term.blocks[0]
        values = found.values.reshape(samples, 1, -1, size, *rest)
        yield Bank(block, (), (), values)
        return
    start = 0
    for block in found.term.blocks:
        counts = [len(labels(factors[place], full)) for place, full in block]
        stop = start + int(np.prod(counts))
        part = found.values[:, start:stop].reshape(samples, *reversed(counts), *rest)
        places = [place for place, _ in block]
        axis = len(counts) - places.index(position)  # the first factor varies fastest
        part = np.moveaxis(part, axis, len(counts))
        others = tuple(pair for pair in block if pair[0] != position)
        values = part.reshape(samples, -1, part.shape[len(counts)] // size, size, *rest)
        names = product_labels(factors, others) if others else ()
        yield Bank(block, others, names, values)
        start = stop


def sources(term: TermSchema, factor: Any) -> tuple[Any, ...]:
    """Returns the labels of the series that a term filters; empty where it is one without a label."""
    return factor.sources if isinstance(factor, Filtered) else term.sources


def width_of_bins(schema: Schema) -> float | None:
    """Returns the width of a bin in seconds that temporal terms learned, or None."""
    states = (state for state in schema.learned().values() if isinstance(state, dict))
    return next((w for state in states if (w := state.get("bin_width")) is not None), None)


def rows_back(node: ast.AST) -> int | None:
    """Returns the rows that a call like `lag(y, k)` looks back, None for other expressions."""
    if not isinstance(node, ast.Call):
        return None
    transform = TRANSFORMS.get(ast.unparse(node.func))
    if transform is None or transform.past is None or transform.timed:
        return None
    given = [ast.literal_eval(argument) for argument in node.args[1:]]
    words = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
    bound = inspect.signature(transform.apply).bind(None, *given, **words)
    bound.apply_defaults()
    return list(bound.arguments.values())[1]


def reach(schema: Schema, functions: Mapping[str, Any]) -> int:
    """Returns how many bins, back or ahead, the longest window of a formula reaches."""
    names = frozenset((*TRANSFORMS, *BASES, *functions))
    learned: dict[str, Any] = schema.learned()
    furthest = [0]
    for factor in schema.formula.factors:
        if factor.lookup:
            continue
        for node in ast.walk(parse_expression(factor.expression, schema.formula.text, names)):
            state = learned.get(spell(node), {}) if isinstance(node, ast.Call) else {}
            if "lag" in state:
                window = state.get("window") or len(state["kernel"])
                furthest += [abs(state["lag"]), abs(state["lag"] + window - 1)]
            elif isinstance(node, ast.Call):
                furthest.append(abs(rows_back(node) or 0))
    return max(furthest)
