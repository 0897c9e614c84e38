"""Laws that every function of formulas keeps."""

import inspect
import json

import numpy as np
import pytest

from bayeszoo.errors import BayeszooError
from bayeszoo.formula import BASES, TRANSFORMS, Vocabulary, apply, learn, parse, read
from bayeszoo.formula.values import Transform

UNIQUE = {transform.name: transform for transform in TRANSFORMS.values()}
ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
ROLES |= dict.fromkeys(BASES, "basis")
N = 12
COLUMNS = {
    "y": np.arange(N) % 5 + 1.0,
    "x": np.linspace(0.5, 4.0, N) ** 1.5,
    "n": np.full(N, 7.0),
    "g": np.tile(["a", "b", "c"], 4),
}
CALLS = {
    "C": "C(g)",
    "lag": "lag(x, 2)",
    "poly": "poly(x, 2)",
    "bs": "bs(x, df=4)",
    "cr": "cr(x, df=4)",
    "cc": "cc(x, df=4)",
    "prop": "prop(y, n)",
    "censored": "censored(y, n)",
    "measured": "measured(y, n)",
    "weighted": "weighted(y, n)",
    "conv": "conv(x, raised_cos(3, 4))",
    "lags": "lags(x, 3)",
    "tuning": "tuning(x, bspline(5))",
}
"""How to call those that take more than one column of numbers."""

by_transform = pytest.mark.parametrize("transform", UNIQUE.values(), ids=lambda t: t.name)


def formula_with(transform):
    call = CALLS.get(transform.name, f"{transform.name}(x)")
    if transform.name.startswith("contr."):
        call = f"C(g, {transform.name})"
    if transform.role == "response":
        return f"{call} ~ x"
    return f"y ~ x + {call}" if transform.role == "offset" else f"y ~ {call}"


@by_transform
def test_is_described(transform):
    assert transform.story.endswith(".") and transform.story[0]
    assert transform.role in ("column", "offset", "response")
    assert isinstance(transform, Transform)
    for name in (transform.name, *transform.aliases):
        assert TRANSFORMS[name] is transform
        assert "__" not in name


@by_transform
def test_works_in_a_formula_and_again_on_part_of_the_data(transform):
    columns = COLUMNS | (
        {"n": np.tile([0.0, 1.0, -1.0], 4)} if transform.name == "censored" else {}
    )
    before = {name: column.copy() for name, column in columns.items()}
    table = read(columns)
    schema, design = learn(parse(formula_with(transform), Vocabulary(ROLES)), table)
    assert json.loads(schema.state) == schema.learned()
    again = apply(schema, table, rows=design.rows)
    mean, expected = again.predictors["mu"], design.predictors["mu"]
    np.testing.assert_array_equal(mean.matrix, expected.matrix)
    np.testing.assert_array_equal(mean.offset, expected.offset)
    assert np.isfinite(expected.matrix).all() and np.isfinite(expected.offset).all()
    for name, column in columns.items():
        np.testing.assert_array_equal(column, before[name], strict=True)


STATEFUL = [t for t in UNIQUE.values() if t.learn is not None]


@pytest.mark.parametrize("transform", STATEFUL, ids=lambda t: t.name)
def test_new_rows_use_the_training_state(transform):
    schema, design = learned = learn(
        parse(formula_with(transform), Vocabulary(ROLES)), read(COLUMNS)
    )
    assert learned
    rows = np.arange(3, 10) if transform.timed else np.array([7, 3, 3])
    new = apply(schema, read({name: column[rows] for name, column in COLUMNS.items()}))
    found, known = new.predictors["mu"].matrix, np.flatnonzero(np.isin(rows, design.rows))
    if transform.timed:  # the first rows of new data have no whole window
        known = np.flatnonzero(np.arange(len(rows)) >= 4)
    expected = design.predictors["mu"].matrix[np.searchsorted(design.rows, rows[known])]
    np.testing.assert_allclose(found[known], expected, rtol=1e-12, atol=1e-14)


@by_transform
@pytest.mark.parametrize("arguments", ["", "x, x, x, x, x, x, x, x, x, x", "nope=3", "'a'", "None"])
def test_wrong_arguments_are_our_errors(transform, arguments):
    call = f"{transform.name}({arguments})"
    if transform.name.startswith("contr."):
        call = f"C(g, {call})"
        if arguments in ("", "None", "'a'"):
            pytest.skip("a contrast takes a level, or nothing")
    formula = f"{call} ~ x" if transform.role == "response" else f"y ~ {call}"
    with pytest.raises(BayeszooError):
        learn(parse(formula, Vocabulary(ROLES)), read(COLUMNS))


@by_transform
def test_its_arguments_can_be_listed(transform):
    signature = inspect.signature(transform.learn or transform.apply)
    assert not any(name.startswith("_") for name in signature.parameters)
