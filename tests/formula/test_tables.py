"""Every kind of table gives the same design, and the user's data stay as they were."""

import copy
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr

from bayeszoo.errors import DataError, DataTypeError, FormulaError
from bayeszoo.formula import TRANSFORMS, Vocabulary, learn, parse, read

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
N = 12
rng = np.random.default_rng(5)
COLUMNS = {
    "y": rng.normal(size=N),
    "x": rng.normal(size=N),
    "k": rng.integers(0, 5, N),
    "flag": np.tile([True, False, True], 4),
    "g": np.repeat(["b", "a", "c"], 4),
    "id": np.tile([10, 9, 2, 30], 3),
}
FORMULA = "y ~ x + k + flag + g:x + C(id) + poly(x, 2) + (1 + x | g) + (1 | id)"


def design_of(data, formula=FORMULA):
    table = read(data)
    return learn(parse(formula, Vocabulary(ROLES, tuple(table.columns))), table)


def same(one, other):
    schema, design = one
    schema2, design2 = other
    assert schema.predictors == schema2.predictors
    assert schema.rows == schema2.rows
    np.testing.assert_array_equal(design.rows, design2.rows)
    np.testing.assert_array_equal(design.response["y"], design2.response["y"])
    np.testing.assert_array_equal(
        design.predictors["mu"].matrix, design2.predictors["mu"].matrix, strict=True
    )
    for a, b in zip(design.predictors["mu"].groups, design2.predictors["mu"].groups, strict=True):
        np.testing.assert_array_equal(a.effects, b.effects)
        np.testing.assert_array_equal(a.index, b.index)


def _kinds():
    pandas = pd.DataFrame(COLUMNS)
    nullable = pandas.convert_dtypes()
    yield "dict", COLUMNS
    yield "lists", {name: column.tolist() for name, column in COLUMNS.items()}
    yield "dict of series", {name: pd.Series(column) for name, column in COLUMNS.items()}
    yield "dict of polars", {name: pl.Series(column) for name, column in COLUMNS.items()}
    yield "polars", pl.DataFrame(COLUMNS)
    yield "polars categorical", pl.DataFrame(COLUMNS).with_columns(pl.col("g").cast(pl.Categorical))
    yield "xarray", xr.Dataset({name: ("row", column) for name, column in COLUMNS.items()})
    yield "nullable", nullable
    yield "object", pandas.astype(object)
    yield "string", pandas.astype({"g": "string"})
    yield "float group", pandas.astype({"id": float})
    yield "index", pandas.set_index(np.repeat([7, 7, 1], 4))
    yield "text index", pandas.set_index(pd.MultiIndex.from_product([list("abc"), range(4)]))
    yield "small types", pandas.astype({"k": "int8", "id": "uint16"})
    yield "sparse", pandas.assign(k=pd.arrays.SparseArray(COLUMNS["k"]))


KINDS = dict(_kinds())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_same_design(kind):
    same(design_of(pd.DataFrame(COLUMNS)), design_of(KINDS[kind]))


def test_two_dimensional_xarray_is_stacked():
    data = xr.Dataset(
        {"y": (("g", "t"), COLUMNS["y"].reshape(3, 4)), "x": ("t", COLUMNS["x"][:4])},
        coords={"g": ["b", "a", "c"], "t": np.arange(4)},
    )
    flat = pd.DataFrame(
        {
            "y": COLUMNS["y"],
            "x": np.tile(COLUMNS["x"][:4], 3),
            "g": COLUMNS["g"],
            "t": [0, 1, 2, 3] * 3,
        }
    )
    formula = "y ~ x + t + (1 | g)"
    same(design_of(data, formula), design_of(flat, formula))


MISSING = {
    "Int64": pd.Series([1, 2, None, 3, 5, 4], dtype="Int64"),
    "Float64": pd.Series([1.5, 2, None, 3, 5, 4], dtype="Float64"),
    "float": pd.Series([1.5, 2, np.nan, 3, 5, 4]),
    "object": pd.Series([1, 2, None, 3, 5, 4], dtype=object),
    "object NA": pd.Series([1, 2, pd.NA, 3, 5, 4], dtype=object),
    "boolean": pd.Series([True, False, None, True, False, True], dtype="boolean"),
    "object boolean": pd.Series([True, False, None, True, False, True], dtype=object),
    "string": pd.Series(["a", "b", None, "a", "b", "c"], dtype="string"),
    "text": pd.Series(["a", "b", np.nan, "a", "b", "c"], dtype=object),
    "category": pd.Series(["a", "b", None, "a", "b", "c"], dtype="category"),
    "list of text": ["a", "b", np.nan, "a", "b", "c"],
    "list of numbers": [1, 2, None, 3, 5, 4],
    "list of levels": ["a", "b", None, "a", "b", "c"],
    "masked": np.ma.masked_array([1.0, 2.0, 9.0, 3.0, 5.0, 4.0], [0, 0, 1, 0, 0, 0]),
    "masked integers": np.ma.masked_array([1, 2, 9, 3, 5, 4], [0, 0, 1, 0, 0, 0]),
    "polars": pl.Series([1, 2, None, 3, 5, 4]),
    "polars text": pl.Series(["a", "b", None, "a", "b", "c"]),
}


