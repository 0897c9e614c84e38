"""Codings of factors: full rank, nothing left out, whatever the formula."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from bayeszoo.errors import FormulaError
from bayeszoo.formula import TRANSFORMS, Vocabulary, learn, parse, read
from bayeszoo.formula.coding import plan

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
LEVELS = {"a": 2, "b": 3, "c": 2}
quiet = settings(derandomize=True, deadline=None, max_examples=200)


def _crossed():
    """Two rows of every combination of levels, with numbers that satisfy no equation."""
    cells = list(itertools.product(*(range(n) for n in LEVELS.values()))) * 4
    rng = np.random.default_rng(0)
    data = {name: [f"{name}{cell[i]}" for cell in cells] for i, name in enumerate(LEVELS)}
    return data | {name: rng.normal(size=len(cells)) for name in ("y", "x", "z")}


DATA = _crossed()
VIEW = read(DATA)


def _dummies(term):
    """The full dummy expansion of a term: every combination of levels, times the numbers."""
    columns = np.ones((len(DATA["y"]), 1))
    for name in term:
        if name in LEVELS:
            part = pd.get_dummies(pd.Series(DATA[name])).to_numpy(dtype=float)
        else:
            part = np.asarray(DATA[name])[:, None]
        columns = (columns[:, :, None] * part[:, None, :]).reshape(len(columns), -1)
    return columns


_terms = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "x", "z"]), min_size=1, max_size=4, unique=True),
    min_size=1,
    max_size=6,
)


@quiet
@given(_terms, st.booleans(), st.sampled_from(["", "C({}, contr.sum)", "C({}, contr.helmert)"]))
def test_columns_are_independent_and_span_the_full_expansion(terms, intercept, coding):
    def spelled(name):
        return coding.format(name) if coding and name in LEVELS else name

    right = " + ".join(":".join(map(spelled, term)) for term in terms)
    formula = f"y ~ {int(intercept)} + {right}"
    schema, design = learn(parse(formula, Vocabulary(ROLES)), VIEW)
    ones = [np.ones((len(DATA["y"]), 1))] * intercept
    ours = np.concatenate([*ones, design.predictors["mu"].matrix], axis=1)
    theirs = np.concatenate([*ones, *(_dummies(term) for term in terms)], axis=1)
    rank = np.linalg.matrix_rank(theirs)
    assert ours.shape[1] == rank
    assert np.linalg.matrix_rank(np.concatenate([ours, theirs], axis=1)) == rank
    assert np.linalg.matrix_rank(ours) == rank
    assert len(set(schema.predictors[0].column_names)) == design.predictors["mu"].matrix.shape[1]


@quiet
@given(_terms)
def test_effects_of_groups_follow_the_same_rule(terms):
    right = " + ".join(":".join(term) for term in terms)
    effects = [":".join(term) for term in terms]
    data = DATA | {"g": np.arange(len(DATA["y"])) % 5}
    formula = parse(f"y ~ (0 + {right} | g)", Vocabulary(ROLES))
    schema, design = learn(formula, read(data))
    matrix = design.predictors["mu"].groups[0].effects
    assert matrix.shape[1] == schema.predictors[0].groups[0].size
    theirs = np.concatenate([_dummies(term) for term in terms], axis=1)
    assert np.linalg.matrix_rank(matrix) == matrix.shape[1] == np.linalg.matrix_rank(theirs), (
        effects
    )


A, B, X = ("a", True), ("b", True), ("x", False)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([()], ["1"]),
        ([(A,)], ["a+"]),
        ([(), (A,)], ["1", "a-"]),
        ([(), (A,), (B,), (A, B)], ["1", "a-", "b-", "a-b-"]),
        ([(A, B)], ["a+b+"]),
        ([(), (A, B)], ["1", "b-, a-b+"]),
        ([(), (A,), (A, B)], ["1", "a-", "a+b-"]),
        ([(A,), (A, B)], ["a+", "a+b-"]),
        ([(A,), (B,)], ["a+", "b-"]),
        ([(), (A, X)], ["1", "a+x+"]),
        ([(), (X,), (A, X)], ["1", "x+", "a-x+"]),
        ([(), (A,), (A, X)], ["1", "a-", "a+x+"]),
    ],
)
def test_plan(terms, expected):
    def shown(term, blocks):
        parts = ["".join(f"{term[i][0]}{'+' if full else '-'}" for i, full in b) for b in blocks]
        return ", ".join(part or "1" for part in parts)

    assert [shown(t, b) for t, b in zip(terms, plan(terms), strict=True)] == expected


@pytest.mark.parametrize(
    ("coding", "labels", "rows"),
    [
        ("C(b)", ("b1", "b2"), [[0, 0], [1, 0], [0, 1]]),
        ("C(b, contr.treatment)", ("b1", "b2"), [[0, 0], [1, 0], [0, 1]]),
        ("C(b, contr.treatment(base='b1'))", ("b0", "b2"), [[1, 0], [0, 0], [0, 1]]),
        ("C(b, Treatment('b2'))", ("b0", "b1"), [[1, 0], [0, 1], [0, 0]]),
        ("C(b, Treatment(reference='b2'))", ("b0", "b1"), [[1, 0], [0, 1], [0, 0]]),
        ("C(b, contr.SAS)", ("b0", "b1"), [[1, 0], [0, 1], [0, 0]]),
        ("C(b, contr.sum)", ("b0", "b1"), [[1, 0], [0, 1], [-1, -1]]),
        ("C(b, Sum)", ("b0", "b1"), [[1, 0], [0, 1], [-1, -1]]),
        ("C(b, levels=['b2', 'b0', 'b1'])", ("b0", "b1"), [[1, 0], [0, 1], [0, 0]]),
    ],
)
def test_contrasts(coding, labels, rows):
    data = {"y": [1.0, 2.0, 4.0], "b": ["b0", "b1", "b2"]}
    schema, design = learn(parse(f"y ~ {coding}", Vocabulary(ROLES)), read(data))
    assert schema.predictors[0].terms[0].labels == labels
    assert design.predictors["mu"].matrix.tolist() == rows


@pytest.mark.parametrize("coding", ["contr.poly", "contr.diff", "contr.helmert", "Poly", "Diff"])
def test_other_contrasts_are_of_full_rank(coding):
    schema, design = learn(parse(f"y ~ C(b, {coding})", Vocabulary(ROLES)), VIEW)
    matrix = np.column_stack([np.ones(len(DATA["y"])), design.predictors["mu"].matrix])
    assert np.linalg.matrix_rank(matrix) == 3
    assert len(schema.predictors[0].terms[0].labels) == 2


@pytest.mark.parametrize(
    ("coding", "words"),
    [
        ("C(b, contr.treatment(base='zz'))", "'zz'"),
        ("C(b, contr.nothing)", "contr.nothing"),
        ("C(b, 3)", "contrast"),
        ("C(b, levels='b0')", "levels="),
        ("C(b, levels=3)", "levels="),
        ("C(b, levels=['b0', 'b1'])", "b2"),
        ("C(b, contr.sum, ['b0', 'b1'])", "b2"),
        ("C()", "'x'"),
        ("C(b, nope=3)", "'nope'"),
        ("C(poly(x, 2))", "one column"),
    ],
)
def test_wrong_contrasts_are_refused(coding, words):
    from bayeszoo.errors import BayeszooError

    with pytest.raises(BayeszooError) as caught:
        learn(parse(f"y ~ {coding}", Vocabulary(ROLES)), VIEW)
    assert words in str(caught.value)
    assert issubclass(caught.type, FormulaError | ValueError)
