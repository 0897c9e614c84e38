"""One line of a formula -> tokens: checked, canonical, with intercepts and group bars in place."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from itertools import pairwise

from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import Token
from formulaic.parser.utils import merge_operator_tokens, replace_tokens

from ..errors import FormulaError, UnsafeFormulaError, pointer
from .quoting import NAME, Quotes, spell
from .safety import check_name, parse_expression

BARS = ("|", "||")
_GROUP_CALL = re.compile(r"^([^\W\d]\w*)\s*\((.*)\)$", re.DOTALL)


def read_tokens(
    line: str,
    quotes: Quotes,
    source: str,
    functions: frozenset[str],
    columns: frozenset[str] | None,
) -> tuple[list[Token], Mapping[str, str]]:
    """Reads the tokens of one line.

    Args:
        line: the line, its quoted names and texts masked.
        quotes: what the masks stand for.
        source: the whole formula, for messages.
        functions: names of the functions that may be called.
        columns: names of the columns, where they are known.

    Returns:
        The tokens, and symbol -> distribution for bars such as that of `student(1 | g)`.

    Raises:
        FormulaError: a token is no part of a formula.
        UnsafeFormulaError: an expression holds anything but columns, arithmetic and functions.
    """
    if re.search(r"\{\s*\}", line):
        raise FormulaError(f"the braces hold nothing.{pointer(source, '{')}")
    distributions: dict[str, str] = {}
    tokens = _expand_group_calls(list(tokenize(line)), distributions, functions, source)
    tokens = [_checked(token, quotes, source, functions, columns) for token in _split(tokens)]
    for before, after in pairwise(tokens):
        if (before.token, after.token) in (("(", ")"), ("[", "]")) and _brackets_only(
            before, after
        ):
            raise FormulaError(
                f"the brackets hold nothing.{pointer(source, before.token + after.token)}"
            )
    if tokens and is_operator(tokens[-1], "~") and tokens[-1].token == "~":
        raise FormulaError(
            f"nothing stands to the right of `~`.{pointer(source, '~')}\n"
            "For an intercept alone write `y ~ 1`."
        )
    _check_zeros(tokens, source)
    minus, one = Token("-", kind="operator"), Token("1", kind="value")
    tokens = list(replace_tokens(tokens, "0", [minus, one], kind=Token.Kind.VALUE))
    tokens = list(merge_operator_tokens(_with_intercepts(tokens), symbols={"+", "-"}))
    return tokens, distributions


def is_operator(token: Token, start: str) -> bool:
    """Whether a token is an operator that starts with some text."""
    return token.kind is Token.Kind.OPERATOR and token.token.startswith(start)


def _brackets_only(*tokens: Token) -> bool:
    return all(token.kind is Token.Kind.CONTEXT for token in tokens)


def _split(tokens: list[Token]) -> list[Token]:
    """Parts `~-` into `~` and `-`, as in `y ~ -1 + x`."""
    out: list[Token] = []
    for token in tokens:
        if is_operator(token, "~") and token.token[1:] and not token.token[1:].strip("+-"):
            out += [Token("~", kind="operator"), Token(token.token[1:], kind="operator")]
        else:
            out.append(token)
    return out


def _checked(
    token: Token,
    quotes: Quotes,
    source: str,
    functions: frozenset[str],
    columns: frozenset[str] | None,
) -> Token:
    """Refuses what is unsafe, and puts the user's names and canonical expressions in place."""
    if token.kind is Token.Kind.PYTHON:
        tree = parse_expression(quotes.restore(token.token), source, functions)
        if isinstance(tree, ast.Name):
            return Token(tree.id, kind="name")
        return Token(spell(tree), kind="python")
    if token.kind is Token.Kind.NAME:
        found = quotes.find(token.token)
        if found is None:
            name = quotes.restore(token.token)
            check_name(name, source, columns)
            return Token(name, kind="name")
        kind, content = found
        if kind != NAME:
            raise FormulaError(
                f"the text {content!r} is not a term.{pointer(source, content)}\n"
                "For a column of that name write it in backticks."
            )
        if content == "1":
            raise FormulaError(
                "a column called `1` cannot be told from the intercept; rename it."
                f"{pointer(source, '`1`')}"
            )
        return Token(content, kind="name")
    if token.token == ".":
        return Token(".", kind="operator")
    return token


