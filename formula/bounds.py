"""Checks on the operator tree before it is expanded: where bars may stand, how many terms it makes."""

from __future__ import annotations

from typing import Any

from formulaic.parser.types import ASTNode

from ..errors import FormulaError, UnsafeFormulaError, pointer

MAX_TERMS = 2_000
MAX_FORMULA_POWER = 8
MAX_PRODUCTS = 50_000


def check_bars(tree: ASTNode, source: str) -> None:
    """Refuses a group term anywhere but as a summand of the right-hand side.

    Raises:
        FormulaError: a bar stands under another operator than `+`, or on the left.
    """
    stack: list[tuple[Any, bool]] = [(tree, True)]
    while stack:
        node, allowed = stack.pop()
        if not isinstance(node, ASTNode):
            continue
        symbol = node.operator.symbol
        if symbol.startswith("|"):
            if not allowed:
                raise FormulaError(
                    f"a group term can only be added to a formula with `+`.{pointer(source, '|')}"
                )
            allowed = False
            _check_grouping(node.args[1], source)
        arguments = list(node.args)
        if symbol == "~" and len(arguments) == 2:
            stack.append((arguments.pop(0), False))
        stack.extend((argument, allowed and symbol in ("~", "+")) for argument in arguments)


def _check_grouping(node: Any, source: str) -> None:
    """After a bar stand columns joined by `:` or `/`; a sum would silently make two terms."""
    if isinstance(node, ASTNode):
        if node.operator.symbol not in (":", "/"):
            raise FormulaError(
                f"after the bar stands one grouping factor: `g`, `g:h` or `g/h`, not a "
                f"`{node.operator.symbol}`.{pointer(source, '|')}\n"
                "For two grouping factors write two group terms: (1 | g) + (1 | h)."
            )
        for argument in node.args:
            _check_grouping(argument, source)


def check_size(tree: ASTNode, source: str) -> None:
    """Refuses a formula whose expansion would have more than 2,000 terms, before expanding it.

    Raises:
        UnsafeFormulaError: the formula expands to too many terms, or a power is over 8.
    """
    order: list[ASTNode] = []
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ASTNode):
            order.append(node)
            stack.extend(node.args)
    sizes: dict[int, int] = {}
    for node in reversed(order):
        counts = [sizes[id(a)] if isinstance(a, ASTNode) else 1 for a in node.args]
        size = _size(node, counts, source)
        if size > MAX_TERMS:
            raise UnsafeFormulaError(
                f"the formula expands to more than {MAX_TERMS:,} terms.{pointer(source, source)}"
            )
        sizes[id(node)] = size


def _size(node: ASTNode, counts: list[int], source: str) -> int:
    symbol = node.operator.symbol
    if symbol in ("**", "^"):
        text = str(getattr(node.args[1], "token", ""))
        if not text.isdigit() or not 1 <= int(text[:6]) <= MAX_FORMULA_POWER:
            raise UnsafeFormulaError(
                f"the power `{symbol}` of a formula takes a whole number from 1 to "
                f"{MAX_FORMULA_POWER}.{pointer(source, symbol)}"
            )
        if counts[0] ** int(text) > MAX_PRODUCTS:
            return MAX_TERMS + 1
        return min(counts[0] ** int(text), 2 ** counts[0])  # a power has no term twice
    if symbol == "*" and len(counts) == 2:
        return counts[0] * counts[1] + sum(counts)
    if symbol.startswith((":", "|")) and len(counts) == 2:
        return counts[0] * counts[1]
    return sum(counts)
