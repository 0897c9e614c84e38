"""What an expression in a formula may be: a small, bounded subset of Python's expressions.

Nothing here or elsewhere ever passes a formula to `eval`: the tree that is checked here is walked
by `expressions.evaluate`.
"""

from __future__ import annotations

import ast
import keyword
import unicodedata

from ..errors import FormulaError, UnsafeFormulaError, listing, nearest, pointer, sentences
from .quoting import parse_quietly

MAX_CHARACTERS = 10_000
MAX_DEPTH = 40
MAX_POWER = 16
MAX_NODES = 2_000
MAX_TREE = 100
MAX_NUMBER = 1e300

NAMESPACES = ("np", "contr")
ALLOWED = (
    ast.Expression,
    ast.Call,
    ast.keyword,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Tuple,
    ast.List,
    ast.Attribute,
)
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.FloorDiv)
SIGNS = (ast.UAdd, ast.USub)
MEANT: dict[type[ast.AST], str] = {
    ast.BitXor: "a power is written ** here",
    ast.BitAnd: "conditions are joined by *, as (a > 1) * (b > 1)",
    ast.And: "conditions are joined by *, as (a > 1) * (b > 1)",
}
COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)

_CLOSES = {")": "(", "]": "[", "}": "{"}


def check_source(text: object) -> str:
    """Returns the text of a formula, or raises where it is no text, too long or nested too deeply.

    Raises:
        FormulaError: not a string, empty, over 10,000 characters, unbalanced, or over 40 levels deep.
    """
    if not isinstance(text, str):
        raise FormulaError(f"A formula is a string such as 'y ~ x', not {type(text).__name__}.")
    if not text.strip():
        raise FormulaError("The formula is empty. Write for example 'y ~ x + (1 | group)'.")
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"The formula has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read."
        )
    bad = next((c for c in text if _is_hidden(c)), None)
    if bad is not None:
        raise FormulaError(
            f"The formula holds the invisible character {bad!a} "
            f"({unicodedata.name(bad, 'a control character').lower()}); remove it."
        )
    _check_brackets(text)
    return text


def _is_hidden(character: str) -> bool:
    """Control, bidirectional and other invisible characters, lone surrogates, odd line ends."""
    if character in "\n\r\t":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _check_brackets(text: str) -> None:
    stack: list[tuple[str, int]] = []
    quote = ""
    for position, character in enumerate(text):
        if quote and character not in "\n\r":
            quote = "" if character == quote else quote
        elif quote:
            raise FormulaError(
                f"A quotation mark {quote} is not closed on its line.{pointer(text, quote)}"
            )
        elif character in "'\"`":
            quote = character
        elif character in "([{":
            stack.append((character, position))
            if len(stack) > MAX_DEPTH:
                raise FormulaError(f"The formula nests brackets more than {MAX_DEPTH} deep.")
        elif character in _CLOSES and (not stack or stack.pop()[0] != _CLOSES[character]):
            raise FormulaError(
                f"`{character}` closes no bracket.{pointer(text, character, position)}"
            )
    if quote:
        raise FormulaError(f"A quotation mark {quote} is never closed.{pointer(text, quote)}")
    if stack:
        raise FormulaError(
            f"`{stack[-1][0]}` is never closed.{pointer(text, stack[-1][0], stack[-1][1])}"
        )


def check_name(name: str, source: str, columns: frozenset[str] | None = None) -> None:
    """Refuses a bare name that looks like an attribute or a private name of Python.

    Raises:
        UnsafeFormulaError: the name holds a dot or a double underscore and is no column.
    """
    if columns is not None and name in columns:
        return
    if keyword.iskeyword(name):
        raise UnsafeFormulaError(
            f"`{name}` is a word of Python and no column.{pointer(source, name)}"
        )
    if "__" in name or "." in name:
        raise UnsafeFormulaError(
            f"`{name}` reads an attribute; a formula may only name columns."
            f"{pointer(source, name)}\nFor a column of that name write it in backticks."
        )
    if not name.isidentifier():
        raise FormulaError(
            f"`{name}` is neither a number nor a name.{pointer(source, name)}\n"
            "For a column of that name write it in backticks."
        )


