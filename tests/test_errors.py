"""Whatever a user does wrong, the error is ours, and says what, where, and what would be right."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo import errors

ROWS = [
    line.rsplit(" => ", 1)
    for line in Path(__file__).with_name("bad_input.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


@functools.cache
def _table():
    rng = np.random.default_rng(0)
    n = 24
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            "g": np.repeat(list("abcdef"), 4),
            "h": np.tile(["p", "q"], 12),
            "pos": rng.gamma(2.0, 1.0, n),
            "n": 2 + rng.poisson(3.0, n),
            "k": rng.integers(1, 4, n),
            "m": rng.integers(5, 9, n),
        }
    )


@functools.cache
def _faulty():
    table = _table()
    x = table["x"]
    return table.assign(
        empty=np.nan,
        rare=x.where(table["g"] == "a"),
        inf=x.where(table.index != 3, np.inf),
        neg=-table["pos"],
        zero=0.0,
        minus=-1,
        const=1.0,
        one="a",
        twice=2 * x + 1,
        when=pd.date_range("2020", periods=24),
        text=[f"{value:.2f}" for value in x],
        three=np.tile(list("pqr"), 8),
        row=[f"r{i}" for i in range(24)],
        lists=[[1, 2]] * 24,
        complex=x + 1j,
    )


@functools.cache
def _model():
    return bz.Model("y ~ x + h + (1 | g)", _table())


@functools.cache
def _fit():
    return _model().fit("map", progress=False)


def _row(call, expected):
    marks = [pytest.mark.xfail(strict=True)] * call.startswith("? ")
    return pytest.param(call.removeprefix("? "), expected, marks=marks, id=call)


@pytest.mark.parametrize(("call", "expected"), [_row(*row) for row in ROWS])
def test_wrong_input_is_answered_by_an_error_of_ours(call, expected):
    kind, words = expected.split(": ", 1)
    known = {"M": bz.Model, "D": _table(), "U": _faulty(), "bz": bz, "np": np, "pd": pd}
    with pytest.raises(bz.BayeszooError) as caught:
        eval(call, known | {"model": _model, "fit": _fit})
    message = str(caught.value)
    assert caught.type.__name__ == kind, message
    assert all(word.strip() in message for word in words.split("; ")), message
    assert "\x1b" not in message and "object at 0x" not in message


def test_there_are_enough_rows():
    assert len(ROWS) > 150
    assert len({call for call, _ in ROWS}) == len(ROWS)


def test_every_error_derives_from_ours_and_a_builtin():
    kinds = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Exception)]
    assert len(kinds) > 8
    for kind in kinds:
        assert issubclass(kind, bz.BayeszooError)
        builtin = (ValueError, TypeError, RuntimeError, OSError)
        assert kind is bz.BayeszooError or issubclass(kind, builtin)


@pytest.mark.parametrize(
    ("source", "fragment", "line", "carets"),
    [
        ("y ~ x2 + x", "x", "y ~ x2 + x", (9, 1)),
        ("y ~ exp(x)", "x", "y ~ exp(x)", (8, 1)),
        ("y ~ poly(x,2)", "poly(x, 2)", "y ~ poly(x,2)", (4, 9)),
        ('y ~ C(g, "a")', "C(g, 'a')", 'y ~ C(g, "a")', (4, 9)),
        ("y ~ x\nsigma ~ zz", "zz", "sigma ~ zz", (8, 2)),
        ("y ~ `a b`", "a b", "y ~ `a b`", (5, 3)),
    ],
)
def test_pointer_shows_the_place(source, fragment, line, carets):
    start, length = carets
    assert errors.pointer(source, fragment) == f"\n  {line}\n  {' ' * start}{'^' * length}"


def test_pointer_without_a_place_shows_the_source():
    assert errors.pointer("y ~ x", "nowhere") == "\n  y ~ x"
    long = "y ~ " + " + ".join(f"column_{i}" for i in range(200))
    shown = errors.pointer(long, "column_150").splitlines()
    assert max(map(len, shown)) <= 162
    assert shown[1][shown[2].index("^") :].startswith("column_150")


def test_helpers():
    assert errors.nearest("contrst", ["contrast", "mouse"]) == " Nearest: `contrast`."
    assert errors.nearest("q", ["contrast"]) == ""
    assert errors.listing(range(30), 3) == "0, 1, 2, ... (30 in all)"
    assert errors.offenders([3, 7, 9, 11], np.array([-0.12, 0.5, 2, 3])).count("row") == 3
    assert errors.sentences("", " A. ", "B.") == "A. B."