@pytest.mark.parametrize("kind", MISSING)
@pytest.mark.parametrize("formula", ["y ~ v", "y ~ (1 | v)", "y ~ C(v)"])
def test_missing_values_are_dropped_counted_and_named(kind, formula):
    y = [1.0, 2.0, 4.0, 3.0, 5.0, 0.0]
    schema, design = design_of({"y": y, "v": MISSING[kind]}, formula)
    assert schema.rows.missing == (("v", 1, 2),)
    assert (schema.rows.total, schema.rows.used) == (6, 5)
    assert design.rows.tolist() == [0, 1, 3, 4, 5]
    assert design.response["y"].tolist() == [1.0, 2.0, 3.0, 5.0, 0.0]
    assert np.isfinite(design.predictors["mu"].matrix).all()
    assert "nan" not in str(schema.predictors).lower()
    assert "1 dropped for missing values in `v` 1 (first: row 2)" in str(schema.rows)


def test_categories_keep_their_order_and_lose_unused_levels():
    kinds = pd.CategoricalDtype(["lo", "mid", "unused", "hi"], ordered=True)
    column = pd.Series(["hi", "lo", "mid", "lo"], dtype=kinds)
    for table in (
        pd.DataFrame({"y": [1.0, 2, 4, 3], "v": column}),
        pl.DataFrame({"y": [1.0, 2, 4, 3]}).with_columns(
            pl.Series("v", column.tolist(), dtype=pl.Enum(["lo", "mid", "unused", "hi"]))
        ),
    ):
        schema, _ = design_of(table, "y ~ v + (1 | v)")
        assert schema.predictors[0].column_names == ("v[mid]", "v[hi]")
        assert schema.predictors[0].groups[0].levels == ("lo", "mid", "hi")


def test_levels_that_occur_only_in_dropped_rows_are_no_levels():
    data = pd.DataFrame({"y": [1.0, np.nan, 4, 3, 2], "v": list("abacc"), "g": [1, 7, 2, 2, 1]})
    schema, _ = design_of(data, "y ~ v + C(v, contr.sum) + (1 | g)")
    assert schema.predictors[0].column_names == ("v[c]", "C(v, contr.sum)[a]")
    assert schema.predictors[0].groups[0].levels == (1, 2)


@pytest.mark.parametrize(
    ("column", "levels"),
    [
        ([3, 1, 2, 10], (1, 2, 3, 10)),
        ([3.0, 1.0, 2.5, 10.0], (1, 2.5, 3, 10)),
        ([True, False, True, False], ("False", "True")),
        (["b", "B", "a", "10"], ("10", "B", "a", "b")),
        (pd.Series([3, 1, 2, 10], dtype=object), (1, 2, 3, 10)),
        (pd.Series([1, "a", 2, "a"], dtype=object), ("1", "2", "a")),
        (pd.cut(pd.Series([1.0, 2, 3, 4]), 2), ("(0.997, 2.5]", "(2.5, 4.0]")),
        (pd.Series(pd.date_range("2020", periods=4)).dt.date, None),
    ],
)
def test_any_column_can_be_a_group(column, levels):
    schema, _ = design_of({"y": [1.0, 2.0, 4.0, 3.0], "g": column}, "y ~ (1 | g)")
    found = schema.predictors[0].groups[0].levels
    assert len(found) == 4 if levels is None else found == levels


@pytest.mark.parametrize(
    "name", ["a b", "a,b", "q", "Größe", "x.1", "3", "C", "log", "np", "T", "1a"]
)
def test_columns_of_any_name(name):
    frame = pd.DataFrame({"y": [1.0, 2.0, 4.0], name: [1.0, 3.0, 2.0]})
    for data in (frame, pl.DataFrame({n: frame[n].to_numpy() for n in frame})):
        schema, _ = design_of(data, f"y ~ `{name}`")
        assert schema.predictors[0].column_names == (name,)


