"""Nothing that a formula or a prior holds is ever run, and nothing hangs."""

import ast
import builtins
import time
from pathlib import Path

import pytest

from bayeszoo.errors import BayeszooError, FormulaError, PriorError, UnsafeFormulaError
from bayeszoo.formula import TRANSFORMS, Vocabulary, learn, parse, read
from bayeszoo.zoo.priors import parse_prior

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
VOCABULARY = Vocabulary(ROLES)
WRITTEN = [
    ast.literal_eval(line)
    for line in Path(__file__).with_name("attacks.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
LARGE = {
    "long": "y ~ " + "x + " * 50_000 + "x",
    "no formula": "x" * 9_000,
    "brackets (": "y ~ " + "(" * 100 + "x" + ")" * 100,
    "brackets [": "y ~ " + "[" * 100 + "x" + "]" * 100,
    "brackets {": "y ~ " + "{" * 100 + "x" + "}" * 100,
    "open brackets": "y ~ " + "(" * 9_000,
    "signs": "y ~ I(" + "-" * 5_000 + "x)",
    "fewer signs": "y ~ I(" + "-" * 300 + "x)",
    "sum": "y ~ I(" + "x+" * 4_000 + "x)",
    "product": "y ~ I(" + "x*" * 400 + "x)",
    "compared": "y ~ I(" + "x<" * 300 + "x)",
    "attributes": "y ~ " + "np." * 2_000 + "log(x)",
    "arguments": "y ~ log(" + "x," * 3_000 + ")",
    "digits": "y ~ I(" + "1" * 5_000 + "*x)",
    "power of digits": "y ~ a**" + "1" * 4_000,
    "crossed": "y ~ " + "*".join(f"x{i}" for i in range(1_000)),
    "nested": "y ~ " + "/".join(f"x{i}" for i in range(1_500)),
    "interaction": "y ~ " + ":".join(f"x{i}" for i in range(1_500)),
    "bars": "y ~ x+" + "|" * 3_000 + "g",
    "tildes": "y" + "~" * 5_000 + "x",
    "dots": "y ~ " + "." * 9_000,
    "quotes": "'" * 9_000,
    "backticks": "`" * 9_000,
    "lines": "y ~ x" + "\nx" * 4_000,
    "same lines": "y ~ x" + "\nsigma ~ x" * 800,
    "groups": "y ~ " + "+".join(f"(1|g{i})" for i in range(1_100)),
}
PRIORS = [
    "__import__('os').system('rm CANARY')",
    "canary()",
    "normal(0, canary())",
    "normal(canary, 1)",
    "normal.__class__",
    "normal.__class__(0, 1)",
    "(lambda: canary())()",
    "normal(0, 10**10**10)",
    "normal(0, 1e999)",
    "normal(0, -1e999)",
    "normal(1j, 1)",
    "normal(True, 1)",
    "normal('0', 1)",
    "normal(*[0, 1])",
    "normal(**{})",
    "normal([i for i in range(9)], 1)",
    "normal(0, 1)(2)",
    "normal(0, 1); canary()",
    "normal(x := 0, 1)",
    "normal(" + "(" * 250 + "0" + ")" * 250 + ", 1)",
    "normal(" + "[" * 90 + "0" + "]" * 90 + ", 1)",
    "normal(0, " + "9" * 900 + ")",
    "normal(" * 100 + ")" * 100,
    "n" * 100_000,
    "normal(0,\x00 1)",
    "nor\u200bmal(0, 1)",
    "",
    " ",
    "normal",
    "0",
]


@pytest.fixture
def canary(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(builtins, "canary", lambda *a, **k: calls.append(a), raising=False)
    monkeypatch.chdir(tmp_path)
    Path("CANARY").write_text("alive")
    yield
    assert not calls
    assert [path.name for path in tmp_path.iterdir()] == ["CANARY"]
    assert Path("CANARY").read_text() == "alive"


def _refused(function, *arguments, kind=BayeszooError):
    started = time.process_time()
    with pytest.raises(kind) as caught:
        function(*arguments)
    assert time.process_time() - started < 2
    assert str(caught.value).strip()
    return caught.value


@pytest.mark.parametrize("text", WRITTEN)
def test_formula_is_refused_by_the_parser(text, canary):
    _refused(parse, text, VOCABULARY, kind=FormulaError)


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE.keys())
def test_large_formula_is_refused_in_time(text, canary):
    error = _refused(parse, text, VOCABULARY, kind=FormulaError)
    assert len(str(error)) < 40_000


@pytest.mark.parametrize("text", PRIORS, ids=lambda text: text[:30])
def test_prior_is_refused(text, canary):
    _refused(parse_prior, text, kind=PriorError)


def test_there_are_enough_attacks():
    assert len(WRITTEN) + len(LARGE) + len(PRIORS) > 200


@pytest.mark.parametrize(
    "text",
    [
        "y ~ " + "+".join(f"x{i}" for i in range(1_500)),
        "y ~ " + "-".join(f"x{i}" for i in range(1_500)),
        "y ~ " + "(x+" * 39 + "x" + ")" * 39,
        "y ~ " + "log(" * 38 + "x" + ")" * 38,
        "y ~ " + "+".join("log(x)" for _ in range(1_200)),
        "y ~ (a + b + c + d + e)^5",
        "y ~ " + " " * 9_000 + "x",
    ],
    ids=lambda text: text[:20],
)
def test_large_but_harmless_formula_is_parsed_in_time(text):
    started = time.process_time()
    parse(text, VOCABULARY)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("text", ["y ~ __import__('os')", "y ~ x.__class__", "y ~ I(x[0])"])
def test_what_is_unsafe_is_called_unsafe(text):
    with pytest.raises(UnsafeFormulaError):
        parse(text, VOCABULARY)


NAMES = ["a.b", "__x__", "a b", "a,b", "a(b)", "x~z", "|", "2", "lambda", "np", "µV", "a:b", "é'"]


@pytest.mark.parametrize("name", NAMES)
def test_backticks_name_any_column(name):
    data = {"y": [1.0, 2.0, 4.0, 3.0], "x": [1.0, 0.0, 2.0, 5.0], name: [2.0, 3.0, 5.0, 7.0]}
    columns = Vocabulary(ROLES, tuple(data))
    for formula in (f"y ~ `{name}` + x", f"y ~ x + I(`{name}` + 1) + exp(`{name}`)"):
        schema, design = learn(parse(formula, columns), read(data))
        assert name in schema.columns
        assert design.predictors["mu"].matrix.shape[0] == 4
    schema, design = learn(parse(f"`{name}` ~ log(x + 1)", columns), read(data))
    assert design.response["y"].tolist() == data[name]


def test_two_quoted_names_that_begin_alike_stay_apart():
    data = {"y": [1.0, 2.0, 4.0], "a b": [1.0, 2.0, 3.0], "a b c": [10.0, 20.0, 40.0]}
    _, design = learn(parse("y ~ I(`a b c` - `a b`)", Vocabulary(ROLES, tuple(data))), read(data))
    assert design.predictors["mu"].matrix[:, 0].tolist() == [9.0, 18.0, 37.0]


def test_levels_with_brackets_can_be_named():
    data = {"y": [1.0, 2.0, 4.0, 3.0], "bin": ["(0, 10]", "(10, 20]", "(0, 10]", "it's"]}
    columns = Vocabulary(ROLES, tuple(data))
    _, design = learn(parse("y ~ I(bin == '(10, 20]')", columns), read(data))
    assert design.predictors["mu"].matrix[:, 0].tolist() == [0.0, 1.0, 0.0, 0.0]
    _, design = learn(parse('y ~ I(bin == "it\'s")', columns), read(data))
    assert design.predictors["mu"].matrix[:, 0].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_a_function_never_writes_to_its_arguments():
    data = {"y": [1.0, 2.0], "x": [1.0, 2.0], "z": [5.0, 6.0]}
    for formula in ("y ~ log(x, z)", "y ~ log(x, out=z)", "y ~ np.sqrt(x, where=z)"):
        with pytest.raises(FormulaError):
            learn(parse(formula, VOCABULARY), read(data))
    assert data["z"] == [5.0, 6.0]
