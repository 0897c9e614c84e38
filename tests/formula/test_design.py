"""Design matrices equal R's, on the training rows and on new ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayeszoo.errors import DataTypeError, FormulaError, LevelError
from bayeszoo.formula import TRANSFORMS, Vocabulary, apply, learn, parse, read

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
REFERENCE = Path(__file__).parents[1] / "reference"
VALUES = pd.read_csv(REFERENCE / "design_values.csv")
TABLES = {name: pd.read_csv(REFERENCE / name) for name in VALUES["data"].unique()}
SPELLINGS = {
    "~ poly(x, 3, raw = TRUE)": "~ poly(x, 3, raw=True)",
    "~ C(a, contr.helmert)": "~ C(a, contr.helmert(reverse=True, scale=False))",
}


def learned(formula, table):
    view = read(table)
    return learn(parse(formula, Vocabulary(ROLES, tuple(view.columns))), view)


def full(schema, design):
    """The columns, the intercept first where there is one."""
    matrix = design.predictors["mu"].matrix
    ones = np.ones((len(matrix), int(schema.predictors[0].intercept)))
    return np.column_stack([ones, matrix])


def of_r(case, data):
    rows = VALUES[(VALUES["case"] == case) & (VALUES["data"] == data)]
    return rows.pivot(index="row", columns="position", values="value").to_numpy()


def spanned(matrix):
    """The projection onto the columns' span."""
    left, sizes, _ = np.linalg.svd(matrix, full_matrices=False)
    left = left[:, sizes > 1e-10 * sizes[0]]
    return left @ left.T


@pytest.mark.parametrize("case", VALUES["case"].unique())
def test_columns_are_those_of_r(case):
    written = VALUES.loc[VALUES["case"] == case, "formula"].iloc[0]
    formula = "y " + SPELLINGS.get(written, written)
    training = TABLES["design.csv"].assign(y=1.0)
    schema, design = learned(formula, training)
    new = apply(schema, read(TABLES["design_new.csv"]))
    ours = np.vstack([full(schema, design), full(schema, new)])
    theirs = np.vstack([of_r(case, "design.csv"), of_r(case, "design_new.csv")])
    rank = np.linalg.matrix_rank(of_r(case, "design.csv"))
    if rank < of_r(case, "design.csv").shape[1]:  # `cells`: R's own matrix is not of full rank
        assert ours.shape[1] == rank
        np.testing.assert_allclose(spanned(ours), spanned(theirs), atol=1e-12)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


TRAINING = pd.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0],
        "x": [0.0, 1.0, 2.0, 3.0, 4.0, 10.0],
        "a": ["p", "q", "r", "p", "q", "r"],
        "g": ["u", "u", "v", "v", "w", "w"],
        "k": [1, 2, 1, 2, 1, 2],
    }
)
STATEFUL = [
    "center(x)",
    "scale(x)",
    "standardize(x)",
    "poly(x, 2)",
    "poly(x, 2, raw=True)",
    "bs(x, df=4)",
    "bs(x, df=5, include_intercept=True)",
    "cr(x, df=4)",
    "cs(x, df=4)",
    "cc(x, df=4)",
    "cr(x, df=3, constraints='center')",
    "C(a)",
    "C(a, contr.sum)",
    "C(k)",
    "a",
    "a:x",
    "log(x + 1)",
    "scale(log(x + 1))",
    "I(a == 'q')",
    "I(center(x) * 2)",
]


@pytest.mark.parametrize("term", STATEFUL)
def test_new_rows_use_what_training_learned(term):
    schema, design = learned(f"y ~ {term}", TRAINING)
    for rows in ([2], [4, 1, 1], [5, 4, 3, 2, 1, 0]):
        new = apply(schema, read(TRAINING.iloc[rows].drop(columns="y")))
        np.testing.assert_allclose(
            new.predictors["mu"].matrix,
            design.predictors["mu"].matrix[rows],
            rtol=1e-12,
            atol=1e-14,
        )


@pytest.mark.parametrize("term", [t for t in STATEFUL if "lag" not in t])
def test_splines_and_all_others_are_of_full_rank(term):
    schema, design = learned(f"y ~ {term}", TRAINING)
    matrix = full(schema, design)
    assert np.linalg.matrix_rank(matrix) == matrix.shape[1]


