"""Formula + training data: rows used, names, what is learned, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from bayeszoo.errors import BayeszooError, DataError, DataTypeError, FormulaError
from bayeszoo.formula import TRANSFORMS, Vocabulary, learn, parse, read

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
DATA = pd.DataFrame(
    {
        "y": [1.0, 2.0, np.nan, 3.0, 5.0, 7.0, 2.0, 2.5],
        "x": [0.0, 1.0, 2.0, 3.0, np.nan, 10.0, 4.0, 5.0],
        "a": ["p", "q", "only here", "p", "q", "r", None, "p"],
        "g": [1, 1, 2, 2, 3, 3, 4, 4],
        "const": 1.0,
        "t": [f"t{i}" for i in range(8)],
    }
)


def learned(formula, data=DATA, functions=None):
    view = read(data)
    roles = ROLES | dict.fromkeys(functions or {}, "column")
    return learn(parse(formula, Vocabulary(roles, tuple(view.columns))), view, functions)


def test_dropped_rows_are_counted_and_named():
    schema, design = learned("y ~ x + a + (1 | g)")
    assert design.rows.tolist() == [0, 1, 3, 5, 7]
    assert schema.rows.missing == (("y", 1, 2), ("x", 1, 4), ("a", 1, 6))
    text = str(schema.rows)
    assert "5 of 8 rows used; 3 dropped" in text
    assert "`y` 1 (first: row 2)" in text and "`a` 1 (first: row 6)" in text
    assert schema.predictors[0].column_names == ("x", "a[q]", "a[r]")
    assert schema.predictors[0].groups[0].levels == (1, 2, 3, 4)
    assert schema.columns == ("y", "x", "a", "g")


def test_only_columns_of_the_formula_count():
    schema, _ = learned("y ~ 1")
    assert schema.rows.used == 7 and schema.columns == ("y",)
    assert str(learned("g ~ 1")[0].rows) == "8 rows, all used"


def test_rows_where_an_expression_is_undefined_are_dropped_too():
    schema, design = learned("y ~ log(x - 0.5) + lag(g, 1)")
    assert schema.rows.missing[-2:] == (("log(x - 0.5)", 1, 0), ("lag(g, 1)", 1, 0))
    assert design.rows.tolist() == [1, 3, 5, 6, 7]


def test_transforms_learn_from_the_used_rows_only():
    _, design = learned("y ~ center(x)")
    used = design.rows
    assert used.tolist() == [0, 1, 3, 5, 6, 7]
    expected = DATA["x"].to_numpy()[used] - DATA["x"].to_numpy()[used].mean()
    np.testing.assert_allclose(design.predictors["mu"].matrix[:, 0], expected, rtol=1e-14)


def test_lags_follow_the_order_of_all_rows():
    _, design = learned("g ~ lag(x, 2) + lag(x, -1)", DATA.assign(x=np.arange(8.0)))
    assert design.rows.tolist() == [2, 3, 4, 5, 6]
    assert design.predictors["mu"].matrix.tolist() == [[r - 2, r + 1] for r in range(2, 7)]


def test_the_state_is_json_and_the_schema_a_hashable_value():
    formula = (
        "y ~ poly(x, 2) + bs(x, df=3) + cr(x, df=3) + scale(x) + C(a, contr.sum) + a + log(g)"
        "\nsigma ~ center(x) + (a | g)"
    )
    schema, _ = learned(formula)
    again, _ = learned(formula)
    assert json.loads(schema.state) == schema.learned()
    assert "NaN" not in schema.state and "Infinity" not in schema.state
    assert schema == again and hash(schema) == hash(again)


def test_labels_of_responses():
    schema, design = learned("a ~ x", DATA.assign(a=list("nyynynny")))
    assert schema.response_levels == ("n", "y")
    assert design.response["y"].tolist() == [0, 1, 1, 0, 0, 0, 1]
    schema, _ = learned("y ~ x")
    assert schema.response_levels == ()


def test_extras_of_responses():
    data = {
        "k": [1.0, 2, 0],
        "n": [3, 2, 5],
        "w": [1.0, 0.5, 2],
        "x": [1.0, 2, 4],
        "s": ["none", "right", "left"],
    }
    schema, design = learned("weighted(prop(k, n), w) ~ x", data)
    assert set(schema.extras) == {"trials", "weights"}
    assert design.response["trials"].tolist() == [3, 2, 5]
    assert design.response["weights"].tolist() == [1, 0.5, 2]
    assert learned("prop(k, 5) ~ x", data)[1].response["trials"].tolist() == [5, 5, 5]
    assert learned("censored(k, s) ~ x", data)[1].response["status"].tolist() == [0, 1, -1]
    assert learned("measured(k, w) ~ x", data)[0].extras == ("standard_error",)


def test_one_column_of_two_dimensions_is_a_response():
    _, design = learned("y ~ x", {"y": np.array([[1.0], [2.0]]), "x": [1.0, 2.0]})
    assert design.response["y"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("formula", "kind", "words"),
    [
        ("y ~ xx", FormulaError, ["no column `xx`", "Nearest: `x`", "Columns: y, x, a", "^^"]),
        ("y ~ (1 | G)", FormulaError, ["no column `G`", "Nearest: `g`"]),
        ("y ~ log(`x x`)", FormulaError, ["no column `x x`"]),
        ("y ~ I(1 / x)", DataError, ["`I(1 / x)` is infinite in 1 of 6 rows", "row 0 = inf"]),
        ("I(1 / x) ~ g", DataError, ["`I(1 / x)` is infinite in 1 of 7 rows"]),
        ("y ~ offset(log(x))", DataError, ["offset(log(x))", "infinite", "row 0 = -inf"]),
        ("y ~ log(-g)", DataError, ["`log(-g)` is not a number in any of the 7 complete rows"]),
        ("y ~ scale(const)", DataError, ["`scale(const)` is not a number", "constant"]),
        ("y ~ (1 | const)", FormulaError, ["`const` has only one level (1)", "(1 | const)"]),
        ("y ~ I(t == 't0') + log(a)", DataTypeError, ["log(a)", "levels (", "numbers"]),
        ("y ~ I(a + 1)", DataTypeError, ["numbers", "levels"]),
        ("y ~ I(x == 'p')", FormulaError, ["compared with numbers", "'p'"]),
        ("y ~ I(a == 'zz')", FormulaError, ["'zz'", "'p', 'q', 'r'"]),
        ("y ~ I(a > 'p')", FormulaError, ["==", "!="]),
        ("y ~ poly(poly(x, 2), 2)", FormulaError, ["single columns"]),
        ("y ~ poly(x, 0)", FormulaError, ["degree", "1 to 20"]),
        ("y ~ poly(x, 2.5)", FormulaError, ["degree"]),
        ("y ~ bs(x, df=2)", FormulaError, ["bs(x, df=2)", "df"]),
        ("y ~ bs(x, nope=2)", FormulaError, ["'nope'", "bs() takes x, df=None"]),
        ("y ~ lag(x, 1.5)", FormulaError, ["whole number", "1.5"]),
        ("y ~ log(x, g)", FormulaError, ["log() takes x."]),
        ("prop(y) ~ x", FormulaError, ["'trials'", "prop() takes successes, trials"]),
        ("prop(y, a) ~ x", DataTypeError, ["prop() takes numbers"]),
        ("prop(y, x) ~ g", DataError, ["trials", "rows", "row 0 = 0"]),
        ("prop(g, 2) ~ x", DataError, ["4 of 8 rows", "row 4"]),
        ("weighted(y, -g) ~ x", DataError, ["weights", "8 of 8"]),
        ("measured(y, 0) ~ x", DataError, ["standard errors must be positive"]),
        ("censored(y, a) ~ x", DataError, ["`none`, `right` or `left`", "p, q, r"]),
        ("censored(y, g) ~ x", DataError, ["2, 3, 4"]),
        ("poly(y, 2) ~ g", DataError, ["2 columns", "one two-dimensional column"]),
        ("y ~ offset(3) + x", FormulaError, ["offset()"]),
        ("y ~ I('p')", FormulaError, ["no column of numbers"]),
        ("y ~ (1 | g) + (1 + x | g)", FormulaError, ["`1|g` stands twice"]),
        ("y ~ own(x)", FormulaError, ["`own(x)` failed", "broken"]),
        ("y ~ short(x)", FormulaError, ["your function `short`", "8 rows", "(3,)"]),
        ("y ~ text(x)", FormulaError, ["your function `text`", "returned"]),
    ],
)
def test_what_does_not_fit_the_data_is_named(formula, kind, words):
    def own(x):
        raise RuntimeError("it is broken")

    functions = {"own": own, "short": lambda x: x[:3], "text": lambda x: "no"}
    with pytest.raises(kind) as caught:
        learned(formula, functions=functions)
    assert isinstance(caught.value, BayeszooError)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_no_complete_row():
    data = {"y": [1.0, np.nan, 2.0], "x": [np.nan, 1.0, np.nan]}
    with pytest.raises(DataError, match=r"no row is complete.*`y` 1 \(first: row 1\), `x` 2"):
        learned("y ~ x", data)


def test_names_that_python_would_change_are_kept():
    data = {"y": [1.0, 2, 4], "µV": [1.0, 2.0, 3.0], "ﬁt": [1.0, 3.0, 2.0]}
    schema, design = learned("y ~ µV + log(µV) + I(ﬁt * 2)", data)
    assert schema.predictors[0].column_names == ("µV", "log(µV)", "I(ﬁt * 2)")
    np.testing.assert_allclose(design.predictors["mu"].matrix[:, 2], [2.0, 6.0, 4.0], rtol=1e-15)


def test_own_functions_get_numbers_and_levels():
    functions = {"isq": lambda a: a == "q", "two": lambda x: np.column_stack([x, x**2])}
    schema, design = learned("y ~ isq(a) + two(x)", functions=functions)
    assert schema.predictors[0].column_names == ("isq(a)", "two(x)[1]", "two(x)[2]")
    assert design.predictors["mu"].matrix[1].tolist() == [1.0, 1.0, 1.0]
