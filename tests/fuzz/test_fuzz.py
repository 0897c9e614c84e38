"""A small, always equal sample of `make fuzz`; and the guard catches what it is there to catch."""

import threading
import warnings

import numpy as np
import pytest
from fuzzing import guard
from fuzzing.columns import KINDS, Column
from fuzzing.part import Unchanged
from fuzzing.parts import PARTS
from fuzzing.tables import Recipe, build, fingerprint
from hypothesis import HealthCheck, Phase, given, settings

import bayeszoo as bz

SHARES = {
    "text to formula": 300,
    "model, design, priors": 80,
    "fits": 6,
    "questions to fits": 25,
    "charts": 10,
    "comparisons, many fits": 15,
    "command line": 12,
    "studies, priors, data": 20,
}


def _quick(case):
    """Whether a question is asked of a fit that is made in a moment."""
    slow = ("laplace", "nuts", "conv", "wide", "prop", "spline", "drawn", "twin", "rates", "spread")
    if not isinstance(case, dict):
        return True
    if case.get("what") == "fit_many":
        return case.get("method", "ols") == "ols"
    return not {case.get("fit"), *case.get("fits", ())} & set(slow)


@pytest.mark.parametrize("name", list(PARTS))
def test_every_case_is_accepted_or_refused_in_words(name):
    part = PARTS[name]
    guard.watch()

    @settings(
        max_examples=SHARES[name],
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(part.cases.filter(_quick))
    def body(case):
        found = guard.run(lambda: part.run(case), repr(case))
        assert found.kind != "fault", (found.place, found.text, case)

    body()


def _foreign():
    raise bz.BayeszooError("it failed: unsupported operand type(s)")


def _hostile():
    eval("fuzz_canary", {"fuzz_canary": 3})


def _changes():
    table = build(Recipe((Column("x"),)))
    with Unchanged(table):
        table.loc[3, "x"] = 7.0


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: warnings.warn("loud", RuntimeWarning, stacklevel=2), "RuntimeWarning"),
        (lambda: np.log(np.zeros(2)), "RuntimeWarning"),
        (lambda: (_ for _ in ()).throw(bz.BayeszooError("")), "message of 0 characters"),
        (_foreign, "foreign words `unsupported operand`"),
        (_hostile, "code was run: exec"),
        (_changes, "Wrong"),
    ],
)
def test_the_guard_catches(call, place):
    guard.watch()
    found = guard.run(call)
    assert found.kind == "fault" and place in found.place


def test_the_guard_stops_what_hangs(monkeypatch):
    monkeypatch.setattr(guard, "ALARM", 1)

    monkeypatch.setattr(guard, "STARVED", 2)

    def hang():
        while True:
            pass

    def wait():
        threading.Event().wait()

    assert guard.run(hang).place.startswith("Hang")
    assert guard.run(wait).place.startswith("Hang")


@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_every_kind_are_built_and_told_apart(kind):
    recipe = Recipe((Column("x", kind), Column("y")), rows=6)
    table = build(recipe)
    assert fingerprint(table) == fingerprint(table)
    assert fingerprint(table) != fingerprint(build(Recipe(recipe.columns, 7)))
    assert eval(repr(recipe), {"Recipe": Recipe, "Column": Column}) == recipe
