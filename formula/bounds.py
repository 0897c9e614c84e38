"""Checks on the operator tree before it is expanded: where bars may stand, how many terms it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from formulaic.parser.types import ASTNode

from ..errors import FormulaError, UnsafeFormulaError, pointer

MAX_TERMS = 2_000
MAX_FORMULA_POWER = 8
MAX_PRODUCTS = 50_000
MAX_FACTORS = 10


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
            _check_grouping(list(node.args)[1], source)
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


@dataclass(frozen=True)
class _Size:
    """Bounds of an expanded subtree: its terms, the factors of one term, the names in it."""

    terms: int
    factors: int
    names: frozenset[str]


def check_size(tree: ASTNode, source: str) -> None:
    """Refuses a formula that expands to too much, before expanding it.

    Raises:
        UnsafeFormulaError: more than 2,000 terms, or more than 10 factors in one, or a power over 8.
    """
    order: list[ASTNode] = []
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ASTNode):
            order.append(node)
            stack.extend(node.args)
    sizes: dict[int, _Size] = {}
    for node in reversed(order):
        parts = [
            sizes[id(a)] if isinstance(a, ASTNode) else _Size(1, 1, frozenset((str(a.token),)))
            for a in node.args
        ]
        size = _size(node, parts, source)
        if size.terms > MAX_TERMS or size.factors > MAX_FACTORS:
            raise UnsafeFormulaError(
                f"the formula expands to more than {MAX_TERMS:,} terms, or to terms of more than "
                f"{MAX_FACTORS} factors.{pointer(source, source)}"
            )
        sizes[id(node)] = size


def _size(node: ASTNode, parts: list[_Size], source: str) -> _Size:
    symbol = node.operator.symbol
    names = frozenset().union(*(part.names for part in parts))
    counts = [part.terms for part in parts]
    longest = [part.factors for part in parts]
    if symbol in ("**", "^"):
        power = _power(node, source)
        terms = counts[0] ** power if counts[0] ** power > MAX_PRODUCTS else 2 ** counts[0]
        return _Size(
            min(terms, counts[0] ** power),
            min(longest[0] * power, len(parts[0].names)),
            parts[0].names,
        )
    if symbol == "*" and len(parts) == 2:
        return _Size(counts[0] * counts[1] + sum(counts), min(sum(longest), len(names)), names)
    if symbol.startswith((":", "|")) and len(parts) == 2:
        return _Size(counts[0] * counts[1], min(sum(longest), len(names)), names)
    if symbol in ("/", "in") and len(parts) == 2:  # below all factors of the outer side
        return _Size(sum(counts), len(names), names)
    return _Size(sum(counts), max(longest, default=1), names)


def _power(node: ASTNode, source: str) -> int:
    text = str(getattr(list(node.args)[1], "token", ""))
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text[:6]) <= MAX_FORMULA_POWER:
        raise UnsafeFormulaError(
            f"the power `{node.operator.symbol}` of a formula takes a whole number from 1 to "
            f"{MAX_FORMULA_POWER}.{pointer(source, node.operator.symbol)}"
        )
    return int(text[:6])
