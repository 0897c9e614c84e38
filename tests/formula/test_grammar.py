"""What formulas mean: a table of them, and laws over random ones."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from bayeszoo.errors import BayeszooError, FormulaError
from bayeszoo.formula import TRANSFORMS, Vocabulary, parse

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
VOCABULARY = Vocabulary(ROLES)
WITH_COLUMNS = Vocabulary(ROLES, ("y", "x", "z", "g", "h", "a b"))
TABLE = [
    tuple(line.split(" -> "))
    for line in Path(__file__).with_name("formulas.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
quiet = settings(derandomize=True, deadline=None, max_examples=200)


def _terms(terms):
    """Term names with the factors of an interaction in sorted order."""
    return [":".join(sorted(f.expression for f in term.factors)) or "1" for term in terms]


def _shown(formula):
    lines = []
    for predictor in formula.predictors:
        first = predictor is formula.predictors[0]
        parts = [
            formula.response.expression if first else predictor.parameter,
            ", ".join(_terms(predictor.common)),
            ", ".join(map(str, predictor.groups)),
            ", ".join(factor.expression for factor in predictor.offsets),
        ]
        while not parts[-1]:
            parts.pop()
        lines.append(" ; ".join(parts))
    return " // ".join(lines)


def _tidy(text):
    lines = [[part.strip() for part in line.split(";")] for line in text.split("//")]
    return " // ".join(" ; ".join(parts if parts[-1] else parts[:-1]) for parts in lines)


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_formula_has_these_terms(text, expected):
    written = text.replace("\\n", "\n").replace("\\r", "\r")
    vocabulary = WITH_COLUMNS if "." in text else VOCABULARY
    formula = parse(written, vocabulary)
    assert _shown(formula) == _tidy(expected)
    assert formula.text == written.strip()
    assert hash(formula) == hash(parse(written, vocabulary))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("y ~ x * (1 | g)", ["group term", "`+`", "^"]),
        ("y ~ x - (1 | g)", ["group term", "`+`"]),
        ("y ~ x:(1 | g)", ["group term", "`+`"]),
        ("(1 | g) ~ x", ["group term"]),
        ("y ~ 1 | g", ["|"]),
        ("y ~ (1 | g + h)", ["one grouping factor", "(1 | g) + (1 | h)"]),
        ("y ~ (1 | log(x))", ["`log(x)`", "not a column"]),
        ("y ~ (1 | 1)", ["not a column"]),
        ("y ~ (0 | g)", ["no effect is left"]),
        ("y ~ log(x | g)", ["bar", "`log`"]),
        ("y ~ (offset(x) | g)", ["`offset(x)`", "vary by group"]),
        ("y ~ x:offset(z)", ["offset", "multiplies"]),
        ("offset(y) ~ x", ["`offset(y)`", "response"]),
        ("y ~ {offset(x) + 1}", ["stands alone"]),
        ("y ~ prop(k, n)", ["response", "left"]),
        ("y ~ x + y", ["`y` is the response", "^"]),
        ("y ~ (1 | y)", ["`y` is the response"]),
        ("y ~ x\nsigma ~ y", ["`y` is the response"]),
        ("log(y) ~ log(y)", ["`log(y)` is the response"]),
        ("y ~ x\nsigma ~ x\nsigma ~ z", ["`sigma`", "once"]),
        ("y ~ x\nmu ~ z", ["`mu`"]),
        ("y ~ 2*x", ["number 2", "I(2 * x)"]),
        ("y ~ (0 + x) + z", ["`0`", "inside another term"]),
        ("y ~ 0*x", ["`0`"]),
        ("y ~ x:0", ["`0`"]),
        ("y ~ (x - 1):z", ["`- 1`"]),
        ("y ~", ["nothing", "y ~ 1"]),
        ("y", ["response ~ terms"]),
        ("y + z ~ x", ["one response"]),
        ("y ~ .", ["context"]),
        ("y ~ plog(x)", ["no function `plog`", "Nearest", "`log"]),
        ("y ~ lambda", ["word of Python"]),
        ("y ~ 1e999", ["neither a number nor a name"]),
        ("", ["empty"]),
        (None, ["NoneType"]),
    ],
)
def test_wrong_formula_says_what_is_wrong(text, words):
    with pytest.raises(FormulaError) as caught:
        parse(text, VOCABULARY)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "quoted" not in message and "\x1b" not in message


_names = st.sampled_from(["x", "z", "w", "`a b`", "log(x)", "poly(z, 2)", "I(x + z)"])
_common = st.recursive(
    _names,
    lambda inner: st.tuples(inner, st.sampled_from(["+", "*", ":", "-"]), inner).map(
        lambda parts: "( {} {} {} )".format(*parts)
    ),
    max_leaves=5,
)
_group = st.builds(
    "{}( {} {} {} )".format,
    st.sampled_from(["", "student"]),
    st.sampled_from(["1", "0 + x", "1 + x", "x * z", "log(x)"]),
    st.sampled_from(["|", "||"]),
    st.sampled_from(["g", "h", "g : h", "g / h", "`a b`"]),
)
_right = st.lists(st.one_of(_common, _group), min_size=1, max_size=4).map(" + ".join)
_formula = st.builds("{} ~ {}".format, st.sampled_from(["y", "sqrt(y)"]), _right)


@quiet
@given(_formula, st.sampled_from(["", " ", "\t", "  ", " \n "]))
def test_white_space_changes_nothing(text, blank):
    formula = parse(text, VOCABULARY)
    spaced = "`a b`".join(part.replace(" ", blank) for part in text.split("`a b`"))
    other = parse(spaced, VOCABULARY)
    assert other.predictors == formula.predictors
    assert other.response == formula.response


@quiet
@given(_right)
def test_no_term_stands_twice_and_printed_groups_mean_the_same(right):
    formula = parse(f"y ~ {right}", VOCABULARY)
    (predictor,) = formula.predictors
    assert len(set(_terms(predictor.common))) == len(predictor.common)
    for group in predictor.groups:
        printed = str(group).replace("a b", "`a b`")
        (again,) = parse(f"y ~ {printed}", VOCABULARY).predictors[0].groups
        assert again == group


def _is_parsed_or_refused(text):
    try:
        parse(text, WITH_COLUMNS)
    except BayeszooError as error:
        assert str(error).strip()


@quiet
@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text):
    _is_parsed_or_refused(text)


@quiet
@given(st.text("yxzg ~+-*/:^()|01.,`'\"{}[]%\\\n_#=<", max_size=30))
def test_any_text_of_formula_characters_is_parsed_or_refused(text):
    _is_parsed_or_refused(text)
    _is_parsed_or_refused("y ~ " + text)
    _is_parsed_or_refused("y ~ I(" + text + ")")


@quiet
@given(_formula, st.data())
def test_a_damaged_formula_is_parsed_or_refused(text, data):
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text("()|~`'\"{}[].0 1\n*\\%", max_size=2))
    _is_parsed_or_refused(text[:at] + put + text[at + cut :])


def test_a_text_is_parsed_once_for_each_vocabulary():
    assert parse("y ~ x + .", WITH_COLUMNS) is parse("y ~ x + .", WITH_COLUMNS)
    other = Vocabulary(ROLES, ("y", "x", "z"))
    assert parse("y ~ .", other) != parse("y ~ .", WITH_COLUMNS)
    with pytest.raises(FormulaError, match="mine"):
        parse("y ~ mine(x)", VOCABULARY)
    mine = Vocabulary({**ROLES, "mine": "column"})
    assert _shown(parse("y ~ mine(x)", mine)) != _shown(parse("y ~ x", mine))