def test_missing_predictors_of_new_rows_are_nan_in_their_row_only():
    schema, _ = learned("y ~ x * a + poly(x, 2) + (1 | g)", TRAINING)
    new = TRAINING.drop(columns="y").astype({"a": object})
    new.loc[1, "x"] = np.nan
    new.loc[3, "a"] = None
    new.loc[4, "g"] = None
    design = apply(schema, read(new))
    missing = np.isnan(design.predictors["mu"].matrix).any(axis=1)
    assert missing.tolist() == [False, True, False, True, False, False]
    assert design.predictors["mu"].groups[0].index.tolist() == [0, 0, 1, 1, -1, 2]


@pytest.mark.parametrize("term", ["a", "C(a)", "a:x", "C(a, contr.sum)", "0 + a"])
def test_an_unseen_level_is_an_error_that_names_it(term):
    schema, _ = learned(f"y ~ {term}", TRAINING)
    with pytest.raises(LevelError) as caught:
        apply(schema, read({"x": [1.0, 2.0], "a": ["p", "new"]}))
    assert "new" in str(caught.value) and "p, q, r" in str(caught.value)


def test_unseen_groups_are_counted_on():
    schema, _ = learned("y ~ (1 | g) + (1 | g:k)", TRAINING)
    design = apply(schema, read({"g": ["w", "z", "u", "z", "b"], "k": [1, 1, 2, 2, 1]}))
    single, crossed = design.predictors["mu"].groups
    assert single.index.tolist() == [2, 4, 0, 4, 3]
    assert single.unseen == ("b", "z")
    assert crossed.unseen == ("b:1", "z:1", "z:2")
    assert crossed.index.tolist() == [4, 7, 1, 8, 6]


@pytest.mark.parametrize("k", [[1, 2], [1.0, 2.0], ["1", "2"], np.array([1, 2], dtype="int8")])
def test_levels_are_the_same_as_numbers_and_as_texts(k):
    schema, _ = learned("y ~ (1 | k)", TRAINING)
    design = apply(schema, read({"k": k}))
    assert design.predictors["mu"].groups[0].index.tolist() == [0, 1]


def test_new_data_need_only_the_predictors():
    schema, _ = learned("log(y) ~ x + a", TRAINING)
    assert apply(schema, read({"x": [1.0], "a": ["p"]})).response == {}
    with pytest.raises(FormulaError, match="there is no column `a`"):
        apply(schema, read({"x": [1.0]}))
    with pytest.raises(FormulaError, match="there is no column `y`"):
        apply(schema, read({"x": [1.0], "a": ["p"]}), response=True)


def test_a_column_of_numbers_stays_one():
    schema, _ = learned("y ~ x", TRAINING)
    with pytest.raises(DataTypeError, match="`x` is not numeric"):
        apply(schema, read({"x": ["low", "high"]}))


def test_effects_of_groups_are_coded_as_in_lme4():
    schema, design = learned("y ~ (1 + a | g) + (0 + a | k) + (0 + x | g)", TRAINING)
    with_intercept, cells, slope = schema.predictors[0].groups
    assert with_intercept.effect_names == ("Intercept", "a[q]", "a[r]")
    assert cells.effect_names == ("a[p]", "a[q]", "a[r]")
    assert slope.effect_names == ("x",)
    arrays = design.predictors["mu"].groups
    assert arrays[0].effects[:3].tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 1]]
    assert arrays[1].effects[:3].tolist() == np.eye(3).tolist()
    assert arrays[2].effects[:, 0].tolist() == TRAINING["x"].tolist()


def test_offsets_add_up_and_lines_have_designs_of_their_own():
    schema, design = learned("y ~ 0 + offset(x) + offset(log(k))\nsigma ~ x + (1 | g)", TRAINING)
    mean, spread = design.predictors["mu"], design.predictors["sigma"]
    np.testing.assert_allclose(mean.offset, TRAINING["x"] + np.log(TRAINING["k"]), rtol=1e-15)
    assert mean.matrix.shape == (6, 0) and spread.matrix.shape == (6, 1)
    assert spread.offset.tolist() == [0.0] * 6
    assert [g.variable(g.effects[0]) for g in schema.predictors[1].groups] == ["1|g"]
