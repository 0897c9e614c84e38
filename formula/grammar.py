"""Text -> Formula: formulaic's tokens and operators, extended with group bars and several lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser, DefaultOperatorResolver
from formulaic.parser.algos.tokens_to_ast import tokens_to_ast
from formulaic.parser.types import ASTNode, Operator, OrderedSet, Token
from formulaic.parser.types import Factor as ParsedFactor
from formulaic.parser.types import Term as ParsedTerm

from ..errors import FormulaError, pointer
from .bounds import check_bars, check_size
from .quoting import Quotes, mask, names_in
from .safety import check_source, parse_expression
from .terms import MEAN, Factor, Formula, GroupTerm, Predictor, Term
from .tokens import BARS, is_operator, read_tokens

_COLOUR = re.compile("\x1b\\[[0-9;]*m|[⧛⧚]")


@dataclass(frozen=True)
class Vocabulary:
    """What a formula may name.

    Attributes:
        functions: name of every function -> its role (`column`, `offset`, `response` or `basis`).
        columns: the columns of the data, where they are known; `.` stands for those not yet used.
    """

    functions: Mapping[str, str]
    columns: tuple[str, ...] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of the functions."""
        return frozenset(self.functions)


def parse(text: str, vocabulary: Vocabulary) -> Formula:
    r"""Parses a formula, which may have one line for each modelled parameter of the family.

    Args:
        text: for example `"y ~ x + (1 + x | g)"`, or `"y ~ x\nsigma ~ stim"`.
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
    functions = frozenset(vocabulary.functions.items())
    return _parse(check_source(text), functions, vocabulary.columns)


@lru_cache(maxsize=256)  # many data sets are fitted by one formula
def _parse(
    text: str, functions: frozenset[tuple[str, str]], columns: tuple[str, ...] | None
) -> Formula:
    vocabulary = Vocabulary(dict(functions), columns)
    masked, quotes = mask(text, text)
    first, *rest = _lines(masked)
    response, mean = _parse_line(first, quotes, text, vocabulary, MEAN)
    predictors = [mean]
    for line in rest:
        left, predictor = _parse_line(line, quotes, text, vocabulary, None)
        predictors.append(predictor)
        names = [p.parameter for p in predictors]
        if not left.lookup or names.count(predictor.parameter) > 1 or predictor.parameter == MEAN:
            raise FormulaError(
                f"`{left.expression}` cannot start a further line; each further line models one "
                f"parameter of the family, once, such as `sigma ~ x`."
                f"{pointer(text, left.expression)}"
            )
    _refuse_response_on_the_right(response, tuple(predictors), text, vocabulary)
    return Formula(text=text.strip(), response=response, predictors=tuple(predictors))


def _lines(text: str) -> list[str]:
    """Splits a formula into its lines; a line with no `~` of its own continues the one before."""
    lines: list[str] = []
    for raw in text.splitlines():
        if not raw.strip():
            continue
        tail = raw.lstrip().startswith("~") and lines and "~" not in lines[-1]
        if lines and ("~" not in raw or tail):
            lines[-1] += " " + raw
        else:
            lines.append(raw)
    return lines


def _parse_line(
    line: str, quotes: Quotes, source: str, vocabulary: Vocabulary, parameter: str | None
) -> tuple[Factor, Predictor]:
    shown = quotes.restore(line).strip()
    columns = None if vocabulary.columns is None else frozenset(vocabulary.columns)
    try:
        tokens, distributions = read_tokens(line, quotes, source, vocabulary.names, columns)
        resolver = GroupOperatorResolver(distributions=dict(distributions))
        tree = tokens_to_ast(tokens, resolver)
        if (
            not isinstance(tree, ASTNode)
            or tree.operator.symbol != "~"
            or len(list(tree.args)) != 2
        ):
            raise FormulaError(
                f"a formula has the form `response ~ terms`.{pointer(source, shown)}"
            )
        check_bars(tree, source)
        check_size(tree, source)
        left, right = (_terms(side, vocabulary, tokens) for side in tree.args)
    except FormulaicError as error:
        message = _COLOUR.sub("", str(error)).strip().splitlines()[0].rstrip(".")
        raise FormulaError(f"{quotes.restore(message)}.{pointer(source, shown)}") from None
    if len(left) != 1 or len(left[0].factors) != 1 or _is_literal(left[0].factors[0]):
        raise FormulaError(
            "the left side of `~` names one response, such as `y`, `log(y)` or `prop(k, n)`."
            f"{pointer(source, shown)}"
        )
    response = _factor(left[0].factors[0])
    if _role(response, vocabulary, source) == "offset":
        raise FormulaError(
            f"`{response.expression}` cannot be the response; an offset stands to the right of `~`."
            f"{pointer(source, response.expression)}"
        )
    return response, _predictor(parameter or response.expression, right, source, vocabulary)


def _terms(side: Any, vocabulary: Vocabulary, tokens: list[Token]) -> list[ParsedTerm]:
    left = tokens[: next(i for i, t in enumerate(tokens) if is_operator(t, "~"))]
    used = {t.token for t in left if t.kind is Token.Kind.NAME}
    used |= {name for t in left if t.kind is Token.Kind.PYTHON for name in names_in(t.token)}
    bar_follows = False
    for token in tokens:  # a grouping factor is not among the terms that `.` stands for
        bar_follows = (bar_follows or is_operator(token, "|")) and token.token != ")"
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
        roles = {_role(factor, vocabulary, source) for factor in converted.factors}
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
            if _role(factor, vocabulary, source) != "column":
                raise FormulaError(
                    f"`{factor.expression}` cannot vary by group in `{group}`."
                    f"{pointer(source, factor.expression)}"
                )
    return Predictor(parameter, _ordered(common), tuple(groups), tuple(offsets))


def _ordered(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Each term once (`x * 1` is `x` twice), main effects first."""
    return tuple(sorted(dict.fromkeys(terms), key=lambda term: len(term.factors)))


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


def _role(factor: Factor, vocabulary: Vocabulary, source: str) -> str:
    """The role of the outermost function; offsets and responses stand in no other function."""
    if factor.lookup:
        return "column"
    tree = parse_expression(factor.expression, source, vocabulary.names)
    roles = {
        id(node): vocabulary.functions[ast.unparse(node.func)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    outer = roles.pop(id(tree), "column")
    if outer == "basis":
        raise FormulaError(
            f"the basis `{factor.expression}` stands inside conv() or tuning(), such as "
            f"conv(x, {factor.expression}).{pointer(source, factor.expression)}"
        )
    inner = set(roles.values()) - {"column", "basis", outer if outer == "response" else "column"}
    if inner:
        raise FormulaError(
            f"`{factor.expression}` holds a function inside another that only stands alone, such "
            f"as offset() or prop().{pointer(source, factor.expression)}"
        )
    return outer


def _refuse_response_on_the_right(
    response: Factor, predictors: tuple[Predictor, ...], source: str, vocabulary: Vocabulary
) -> None:
    for predictor in predictors:
        groups = [term.factors for group in predictor.groups for term in group.effects]
        groups += [group.by for group in predictor.groups]
        for factors in (*(term.factors for term in predictor.common), *groups):
            if response in factors:
                at = source.rfind(response.expression)
                raise FormulaError(
                    f"`{response.expression}` is the response and cannot also be a term on the "
                    f"right.{pointer(source, response.expression, at)}"
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
                effects=_ordered(_term(term, f"({effects} | {by!r})") for term in effects),
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