def _expand_group_calls(
    tokens: list[Token], distributions: dict[str, str], functions: frozenset[str], source: str
) -> list[Token]:
    """Rewrites `student(1 + x | g)` to `(1 + x | g)` with a bar that remembers `student`."""
    out: list[Token] = []
    for token in tokens:
        call = _GROUP_CALL.match(token.token) if token.kind is Token.Kind.PYTHON else None
        inner = list(tokenize(f"({call.group(2)})")) if call and "|" in call.group(2) else []
        bars = [t for t in inner if t.kind is Token.Kind.OPERATOR and t.token in BARS]
        if call is None or not bars:
            out.append(token)
            continue
        name = call.group(1)
        if "__" in name or keyword.iskeyword(name):
            raise UnsafeFormulaError(
                f"`{name}` is no distribution of group effects.{pointer(source, name)}"
            )
        if name in functions:
            raise FormulaError(
                f"a bar cannot stand inside the function `{name}`.{pointer(source, name)}\n"
                "A group term stands in brackets of its own: (1 + x | g)."
            )
        for part in inner:
            if part in bars:
                symbol = part.token + name
                distributions[symbol] = name
                part = Token(symbol, kind="operator")
            out.append(part)
    return out


def _brackets(tokens: list[Token]) -> tuple[set[int], list[int]]:
    """Returns where right-hand sides and group brackets start, and each token's bracket (or -1)."""
    starts: set[int] = set()
    inside: list[int] = []
    opened: list[int] = []
    for position, token in enumerate(tokens):
        if token.kind is Token.Kind.CONTEXT and token.token in ")]" and opened:
            opened.pop()
        inside.append(opened[-1] if opened else -1)
        if token.kind is Token.Kind.CONTEXT and token.token in "([":
            opened.append(position)
        elif is_operator(token, "~") and not opened:
            starts.add(position)
        elif is_operator(token, "|") and opened:
            starts.add(opened[-1])
    return starts, inside


def _check_zeros(tokens: list[Token], source: str) -> None:
    """Refuses a `0` or `- 1` that would not remove the intercept, as in `(0 + x) + z` or `0 * x`."""
    starts, inside = _brackets(tokens)
    for i, token in enumerate(tokens):
        zero = token.kind is Token.Kind.VALUE and token.token == "0"
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        one = is_operator(token, "-") and after is not None and after.token == "1"
        if not zero and not one:
            continue
        before = tokens[i - 1] if i else None
        beside = (before, after) if zero else (before,)
        summand = all(
            t is None or t.kind is Token.Kind.CONTEXT or not t.token.strip("~+-|") for t in beside
        )
        if not (inside[i] == -1 or inside[i] in starts) or (zero and not summand):
            text = "0" if zero else "-"
            raise FormulaError(
                "`0` or `- 1`, which leave out the intercept, stand alone among the summands of the "
                f"formula or before a bar, not inside another term.{pointer(source, text)}"
            )


def _with_intercepts(tokens: list[Token]) -> list[Token]:
    """Puts `1 +` at the start of the right-hand side and of each bracket that holds a bar."""
    starts, _ = _brackets(tokens)
    one, plus = Token("1", kind="value"), Token("+", kind="operator")
    out: list[Token] = []
    for position, token in enumerate(tokens):
        out.append(token)
        if position in starts:
            following = tokens[position + 1].token[:1] if position + 1 < len(tokens) else "+"
            out.extend([one] if following in "+-" else [one, plus])
    return out
