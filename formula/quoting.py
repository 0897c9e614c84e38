"""Backticked names and quoted texts, which become plain identifiers while a formula is parsed."""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from dataclasses import dataclass

from ..errors import FormulaError, UnsafeFormulaError, pointer

NAME, TEXT = "name", "text"
_QUOTED = re.compile(r"`([^`]*)`|'([^']*)'|\"([^\"]*)\"|(?<!\w)[^\W\d]\w*(?![\w(])")


@dataclass(frozen=True)
class Quotes:
    """What the placeholders of a masked text stand for.

    Attributes:
        stem: placeholders are ` <stem><number>_ `, or `<stem><number>x_` without blanks.
        items: (kind, content) of each placeholder; the kind is a name or a text.
    """

    stem: str
    items: tuple[tuple[str, str], ...]

    def find(self, identifier: str) -> tuple[str, str] | None:
        """Returns what an identifier stands for, or None where it is no placeholder."""
        match = re.fullmatch(rf"{self.stem}(\d+)x?_", identifier)
        return self.items[int(match.group(1))] if match else None

    def restore(self, text: str) -> str:
        """Returns a text with its placeholders, and the blanks around them, spelled out again."""
        pattern = rf" ?{self.stem}(\d+)_ ?|{self.stem}(\d+)x_"
        return re.sub(
            pattern, lambda m: spell_item(*self.items[int(m.group(1) or m.group(2))]), text
        )


def spell_item(kind: str, content: str) -> str:
    """Returns a name, in backticks where it needs them, or a text in quotation marks."""
    if kind == NAME:
        return content if is_plain(content) else f"`{content}`"
    return f"'{content}'" if "'" not in content else f'"{content}"'


def is_plain(name: str) -> bool:
    """Whether a name needs no backticks in an expression."""
    return name.isidentifier() and not keyword.iskeyword(name) and "__" not in name


def mask(text: str, source: str) -> tuple[str, Quotes]:
    """Replaces backticked names, quoted texts and names beyond ASCII by plain identifiers.

    Python would change the latter: it reads the micro sign as the letter mu.

    Args:
        text: a formula or a part of it, with balanced quotation marks.
        source: the whole formula, for the message.

    Raises:
        FormulaError: an empty name, or a text with a backslash.
    """
    stem = "quoted"
    while stem in text:
        stem += "_q"
    items: list[tuple[str, str]] = []

    def placeholder(match: re.Match[str]) -> str:
        whole, content = match.group(), match.group(1)
        if whole[0] == "`":
            if not content or not content.strip():
                raise FormulaError(f"the backticks hold no name.{pointer(source, whole)}")
            items.append((NAME, content))
        elif whole[0] in "'\"":
            if "\\" in whole:
                raise FormulaError(
                    f"a text in a formula cannot hold a backslash.{pointer(source, whole)}"
                )
            items.append((TEXT, whole[1:-1]))
        elif whole.isascii():
            return whole
        else:
            items.append((NAME, whole))
            return f"{stem}{len(items) - 1}x_"
        return f" {stem}{len(items) - 1}_ "

    masked = _QUOTED.sub(placeholder, text)
    return masked, Quotes(stem, tuple(items))


def parse_quietly(text: str, source: str) -> ast.expr:
    """Parses an expression of Python with quoted names; `id` of a name is the column's name.

    Raises:
        FormulaError: it is not well-formed.
        UnsafeFormulaError: a name with a double underscore stands outside backticks.
    """
    masked, quotes = mask(text, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(masked.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(f"`{text}` is not an expression.{pointer(source, text)}") from None
    for node in list(ast.walk(tree)):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                value[:] = [_unmask(item, quotes, text, source) for item in value]
            else:
                setattr(node, field, _unmask(value, quotes, text, source))
    return tree.body


def _unmask(node: object, quotes: Quotes, text: str, source: str) -> object:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and quotes.find(node.func.id):
        raise FormulaError(
            f"`{text}` calls something that is not a function's name.{pointer(source, text)}"
        )
    if isinstance(node, ast.keyword) and node.arg and quotes.find(node.arg):
        raise FormulaError(f"`{text}` is not an expression.{pointer(source, text)}")
    if not isinstance(node, ast.Name):
        return node
    found = quotes.find(node.id)
    if found is None:
        if "__" in node.id:
            raise UnsafeFormulaError(
                f"`{node.id}` is a private name of Python; a formula may only name columns and "
                f"known functions.{pointer(source, node.id)}\n"
                "For a column of that name write it in backticks."
            )
        return node
    kind, content = found
    return ast.Name(content, ast.Load()) if kind == NAME else ast.Constant(content)


def spell(tree: ast.expr) -> str:
    """Returns the canonical text of an expression, names in backticks where they need them."""
    changed: list[tuple[ast.Name | ast.Constant, str]] = []
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and not is_plain(part.id):
            changed.append((part, part.id))
            part.id = f"\ue000{len(changed) - 1}\ue000"
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            changed.append((part, part.value))
            part.value = f"quoted{len(changed) - 1}\n"  # no text of a formula holds a line end
    try:
        text = ast.unparse(tree).replace("\n", " ")
    finally:
        for part, original in changed:
            if isinstance(part, ast.Name):
                part.id = original
            else:
                part.value = original

    def spelled(match: re.Match[str]) -> str:
        part, original = changed[int(match.group(1) or match.group(2))]
        return spell_item(NAME if isinstance(part, ast.Name) else TEXT, original)

    return re.sub("\ue000(\\d+)\ue000|'quoted(\\d+)\\\\n'", spelled, text)


def names_in(expression: str) -> list[str]:
    """Returns the bare names of an expression, without functions, in order of appearance."""
    tree = parse_quietly(expression, expression)
    callees = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    spaces = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return [
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in callees | spaces
    ]


def observed_names(expression: str) -> list[str]:
    """Returns the names of a response that are only observed: y of `measured(y, se)`, but not se."""
    inner = parse_quietly(expression, expression)
    while isinstance(inner, ast.Call) and len(inner.args) > 1:
        inner = inner.args[0]
    inside = names_in(spell(inner))
    every = names_in(expression)
    return [name for name in dict.fromkeys(inside) if every.count(name) == inside.count(name)]
