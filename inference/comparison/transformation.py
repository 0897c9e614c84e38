"""A response that is a function of one column, and how densities of it become densities of the column.

p(c) = p(f(c)) |df/dc|
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from ...errors import OptionError, offenders
from ...formula import TRANSFORMS
from ...formula.expressions import Evaluator
from ...formula.quoting import names_in, parse_quietly, spell
from ...formula.terms import Factor
from ..model import Model
from ..programs import double_precision

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "I": lambda x: x,
    "log": jnp.log,
    "log2": jnp.log2,
    "log10": jnp.log10,
    "log1p": jnp.log1p,
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "sqrt": jnp.sqrt,
    "tanh": jnp.tanh,
}
"""Functions that are differentiated exactly; all others by differences."""
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.UAdd: lambda a: a,
    ast.USub: lambda a: -a,
}
STEP = 1e-3
"""Half the width of differences, relative to the value; extrapolated, they are good to 1e-10."""


@dataclass(frozen=True, eq=False)
class Response:
    """A response without what is known beside it (weights, trials, ...).

    Attributes:
        text: the expression.
        columns: the columns that it reads.
        tree: the expression as a tree.
    """

    text: str
    columns: tuple[str, ...]
    tree: ast.expr


def read_response(model: Model) -> Response:
    """Returns what stands inside of `weighted()`, `prop()`, ... on the left of a formula."""
    factor = model.spec.schema.formula.response
    if factor.lookup:
        tree: ast.expr = ast.Name(factor.expression, ast.Load())
        return Response(spell(tree), (factor.expression,), tree)
    tree = parse_quietly(factor.expression, factor.expression)
    while isinstance(tree, ast.Call):
        transform = TRANSFORMS.get(ast.unparse(tree.func))
        if transform is None or transform.role != "response":
            break
        tree = tree.args[0] if tree.args else tree.keywords[0].value
    text = spell(tree)
    return Response(text, tuple(dict.fromkeys(names_in(text))), tree)


def log_derivative(model: Model, response: Response) -> np.ndarray:
    """Returns log |df/dc| of a response f of one column c at the rows used, shape (obs,).

    Raises:
        OptionError: f is not one-to-one, or its slope is zero or infinite somewhere.
    """
    column = response.columns[0]
    rows = model.design.rows
    values = model.table.numeric(column)
    _check_one_to_one(values[rows], model.design.response["y"], response, column)
    try:
        slope = _exact(response.tree, values[rows])
    except KeyError:
        slope = _by_differences(model, response, values)[rows]
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(slope))
    bad = np.flatnonzero(~np.isfinite(logs))
    if bad.size:
        raise OptionError(
            f"`{response.text}` has no finite slope other than 0 in `{column}` at {bad.size:,} of "
            f"{len(rows):,} rows ({offenders(rows[bad].tolist(), values[rows][bad].tolist())}), so "
            "that densities of the two cannot be compared. Fit all models to one response."
        )
    return logs


def _check_one_to_one(values: np.ndarray, y: np.ndarray, response: Response, column: str) -> None:
    order = np.argsort(values, kind="stable")
    steps, changes = np.diff(values[order]) > 0, np.diff(y[order])
    signs = np.unique(np.sign(changes[steps]))
    same = np.abs(changes[~steps]) <= 1e-12 * np.max(np.abs(y), initial=0.0)
    if not same.all() or signs.size > 1 or 0 in signs:
        raise OptionError(
            f"`{response.text}` is not a one-to-one function of `{column}` over the rows used, so that "
            "densities of the two cannot be compared. Fit all models to one response."
        )


def _exact(tree: ast.expr, values: np.ndarray) -> np.ndarray:
    """Differentiates arithmetic and the usual functions; raises KeyError for others."""
    with double_precision():
        at = jnp.asarray(values)
        _, slope = jax.jvp(lambda x: _evaluate(tree, x), (at,), (jnp.ones_like(at),))
        return np.asarray(slope)


def _evaluate(node: ast.expr, x: Any) -> Any:
    if isinstance(node, ast.Name):
        return x
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_evaluate(node.left, x), _evaluate(node.right, x))
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](_evaluate(node.operand, x))
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        name = ast.unparse(node.func).removeprefix("np.")
        return FUNCTIONS[name](_evaluate(node.args[0], x))
    raise KeyError(ast.unparse(node))


def _by_differences(model: Model, response: Response, values: np.ndarray) -> np.ndarray:
    """Central differences of two widths, extrapolated; of transforms as they were learned."""
    schema, column = model.spec.schema, response.columns[0]
    typical = np.nanmedian(np.abs(values[model.design.rows])) or 1.0
    step = STEP * np.where(values == 0, typical, np.abs(values))

    def at(shift: np.ndarray) -> np.ndarray:
        moved = {**model.table.columns, column: pd.Series(values + shift)}
        table = replace(model.table, columns=moved)
        evaluator = Evaluator(table, schema.formula.text, schema.learned(), None, model.functions)
        return np.asarray(evaluator.factor(Factor(response.text, False)), dtype=np.float64)

    wide = (at(step) - at(-step)) / (2 * step)
    narrow = (at(step / 2) - at(-step / 2)) / step
    return (4 * narrow - wide) / 3
