"""A response may stand on the right only where strictly earlier bins of it are read."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ..errors import FormulaError, pointer
from .bases import BASES
from .quoting import spell
from .safety import parse_expression
from .terms import Factor, Formula
from .transforms import TRANSFORMS


def _tree(factor: Factor, formula: Formula, functions: Mapping[str, Any]) -> ast.expr:
    names = frozenset((*TRANSFORMS, *BASES, *functions))
    return parse_expression(factor.expression, formula.text, names)


def response_column(formula: Formula, functions: Mapping[str, Any]) -> str:
    """Returns the column that the response is made of, as `k` in `prop(k, n)`."""
    if formula.response.lookup:
        return formula.response.expression
    tree = _tree(formula.response, formula, functions)
    functions_named = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = [
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in functions_named
    ]
    return names[0] if names else ""


def check_feedback(formula: Formula, functions: Mapping[str, Any]) -> None:
    """Refuses a temporal term through which the response would predict itself.

    Raises:
        FormulaError: the window of such a term holds the present bin or later ones.
    """
    column = response_column(formula, functions)
    for factor in formula.factors:
        if factor.lookup:
            continue
        for call in ast.walk(_tree(factor, formula, functions)):
            transform = _temporal(call)
            if transform is None or not isinstance(call, ast.Call):
                continue
            names = {n.id for a in call.args[:1] for n in ast.walk(a) if isinstance(n, ast.Name)}
            if column in names and not _reads_past(transform, call):
                raise FormulaError(
                    f"`{spell(call)}` lets the response `{column}` predict itself: its window holds "
                    f"the present bin or later ones.{pointer(formula.text, spell(call))}\n"
                    f"Use strictly earlier bins: conv({column}, ...) with lag=1 (the default) or more."
                )


def _temporal(node: ast.AST) -> Any:
    if not isinstance(node, ast.Call):
        return None
    transform = TRANSFORMS.get(ast.unparse(node.func))
    return transform if transform is not None and transform.past is not None else None


def _reads_past(transform: Any, call: ast.Call) -> bool:
    arguments = [_constant(argument) for argument in call.args]
    options = {str(word.arg): _constant(word.value) for word in call.keywords}
    try:
        return transform.past(*arguments, **options)
    except TypeError:  # wrong arguments, which evaluation says in words
        return True


def _constant(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def filtered_names(formula: Formula, functions: Mapping[str, Any]) -> frozenset[str]:
    """Returns the columns that only filters read: their missing values are the filters' concern."""
    inside: set[str] = set()
    outside: set[str] = {response_column(formula, functions)}
    for factor in (formula.response, *formula.factors):
        if factor.lookup:
            outside.add(factor.expression)
            continue
        stack: list[tuple[ast.AST, bool]] = [(_tree(factor, formula, functions), False)]
        while stack:
            node, within = stack.pop()
            timed = isinstance(node, ast.Call) and getattr(
                TRANSFORMS.get(ast.unparse(node.func)), "timed", False
            )
            if isinstance(node, ast.Name):
                (inside if within else outside).add(node.id)
            stack.extend((child, within or timed) for child in ast.iter_child_nodes(node))
    return frozenset(inside - outside)
