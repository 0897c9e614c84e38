"""Text -> Formula: formulaic's tokens and operators, extended with group bars and several lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser, DefaultOperatorResolver
from formulaic.parser.algos.sanitize_tokens import sanitize_tokens
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.algos.tokens_to_ast import tokens_to_ast
from formulaic.parser.types import ASTNode, Operator, OrderedSet, Token
from formulaic.parser.types import Factor as ParsedFactor
from formulaic.parser.types import Term as ParsedTerm
from formulaic.parser.utils import merge_operator_tokens, replace_tokens

from ..errors import FormulaError, pointer
from .bounds import check_bars, check_size
from .safety import check_name, check_source, parse_expression
from .terms import MEAN, Factor, Formula, GroupTerm, Predictor, Term

BARS = ("|", "||")
_GROUP_CALL = re.compile(r"^([A-Za-z_]\w*)\s*\((.*)\)$", re.DOTALL)
_COLOUR = re.compile("\x1b\\[[0-9;]*m|[⧛⧚]")


@dataclass(frozen=True)
class Vocabulary:
    """What a formula may name.

    Attributes:
        functions: name of every function -> its role (`column`, `offset` or `response`).
        columns: the columns of the data, where they are known; `.` stands for those not yet used.
    """

    functions: Mapping[str, str]
    columns: tuple[str, ...] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of the functions."""
        return frozenset(self.functions)


def parse(text: str, vocabulary: Vocabulary) -> Formula:
    """Parses a formula, which may have one line for each modelled parameter of the family.

    Args:
        text: for example `"y ~ x + (1 + x | g)"`, or `"y ~ x\\nsigma ~ stim"`.
        vocabulary: the functions that may be called and, where known, the columns.

    Returns:
        The formula as a value, without data.

    Raises:
        FormulaError: the text is not a formula; the message points at the place.
        UnsafeFormulaError: it holds anything else than columns, arithmetic and known functions.

    Example:
        >>> parse("y ~ x + (1 | g)", Vocabulary({})).predictors[0].groups[0].group
        'g'
    """
    first, *rest = _lines(check_source(text))
    response, mean = _parse_line(first, text, vocabulary, MEAN)
    predictors = [mean]
    for line in rest:
        left, predictor = _parse_line(line, text, vocabulary, None)
        predictors.append(predictor)
        names = [p.parameter for p in predictors]
        if not left.lookup or names.count(predictor.parameter) > 1 or predictor.parameter == MEAN:
            raise FormulaError(
                f"`{left.expression}` cannot start a further line; each further line models one "
                f"parameter of the family, once, such as `sigma ~ x`.{pointer(text, line.strip())}"
            )
    _refuse_response_on_the_right(response, tuple(predictors), text, vocabulary)
    return Formula(text=text.strip(), response=response, predictors=tuple(predictors))


def _lines(text: str) -> list[str]:
    """Splits a formula into its lines; a line without `~` continues the one before."""
    lines: list[str] = []
    for raw in text.splitlines():
        if not raw.strip():
            continue
        if lines and "~" not in raw:
            lines[-1] += " " + raw
        else:
            lines.append(raw)
    return lines


def _parse_line(
    line: str, source: str, vocabulary: Vocabulary, parameter: str | None
) -> tuple[Factor, Predictor]:
    resolver = GroupOperatorResolver()
    try:
        tokens = _tokens(line, source, vocabulary, resolver)
        tree = tokens_to_ast(tokens, resolver)
        if not isinstance(tree, ASTNode) or tree.operator.symbol != "~" or len(tree.args) != 2:
            raise FormulaError(
                f"a formula has the form `response ~ terms`.{pointer(source, line.strip())}"
            )
        check_bars(tree, source)
        check_size(tree, source)
        left, right = (_terms(side, vocabulary, tokens) for side in tree.args)
    except FormulaicError as error:
        message = _COLOUR.sub("", str(error)).strip().splitlines()[0].rstrip(".")
        raise FormulaError(f"{message}.{pointer(source, line.strip())}") from None
    if len(left) != 1 or len(left[0].factors) != 1 or _is_literal(left[0].factors[0]):
        raise FormulaError(
            "the left side of `~` names one response, such as `y`, `log(y)` or `prop(k, n)`."
            f"{pointer(source, line.strip())}"
        )
    response = _factor(left[0].factors[0])
    return response, _predictor(parameter or response.expression, right, source, vocabulary)


