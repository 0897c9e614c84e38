"""The text of a hypothesis -> a tree of arithmetic over printed names. Nothing is ever executed.

statement = sum (< | <= | > | >=) sum [the same direction, sum]
sum       = product {(+ | -) product}
product   = sign {(* | /) sign}
sign      = (+ | -) sign | power
power     = atom [** sign]
atom      = name | number | ( sum ) | exp|log|sqrt|abs ( sum )
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import OptionError, listing, nearest, pointer, sentences, shown, visible
from .names import match_name

LONGEST, DEEPEST = 2_000, 50
FUNCTIONS = ("exp", "log", "sqrt", "abs")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORD = re.compile(r"[^\W\d][\w.]*(\[[^\]]*\])?")

Tree = tuple[Any, ...]
"""("name", text), ("number", value), or (operator or function, arguments...)."""


@dataclass(frozen=True)
class Statement:
    """A comparison, or a chain of two in one direction.

    Attributes:
        text: as written.
        sides: the sums that are compared, two or three.
        signs: the comparisons between them.
    """

    text: str
    sides: tuple[Tree, ...]
    signs: tuple[str, ...]


def read_statement(text: Any, names: Mapping[str, Any]) -> Statement:
    """Reads a hypothesis.

    Args:
        text: such as `"stim > 0"`.
        names: the printed names that it may hold.

    Raises:
        OptionError: it is no comparison of sums of printed names and numbers.
    """
    if not isinstance(text, str) or not text.strip():
        raise OptionError(f'a hypothesis is a text such as "x > 0", not {shown(text)}.')
    if len(text) > LONGEST:
        raise OptionError(f"a hypothesis may have {LONGEST:,} characters, not {len(text):,}.")
    reader = _Reader(text, names)
    sides, signs = [reader.sum()], []
    while (sign := reader.comparison()) is not None:
        signs.append(sign)
        sides.append(reader.sum())
    rest = reader.peek()
    if rest:
        raise reader.misplaced(rest)
    if not signs:
        raise reader.error("a comparison such as `x > 0` or `-0.1 < x < 0.1` is needed.")
    if len(signs) > 2 or len({sign[0] for sign in signs}) > 1:
        raise reader.error("a chain has two comparisons in one direction, such as `0 < x < 1`.")
    if not _names(tuple(sides)):
        raise reader.error(f"it holds no parameter. Known names: {listing(names, 12)}.")
    return Statement(" ".join(text.split()), tuple(sides), tuple(signs))


def _names(tree: Any) -> list[str]:
    """The names in a tree, in order of appearance."""
    if not isinstance(tree, tuple):
        return []
    if tree and tree[0] == "name":
        return [tree[1]]
    return [name for part in tree for name in _names(part)]


def names_in(statement: Statement) -> list[str]:
    """Returns the printed names in a statement, each once."""
    return list(dict.fromkeys(_names(statement.sides)))


def evaluate(tree: Tree, values: Mapping[str, Any], library: Any) -> Any:
    """Returns the value of a tree.

    Args:
        tree: from `read_statement`.
        values: printed name -> number or array.
        library: numpy or jax.numpy, whose functions are taken.
    """
    kind, *arguments = tree
    if kind == "name":
        return values[arguments[0]]
    if kind == "number":
        return arguments[0]
    found = [evaluate(argument, values, library) for argument in arguments]
    if kind in FUNCTIONS:
        return getattr(library, kind)(found[0])
    return _OPERATORS[kind, len(found)](*found)


_OPERATORS: dict[tuple[str, int], Callable[..., Any]] = {
    ("+", 2): lambda a, b: a + b,
    ("-", 2): lambda a, b: a - b,
    ("*", 2): lambda a, b: a * b,
    ("/", 2): lambda a, b: a / b,
    ("**", 2): lambda a, b: a**b,
    ("-", 1): lambda a: -a,
}


class _Reader:
    """Reads a text from left to right."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.text, self.names, self.at, self.depth = text, names, 0, 0

    def error(self, message: str, fragment: str = "") -> OptionError:
        where = pointer(self.text, fragment, self.at if fragment else None)
        return OptionError(f"hypothesis: {message}{where}")

    def peek(self) -> str:
        """The rest of the text, without leading blanks."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at :]

    def take(self, *signs: str) -> str | None:
        rest = self.peek()
        for sign in signs:
            if rest.startswith(sign):
                self.at += len(sign)
                return sign
        return None

    def comparison(self) -> str | None:
        rest = self.peek()
        if rest.startswith(("=", "!=")):
            raise self.error(
                "that two numbers are exactly equal has probability 0. Ask whether they are as good as "
                "equal, such as `-0.1 < x < 0.1`.",
                rest[:2].strip(),
            )
        return self.take("<=", ">=", "<", ">")

    def sum(self) -> Tree:
        tree = self.product()
        while sign := self.take("+", "-"):
            tree = (sign, tree, self.product())
        return tree

    def product(self) -> Tree:
        tree = self.sign()
        while not self.peek().startswith("**") and (sign := self.take("*", "/")):
            tree = (sign, tree, self.sign())
        return tree

    def sign(self) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"it is nested more than {DEEPEST} levels deep.")
        sign = self.take("-", "+")
        tree = self.sign() if sign else self.power()
        self.depth -= 1
        return ("-", tree) if sign == "-" else tree

    def power(self) -> Tree:
        base = self.atom()
        return ("**", base, self.sign()) if self.take("**") else base

    def atom(self) -> Tree:
        rest = self.peek()
        if rest.startswith("`"):
            return self._quoted(rest)
        found = match_name(self.text, self.at, self.names)
        if found is not None:
            self.at = found[1]
            return ("name", found[0])
        number = _NUMBER.match(rest)
        if number:
            self.at += number.end()
            return ("number", np.float64(number.group()))  # so that 1 / 0 is infinite
        for name in FUNCTIONS:
            if re.match(rf"{name}\s*\(", rest):
                self.at += len(name)
                return (name, self._bracket())
        if rest.startswith("("):
            return self._bracket()
        raise self._unknown(rest)

    def _bracket(self) -> Tree:
        self.take("(")
        tree = self.sum()
        if not self.take(")"):
            raise self.error("a bracket is not closed.")
        return tree

    def _quoted(self, rest: str) -> Tree:
        end = rest.find("`", 1)
        if end < 0:
            raise self.error("a backtick is not closed.", "`")
        name = rest[1:end]
        found = match_name(name, 0, self.names)
        if found is None or name[found[1] :].strip():
            raise self._missing(name)
        self.at += end + 1
        return ("name", found[0])

    def _unknown(self, rest: str) -> OptionError:
        word = _WORD.match(rest)
        if word:
            return self._missing(word.group())
        if not rest:
            return self.error("it ends where a name or a number is needed.")
        return self.misplaced(rest)

    def misplaced(self, rest: str) -> OptionError:
        """The error for what cannot follow what stands before it."""
        return self.error(
            f"`{visible(rest[0])}` cannot stand here. A hypothesis takes printed names, numbers, "
            f"+ - * / ** (for powers), brackets, {listing(FUNCTIONS)}, and one comparison.",
            rest[0],
        )

    def _missing(self, name: str) -> OptionError:
        return self.error(
            sentences(
                f"there is no parameter `{name}`.",
                nearest(name, self.names),
                f"Known names: {listing(self.names, 12)}.",
            ),
            name,
        )