def parse_expression(text: str, source: str, functions: frozenset[str]) -> ast.expr:
    """Parses an expression and refuses everything that is not arithmetic, a column or a known call.

    Args:
        text: the expression, with odd column names in backticks.
        source: the whole formula, for the message.
        functions: names of the functions that may be called.

    Returns:
        The tree; the `id` of a name is the column's name, without backticks.

    Raises:
        FormulaError: the expression is not well-formed, or calls an unknown function.
        UnsafeFormulaError: it holds anything else than the allowed kinds of node.
    """
    check_source(text)
    tree = parse_quietly(text, source)
    nodes: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(MAX_TREE):
        nodes.extend(level)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            break
    if level or len(nodes) > MAX_NODES:
        raise FormulaError(
            f"an expression of the formula is nested more than {MAX_TREE} deep or has more than "
            f"{MAX_NODES:,} parts.{pointer(source, text)}"
        )
    callees = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        _check_node(node, text, source, functions)
        if isinstance(node, ast.Attribute) and id(node) not in callees:
            _check_bare_attribute(node, text, source)
    return tree


def _check_node(node: ast.AST, text: str, source: str, functions: frozenset[str]) -> None:
    if isinstance(node, ast.operator):
        allowed = isinstance(node, OPERATORS)
    elif isinstance(node, ast.unaryop):
        allowed = isinstance(node, SIGNS)
    elif isinstance(node, ast.cmpop):
        allowed = isinstance(node, COMPARISONS)
    else:
        allowed = isinstance(node, ALLOWED)
    if not allowed:
        meant = f": {MEANT[type(node)]}" if type(node) in MEANT else ""
        raise UnsafeFormulaError(
            f"`{text}` holds {type(node).__name__}, which is not allowed in a formula{meant}."
            f"{pointer(source, text)}\nAllowed: arithmetic, comparisons, columns, known functions."
        )
    if isinstance(node, ast.Attribute):
        inside = isinstance(node.value, ast.Name) and node.value.id in NAMESPACES
        if not inside or node.attr.startswith("_"):
            raise UnsafeFormulaError(
                f"`{ast.unparse(node)}` reads an attribute, which a formula never does."
                f"{pointer(source, text)}"
            )
        _check_function(ast.unparse(node), source, functions)
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name | ast.Attribute):
            raise UnsafeFormulaError(
                f"`{text}` calls something that is not a function's name.{pointer(source, text)}"
            )
        if any(word.arg is None for word in node.keywords):
            raise UnsafeFormulaError(
                f"`**` cannot unpack arguments in a formula.{pointer(source, text)}"
            )
        if isinstance(node.func, ast.Name):
            _check_function(node.func.id, source, functions)
    elif isinstance(node, ast.Constant):
        _check_constant(node.value, text, source)
    elif isinstance(node, ast.BinOp | ast.UnaryOp):
        _check_operands(node, text, source)
    elif isinstance(node, ast.Compare) and len(node.ops) > 1:
        raise FormulaError(
            f"a comparison has two sides; write ({ast.unparse(node.left)} < ...) * (... < ...)."
            f"{pointer(source, text)}"
        )


def _check_bare_attribute(node: ast.Attribute, text: str, source: str) -> None:
    """`contr.sum` may stand without brackets, `np.log` may not."""
    if ast.unparse(node.value) != "contr":
        raise UnsafeFormulaError(
            f"`{ast.unparse(node)}` is a function and needs arguments.{pointer(source, text)}"
        )


def _check_function(name: str, source: str, functions: frozenset[str]) -> None:
    if name not in functions:
        raise UnsafeFormulaError(
            f"there is no function `{name}` in formulas.{pointer(source, name)}\n"
            + sentences(
                nearest(name, functions),
                f"Known: {listing(sorted(functions), 60)}.",
                "More may be given with Model(..., functions={...}).",
            )
        )


def _check_constant(value: object, text: str, source: str) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float) and abs(value) <= MAX_NUMBER:
        return
    if isinstance(value, str) and len(value) <= 1_000:
        return
    raise UnsafeFormulaError(
        f"`{text}` holds a value that a formula cannot use.{pointer(source, text)}"
    )


def _check_operands(node: ast.BinOp | ast.UnaryOp, text: str, source: str) -> None:
    sides = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
    for side in sides:
        number = not isinstance(side, ast.Constant) or isinstance(side.value, int | float)
        if not number or isinstance(side, ast.Tuple | ast.List):
            raise UnsafeFormulaError(
                f"arithmetic in `{text}` needs numbers, not `{ast.unparse(side)}`."
                f"{pointer(source, text)}"
            )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        _check_power(node, text, source)


def _check_power(node: ast.BinOp, text: str, source: str) -> None:
    exponent = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    value = exponent.value if isinstance(exponent, ast.Constant) else None
    nested = any(
        isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) for n in ast.walk(node.left)
    )
    if not isinstance(value, int | float) or abs(value) > MAX_POWER or nested:
        raise UnsafeFormulaError(
            f"a power in `{text}` needs a constant exponent of at most {MAX_POWER}, not nested."
            f"{pointer(source, text)}"
        )