def _tokens(
    line: str, source: str, vocabulary: Vocabulary, resolver: GroupOperatorResolver
) -> list[Token]:
    tokens = _expand_group_calls(list(tokenize(line)), resolver)
    columns = None if vocabulary.columns is None else frozenset(vocabulary.columns)
    for token in tokens:
        if token.kind is Token.Kind.PYTHON:
            parse_expression(token.token, source, vocabulary.names)
        elif token.kind is Token.Kind.NAME and token.token not in (".", "in"):
            start = token.source_start or 0
            if (token.source or "")[start : start + 1] != "`":
                check_name(token.token, source, columns)
    minus, one = Token("-", kind="operator"), Token("1", kind="value")
    tokens = list(replace_tokens(sanitize_tokens(tokens), "0", [minus, one], kind=Token.Kind.VALUE))
    return list(merge_operator_tokens(_with_intercepts(tokens), symbols={"+", "-"}))


def _expand_group_calls(tokens: list[Token], resolver: GroupOperatorResolver) -> list[Token]:
    """Rewrites `student(1 + x | g)` to `(1 + x | g)` with a bar that remembers `student`."""
    out: list[Token] = []
    for token in tokens:
        call = _GROUP_CALL.match(token.token) if token.kind is Token.Kind.PYTHON else None
        inner = list(tokenize(f"({call.group(2)})")) if call and "|" in call.group(2) else []
        bars = [t for t in inner if t.kind is Token.Kind.OPERATOR and t.token in BARS]
        if call is None or not bars:
            out.append(token)
            continue
        for part in inner:
            if part in bars:
                symbol = part.token + call.group(1)
                resolver.distributions[symbol] = call.group(1)
                part = Token(symbol, kind="operator")
            out.append(part)
    return out


def _with_intercepts(tokens: list[Token]) -> list[Token]:
    """Puts `1 +` at the start of the right-hand side and of each bracket that holds a bar."""
    starts: set[int] = set()
    open_brackets: list[int] = []
    for position, token in enumerate(tokens):
        if token.kind is Token.Kind.CONTEXT:
            if token.token in "([":
                open_brackets.append(position)
            elif open_brackets:
                open_brackets.pop()
        elif token.kind is Token.Kind.OPERATOR:
            if token.token.startswith("~") and not open_brackets:
                starts.add(position)
            elif token.token.startswith("|") and open_brackets:
                starts.add(open_brackets[-1])
    one, plus = Token("1", kind="value"), Token("+", kind="operator")
    out: list[Token] = []
    for position, token in enumerate(tokens):
        out.append(token)
        if position in starts:
            following = tokens[position + 1].token[:1] if position + 1 < len(tokens) else "+"
            out.extend([one] if following in "+-" else [one, plus])
    return out


def _terms(side: Any, vocabulary: Vocabulary, tokens: list[Token]) -> list[ParsedTerm]:
    left = tokens[: next(i for i, t in enumerate(tokens) if t.token.startswith("~"))]
    used = {name for token in left for name in _names(token.token)}
    bar_follows = False
    for token in tokens:  # a grouping factor is not among the terms that `.` stands for
        bar_follows = (bar_follows or token.token.startswith("|")) and token.token != ")"
        if bar_follows:
            used.add(token.token)
    context: dict[str, Any] = {"__formulaic_variables_used_lhs__": used}
    if vocabulary.columns is not None:
        context["__formulaic_variables_available__"] = vocabulary.columns
    return list(side.to_terms(context=context) if isinstance(side, ASTNode) else side.to_terms())


def _predictor(
    parameter: str, terms: list[ParsedTerm], source: str, vocabulary: Vocabulary
) -> Predictor:
    common: list[Term] = []
    groups: list[GroupTerm] = []
    offsets: list[Factor] = []
    for term in terms:
        if "group" in term.factors[0].metadata:
            groups.append(term.factors[0].metadata["group"])
            continue
        converted = _term(term, source)
        roles = {_role(factor, vocabulary) for factor in converted.factors}
        if "response" in roles:
            raise FormulaError(
                f"`{converted.name}` describes a response; write it to the left of `~`."
                f"{pointer(source, converted.name)}"
            )
        if "offset" in roles and len(converted.factors) > 1:
            raise FormulaError(
                f"an offset stands alone, but `{converted.name}` multiplies it."
                f"{pointer(source, converted.name)}"
            )
        (offsets if "offset" in roles else common).append(
            converted.factors[0] if "offset" in roles else converted  # type: ignore[arg-type]
        )
    for group in groups:
        for factor in (f for effect in group.effects for f in effect.factors):
            if _role(factor, vocabulary) != "column":
                raise FormulaError(f"`{factor.expression}` cannot vary by group in `{group}`.")
    common.sort(key=lambda term: len(term.factors))
    return Predictor(parameter, tuple(common), tuple(groups), tuple(offsets))