def test_columns_that_are_no_texts_are_called_by_their_texts():
    schema, _ = design_of(pd.DataFrame({"y": [1.0, 2, 4], 3: [1.0, 3, 2]}), "y ~ `3`")
    assert schema.predictors[0].column_names == ("3",)


def _deep_equal(one, other):
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True, check_freq=True)
        assert one.attrs == other.attrs
    elif isinstance(one, pl.DataFrame):
        assert one.equals(other) and one.schema == other.schema
    elif isinstance(one, xr.Dataset):
        xr.testing.assert_identical(one, other)
    else:
        assert list(one) == list(other)
        for name, column in one.items():
            assert type(column) is type(other[name])
            np.testing.assert_array_equal(np.asarray(column), np.asarray(other[name]), strict=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_are_never_changed(kind):
    data = KINDS[kind]
    before = copy.deepcopy(data)
    formula = FORMULA + " + scale(x) + bs(x, df=4) + I(x + 1) + lag(x, 1) + log(k + 1)"
    design_of(data, formula)
    _deep_equal(before, data)


def test_an_own_function_cannot_change_the_data():
    x = np.arange(4.0)

    def spoil(column):
        column += 1
        return column

    table = read({"y": np.array([1.0, 2, 4, 3]), "x": x})
    functions = {"spoil": spoil}
    vocabulary = Vocabulary(ROLES | {"spoil": "column"}, tuple(table.columns))
    _, design = learn(parse("y ~ spoil(x)", vocabulary), table, functions)
    assert design.predictors["mu"].matrix[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0]


frame = pd.DataFrame({"y": [1.0, 2.0], "x": [3.0, 4.0]})


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (None, DataTypeError, "NoneType"),
        ("data.csv", DataTypeError, "str cannot be read"),
        (3, DataTypeError, "int cannot be read"),
        ([frame], DataTypeError, "list cannot be read"),
        (frame["x"], DataTypeError, "Series cannot be read"),
        (frame.to_numpy(), DataTypeError, "ndarray cannot be read"),
        (pl.DataFrame({"y": [1.0]}).lazy(), DataTypeError, "LazyFrame cannot be read"),
        (pl.Series([1.0]), DataTypeError, "Series cannot be read"),
        (xr.DataArray([1.0], dims="t"), DataTypeError, "DataArray cannot be read"),
        (frame.iloc[:0], DataError, "no rows"),
        ({}, DataError, "no rows"),
        ({"y": [], "x": []}, DataError, "no rows"),
        (pd.concat([frame, frame], axis=1), DataError, "`x`, `y`"),
        (pd.DataFrame([[1, 2]], columns=[0, "0"]), DataError, "`0`"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            DataError,
            "MultiIndex",
        ),
        ({"y": [1, 2], "x": [1, 2, 3]}, DataError, "`y` 2, `x` 3"),
        ({"y": [1, 2], "x": 3}, DataTypeError, "`x` is a single value"),
        ({"y": [1, 2], "x": "ab"}, DataTypeError, "`x` is a single value"),
        ({"y": [1, 2], "x": None}, DataTypeError, "`x` is a single value"),
        ({"y": [1, 2], "x": (i for i in (1, 2))}, DataTypeError, "`x` is a single value"),
        ({"y": [1, 2], "x": [[1], [1, 2]]}, DataTypeError, "`x` cannot be read as an array"),
        ({"y": [1, 2], "x": np.zeros((2, 2, 2))}, DataTypeError, "(2, 2, 2)"),
    ],
)
def test_what_is_no_table_is_refused(data, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        read(data)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.date_range("2020", periods=3), "dates"),
        (pd.date_range("2020", periods=3, tz="UTC"), "dates"),
        (pd.to_timedelta([1, 2, 3], "D"), "durations"),
        ([1j, 2, 3], "complex"),
        ([[1], [2, 3], None], "cannot be read"),
        (pd.Series([[1], [2, 3], None]), "list"),
        ([object()] * 3, "object"),
        ([b"a", b"b", b"c"], "bytes"),
        (pd.period_range("2020", periods=3), "Period"),
    ],
)
def test_columns_that_are_neither_numbers_nor_levels_are_refused(column, words):
    data = {"y": [1.0, 2.0, 4.0], "v": column}
    for formula in ("y ~ v", "y ~ log(v)", "v ~ y"):
        with pytest.raises((DataTypeError, FormulaError), match=words):
            design_of(data, formula)
