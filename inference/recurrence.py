"""What of a formula feeds the response's own past back into its prediction, as arrays.

eta[t] = rest[t] + sum over parts, columns and lags of z[t] coefficient . (kernel * y)[t]
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import OptionError, pointer
from ..formula import BASES, TRANSFORMS, Design, Schema
from ..formula.coding import product
from ..formula.convolution import Filtered
from ..formula.quoting import names_in
from ..formula.safety import parse_expression
from ..formula.terms import Factor
from ..zoo.spec import ModelSpec
from .temporal import Coefficients, banks, coefficients, rows_back


@dataclass(frozen=True, eq=False)
class Loop:
    """One filter of the response's past.

    Attributes:
        kernel: shape (window, basis), the bin furthest back first.
        lags: how many bins back each of its rows reaches, shape (window,).
        order: the rows of the table, stretch by stretch, in order of time, shape (step,).
        known: how many bins of its stretch lie before each step, shape (step,).
    """

    kernel: np.ndarray
    lags: np.ndarray
    order: np.ndarray
    known: np.ndarray


@dataclass(frozen=True, eq=False)
class Part:
    """What one block of a term's columns adds to a linear predictor.

    Attributes:
        parameter: the parameter whose predictor it is.
        loop: the number of its filter.
        values: coefficients, shape (sample, group, column, source * basis, neuron or 1).
        columns: what multiplies the filtered past, shape (step, column).
        index: the group of each step, shape (step, 1), or of each neuron, shape (step, neuron).
    """

    parameter: str
    loop: int
    values: np.ndarray
    columns: np.ndarray
    index: np.ndarray


def feedback_factors(schema: Schema, column: str) -> tuple[Factor, ...]:
    """Returns the factors of the right-hand sides that read the column of the response."""
    return tuple(
        factor
        for factor in schema.formula.factors
        if not factor.lookup and column in names_in(factor.expression)
    )


def loops(
    schema: Schema,
    factors: tuple[Factor, ...],
    values: Mapping[str, Any],
    column: str,
    functions: Mapping[str, Any],
) -> dict[str, Loop]:
    """Returns the filter of each factor that reads the response.

    Args:
        schema: the formula bound to data.
        factors: those factors.
        values: all evaluated factors.
        column: the column of the response.
        functions: the user's own functions and kernels.

    Raises:
        OptionError: a factor is no filter of the response itself, or two of them run through the rows
            in different orders.
    """
    out: dict[str, Loop] = {}
    names = frozenset((*TRANSFORMS, *BASES, *functions))
    for factor in factors:
        node = parse_expression(factor.expression, schema.formula.text, names)
        value = values[factor.expression]
        first = node.args[0] if isinstance(node, ast.Call) and node.args else None
        direct = isinstance(first, ast.Name) and first.id == column
        shift = rows_back(node) if direct else None
        if direct and isinstance(value, Filtered):
            lags = value.lag + np.arange(len(value.kernel))
            out[factor.expression] = Loop(value.kernel[::-1], lags[::-1], *_order(value.at))
        elif shift is not None:
            at = np.arange(len(value))
            out[factor.expression] = Loop(np.ones((1, 1)), np.array([shift]), *_order(at))
        else:
            raise OptionError(
                f"simulate() feeds responses back through conv({column}, ...) and lag({column}, k), "
                f"not through `{factor.expression}`."
                f"{pointer(schema.formula.text, factor.expression)}"
            )
    one = next(iter(out))
    for name, loop in out.items():
        if not np.array_equal(loop.order, out[one].order):
            raise OptionError(
                f"`{one}` and `{name}` run through the rows in different orders (see by=), so their "
                "response cannot be simulated bin by bin. Sort the rows by series, then by time."
            )
    return out


def _order(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows by position, and how many neighbours lie before each."""
    rows = np.flatnonzero(at >= 0)
    order = rows[np.argsort(at[rows], kind="stable")]
    place = np.arange(len(order))
    starts = np.diff(at[order], prepend=-2) != 1
    return order, place - np.maximum.accumulate(np.where(starts, place, 0))


def parts(
    spec: ModelSpec,
    flat: Mapping[str, np.ndarray],
    found: Mapping[str, Loop],
    values: Mapping[str, Any],
    design: Design,
) -> Iterator[Part]:
    """Yields every block of coefficients that multiplies the response's past.

    Args:
        spec: the model.
        flat: natural parameters with one leading dimension (sample).
        found: the loops, by factor.
        values: all evaluated factors.
        design: the arrays at the steps.

    Raises:
        OptionError: a term multiplies the past of the response by itself.
    """
    for predictor in spec.schema.predictors:
        for part in coefficients(spec, predictor, flat):
            expressions = [factor.expression for factor in part.term.term.factors]
            reading = [i for i, name in enumerate(expressions) if name in found]
            if len(reading) > 1:
                raise OptionError(
                    f"`{part.term.name}` multiplies the past of the response by itself, which "
                    "simulate() does not feed back."
                    f"{pointer(spec.schema.formula.text, expressions[reading[0]])}"
                )
            if reading:
                name = expressions[reading[0]]
                factors = [values[e] for e in expressions] if len(expressions) > 1 else None
                yield from _blocks(part, reading[0], name, found, factors, design)


def _blocks(
    part: Coefficients,
    position: int,
    name: str,
    found: Mapping[str, Loop],
    factors: list[Any] | None,
    design: Design,
) -> Iterator[Part]:
    loop = found[name]
    steps, samples = len(loop.order), len(part.values)
    index = np.zeros((steps, 1), dtype=np.int32)
    if part.group is not None:
        index = design.predictors[part.predictor.parameter].groups[part.position].index
        index = (
            index[:, None] if index.ndim == 1 else np.broadcast_to(index, (steps, index.shape[1]))
        )
    for bank in banks(part, position, loop.kernel.shape[1], factors):
        values = bank.values.reshape(samples, 1, bank.values.shape[1], -1, *bank.values.shape[4:])
        if part.group is not None:
            values = np.moveaxis(values, -1, 1)[:, :, 0]
        if not part.own:
            values = values[..., None]
        columns = np.ones((steps, 1))
        if bank.others and factors is not None:
            columns = np.nan_to_num(product(factors, bank.others, loop.order))
        number = list(found).index(name)
        yield Part(
            part.predictor.parameter, number, values, columns, np.maximum(index, 0).astype(np.int32)
        )