def _is_literal(factor: ParsedFactor) -> bool:
    return factor.eval_method is ParsedFactor.EvalMethod.LITERAL


def _factor(factor: ParsedFactor) -> Factor:
    return Factor(factor.expr, lookup=factor.eval_method is ParsedFactor.EvalMethod.LOOKUP)


def _term(term: ParsedTerm, source: str) -> Term:
    factors = []
    for factor in term.factors:
        if not _is_literal(factor):
            factors.append(_factor(factor))
        elif factor.expr != "1":
            raise FormulaError(
                f"the number {factor.expr} is not a term; only 0 and 1 are."
                f"{pointer(source, factor.expr)}\nTo scale a column write I({factor.expr} * x)."
            )
    return Term(tuple(factors))


def _role(factor: Factor, vocabulary: Vocabulary) -> str:
    if factor.lookup:
        return "column"
    name = factor.expression.split("(", 1)[0]
    return vocabulary.functions.get(name, "column")


def _names(expression: str) -> set[str]:
    """The columns that an expression reads."""
    quoted = set(re.findall(r"`([^`]+)`", expression))
    try:
        tree = ast.parse(re.sub(r"`[^`]+`", "quoted", expression).strip(), mode="eval")
    except (SyntaxError, ValueError):
        return {expression}
    callees = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    plain = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in callees}
    return (plain - {"quoted", "np", "contr"}) | quoted


def _refuse_response_on_the_right(
    response: Factor, predictors: tuple[Predictor, ...], source: str, vocabulary: Vocabulary
) -> None:
    for predictor in predictors:
        groups = [term for group in predictor.groups for term in group.effects]
        for term in (*predictor.common, *groups):
            for factor in term.factors:
                if factor == response:
                    raise FormulaError(
                        f"`{response.expression}` is the response and cannot also be a term on the "
                        f"right.{pointer(source, response.expression, source.rfind(factor.expression))}"
                    )


def _group_operator(symbol: str, correlated: bool, distribution: str) -> Operator:
    def to_terms(effects: OrderedSet[ParsedTerm], groups: OrderedSet[ParsedTerm]) -> Any:
        out = []
        for by in groups:  # g/h is already expanded to g + g:h
            if not all(f.eval_method is ParsedFactor.EvalMethod.LOOKUP for f in by.factors):
                raise FormulaicError(
                    f"the grouping factor `{by!r}` is not a column; compute it as a column first"
                )
            group = GroupTerm(
                effects=tuple(
                    sorted(
                        (_term(term, f"({effects} | {by!r})") for term in effects),
                        key=lambda term: len(term.factors),
                    )
                ),
                by=tuple(_factor(factor) for factor in by.factors),
                correlated=correlated,
                distribution=distribution,
            )
            if not group.effects:
                raise FormulaicError(f"no effect is left before the bar in `(... {symbol} {by!r})`")
            factor = ParsedFactor(str(group), eval_method="python", metadata={"group": group})
            out.append(ParsedTerm([factor]))
        return OrderedSet(out)

    return Operator(
        symbol,
        arity=2,
        precedence=-50,
        associativity=None,
        to_terms=to_terms,
        accepts_context=lambda context: (
            bool(context) and isinstance(context[-1], Token) and context[-1].token == "("
        ),
        structural=True,
    )


@dataclass
class GroupOperatorResolver(DefaultOperatorResolver):
    """formulaic's operators, with `|` and `||` for group terms instead of its multi-part bar."""

    feature_flags: Any = DefaultFormulaParser.FeatureFlags.TWOSIDED
    distributions: dict[str, str] = field(default_factory=dict)

    def resolve(self, token: Token) -> Any:
        """Yields the operators that a token may stand for."""
        symbol = token.token
        if symbol.startswith("|") or symbol in self.distributions:
            distribution = self.distributions.get(symbol, "normal")
            bars = symbol.removesuffix(distribution) if symbol in self.distributions else symbol
            if bars not in BARS:
                raise FormulaError(f"`{symbol}` is not an operator of formulas; `|` and `||` are.")
            return [(token, [_group_operator(symbol, bars == "|", distribution)])]
        return super().resolve(token)
