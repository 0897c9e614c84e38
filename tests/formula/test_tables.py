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
        (xr.DataArray([1.0], dims="t"), DataTypeError, "into a dict"),
        (None, DataTypeError, "dict of arrays or pynapple objects (Tsd, TsdFrame, Ts, TsGroup)"),
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


SECONDS = np.arange(N) * 0.5
DATES = pd.Timestamp("2024-03-31 01:00") + pd.to_timedelta(SECONDS, "s")
TIMES = {
    "seconds": SECONDS,
    "whole": (SECONDS * 2).astype(int),
    "list": SECONDS.tolist(),
    "object": np.array([*SECONDS[:-1], None], dtype=object),
    "Float64": pd.Series(SECONDS, dtype="Float64"),
    "dates": DATES,
    "zone": DATES.tz_localize("UTC"),
    "durations": pd.to_timedelta(SECONDS + 3, "s"),
    "datetime64": DATES.to_numpy(),
    "timedelta64": (SECONDS * 1e6).astype("timedelta64[us]"),
    "list of dates": list(DATES),
}
EXPECTED = {"whole": SECONDS * 2, "object": np.r_[SECONDS[:-1], np.nan]}


def _is_axis(table, expected):
    assert table.time.name == "time"
    np.testing.assert_allclose(table.time.values, expected, rtol=0, atol=1e-12, strict=True)
    np.testing.assert_array_equal(table.time.epochs, np.zeros(len(expected)))


@pytest.mark.parametrize("kind", TIMES)
def test_a_column_time_is_the_time_axis(kind):
    expected = EXPECTED.get(kind, SECONDS)
    given = {"y": COLUMNS["y"], "time": TIMES[kind]}
    before = copy.deepcopy(given)
    table = read(given)
    _is_axis(table, expected)
    np.testing.assert_allclose(table.numeric("time"), expected, rtol=0, atol=1e-12)
    _is_axis(read(pd.DataFrame(given)), expected)
    _deep_equal(before, given)


@pytest.mark.parametrize("kind", ["seconds", "whole", "dates", "durations"])
def test_a_column_time_of_polars_is_the_time_axis(kind):
    values = TIMES[kind].to_numpy() if isinstance(TIMES[kind], pd.Index) else TIMES[kind]
    _is_axis(read(pl.DataFrame({"time": values})), EXPECTED.get(kind, SECONDS))


@pytest.mark.parametrize(
    "values",
    [
        ["am", "pm"] * 6,
        pd.Categorical([1, 2] * 6),
        [True, False] * 6,
        pd.Series([True, False] * 6, dtype="boolean"),
        [1, "pm"] * 6,
        pd.period_range("2020", periods=N),
        np.zeros((N, 2)),
        [None] * N,
    ],
    ids=str,
)
def test_a_column_time_of_other_things_is_no_time_axis(values):
    given = {"y": COLUMNS["y"], "time": values}
    assert read(given).time is None
    if not isinstance(values, np.ndarray):
        assert read(pd.DataFrame(given)).time is None


def test_times_of_day_are_no_time_axis():
    assert read(pl.DataFrame({"time": list(DATES.time)})).time is None


def test_an_odd_column_time_matters_to_no_other_model():
    odd = np.array([3, 1, np.nan, 1, 2, 2, 9, 0, 0, 0, 5, 5.5])
    named = pd.DataFrame(COLUMNS | {"other": odd})
    timed = named.rename(columns={"other": "time"})
    for formula in ("y ~ {} + (1 | g)", "y ~ x + (1 | {})", "y ~ C({})"):
        schema, design = design_of(timed, formula.format("time"))
        schema2, design2 = design_of(named, formula.format("other"))
        assert schema.rows.used == schema2.rows.used == N - 1
        np.testing.assert_array_equal(
            design.predictors["mu"].matrix, design2.predictors["mu"].matrix
        )
    dates = timed.assign(time=DATES)
    assert len(design_of(dates, "y ~ (1 | time)")[0].predictors[0].groups[0].levels) == N
    with pytest.raises(DataTypeError, match="holds dates"):
        design_of(dates, "y ~ time")


@pytest.mark.parametrize(
    "index",
    [
        DATES,
        DATES.rename("when"),
        DATES.tz_localize("UTC"),
        pd.to_timedelta(SECONDS, "s"),
        pd.Index(SECONDS, name="time"),
    ],
    ids=lambda index: f"{index.dtype} {index.name}",
)
def test_an_index_of_times_is_the_time_axis(index):
    data = pd.DataFrame(COLUMNS).set_index(index)
    before = data.copy(deep=True)
    table = read(data)
    _is_axis(table, SECONDS)
    np.testing.assert_allclose(table.numeric("time"), SECONDS, rtol=0, atol=1e-12)
    pd.testing.assert_frame_equal(data, before, check_exact=True)
    same(design_of(data), design_of(pd.DataFrame(COLUMNS)))
    assert read(data.assign(time=7)).time.values.tolist() == [7] * N
    kept = read(data.assign(time=["am", "pm"] * 6))
    _is_axis(kept, SECONDS)
    assert kept.categorical("time").levels == ("am", "pm")


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(N),
        pd.Index(SECONDS),
        pd.Index(SECONDS, name="t"),
        pd.Index(list("abcdefghijkl"), name="time"),
        pd.MultiIndex.from_product([list("abc"), range(4)], names=["g", "time"]),
    ],
    ids=str,
)
def test_another_index_is_no_time_axis(index):
    table = read(pd.DataFrame(COLUMNS).set_index(index))
    assert table.time is None
    assert "time" not in table.columns


WIDE = np.arange(3.0 * N).reshape(N, 3)
LABELS = ("left", "right", "mid")


@pytest.mark.parametrize(
    ("values", "second"),
    [
        (WIDE, ("neuron", (0, 1, 2))),
        (WIDE.tolist(), ("neuron", (0, 1, 2))),
        (pd.DataFrame(WIDE), ("neuron", (0, 1, 2))),
        (pd.DataFrame(WIDE, columns=LABELS), ("neuron", LABELS)),
        (
            pd.DataFrame(WIDE, columns=pd.Index([4, 9, 7.5], name="electrode")),
            ("electrode", (4, 9, 7.5)),
        ),
        (pd.DataFrame(WIDE, columns=LABELS).convert_dtypes(), ("neuron", LABELS)),
        (pl.DataFrame(dict(zip(LABELS, WIDE.T, strict=True))), ("neuron", LABELS)),
        (xr.DataArray(WIDE, dims=("row", "cell")), ("cell", (0, 1, 2))),
        (xr.DataArray(WIDE, {"cell": list(LABELS)}, ("row", "cell")), ("cell", LABELS)),
        (xr.DataArray(WIDE.T, {"cell": [5, 6, 2]}, ("cell", "time")), ("cell", (5, 6, 2))),
        (
            xr.DataArray(WIDE.T, {"time": ("row", SECONDS)}, ("cell", "row")),
            ("cell", (0, 1, 2)),
        ),
    ],
)
def test_two_dimensional_columns_keep_their_labels(values, second):
    table = read({"spikes": values, "x": COLUMNS["x"]})
    assert table.second_dimension("spikes") == second
    np.testing.assert_array_equal(table.numeric("spikes"), WIDE, strict=True)
    assert isinstance(table.columns["spikes"], np.ndarray)
    with pytest.raises(DataTypeError, match="two dimensions"):
        table.categorical("spikes")


def test_missing_values_of_two_dimensional_columns_stay_missing():
    lacks = pd.DataFrame(WIDE, columns=LABELS).astype("Int64")
    lacks.iloc[2, 1] = pd.NA
    for values in (
        lacks,
        pl.DataFrame(
            {name: lacks[name].to_numpy(object, na_value=None).tolist() for name in LABELS}
        ),
    ):
        assert np.argwhere(np.isnan(read({"y": values}).numeric("y"))).tolist() == [[2, 1]]


@pytest.mark.parametrize("dtype", [np.float64, np.int32, bool])
def test_two_dimensional_columns_are_not_copied(dtype):
    array = WIDE.astype(dtype)
    for values in (array, xr.DataArray(array, dims=("time", "cell"))):
        assert np.shares_memory(read({"y": values}).columns["y"], array)


@pytest.mark.parametrize(
    "times", [SECONDS, DATES, pd.to_timedelta(SECONDS, "s")], ids=["seconds", "dates", "durations"]
)
def test_a_data_set_along_time_is_wide(times):
    data = xr.Dataset(
        {
            "spikes": (("cell", "time"), WIDE.T),
            "y": ("time", COLUMNS["y"]),
            "where": ("cell", list(LABELS)),
            "session": ((), "s1"),
        },
        {
            "time": times,
            "cell": [3, 1, 2],
            "trial": ("time", COLUMNS["g"]),
            "depth": (("time", "cell"), WIDE),
        },
    )
    before = data.copy(deep=True)
    table = read(data)
    assert sorted(table.columns) == ["spikes", "time", "trial", "y"]
    assert (table.rows, table.second_dimension("spikes")) == (N, ("cell", (3, 1, 2)))
    _is_axis(table, SECONDS)
    for name, values in {"spikes": WIDE, "y": COLUMNS["y"], "time": SECONDS}.items():
        np.testing.assert_allclose(table.numeric(name), values, rtol=0, atol=1e-12)
    assert table.categorical("trial").levels == ("a", "b", "c")
    xr.testing.assert_identical(data, before)


def test_a_dimension_time_without_times_gives_rows_only():
    table = read(xr.Dataset({"y": ("time", COLUMNS["y"])}))
    assert (table.rows, table.time, list(table.columns)) == (N, None, ["y"])


def test_a_data_set_with_a_column_time_has_a_time_axis():
    data = xr.Dataset({"y": ("row", COLUMNS["y"]), "time": ("row", SECONDS)})
    _is_axis(read(data), SECONDS)


def test_arrays_of_xarray_carry_their_times():
    lfp = xr.DataArray(COLUMNS["x"], {"time": DATES}, ("time",))
    spikes = xr.DataArray(WIDE, {"time": DATES}, ("time", "cell"))
    table = read({"lfp": lfp, "spikes": spikes, "y": COLUMNS["y"]})
    _is_axis(table, SECONDS)
    np.testing.assert_array_equal(table.numeric("time"), table.time.values)
    _is_axis(read({"lfp": lfp, "time": SECONDS + 5e-10}), SECONDS)
    assert read({"lfp": lfp.drop_vars("time"), "y": COLUMNS["y"]}).time is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (SECONDS[:-2], "`lfp` has 12 times and `time` 10."),
        (np.r_[SECONDS[:5], SECONDS[5:] + 0.01], "first in row 5: 2.5 s and 2.51 s"),
        (np.r_[SECONDS[:5], np.nan, SECONDS[6:]], "first in row 5: 2.5 s and nan s"),
        (SECONDS + 1, "first in row 0: 0 s and 1 s"),
    ],
)
def test_two_time_axes_that_differ_are_refused(other, words):
    lfp = xr.DataArray(COLUMNS["x"], {"time": SECONDS}, ("time",))
    with pytest.raises(DataError, match="two time axes that differ") as caught:
        read({"lfp": lfp, "time": other})
    assert words in str(caught.value)
    assert "interp" in str(caught.value)


def test_equal_steps_on_two_days_are_two_time_axes():
    one, other = (
        xr.DataArray(COLUMNS["x"], {"time": DATES + pd.Timedelta(days=days)}, ("time",))
        for days in (0, 1)
    )
    with pytest.raises(DataError, match=r"0 s and 86400 s"):
        read({"one": one, "other": other})


cube = xr.DataArray(np.zeros((N, 2, 2)), dims=("time", "area", "cell"))
twice = pd.DataFrame(WIDE, columns=["a", "b", "a"])


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (xr.Dataset({"y": cube}), DataTypeError, ".stack(neuron=('area', 'cell'))"),
        ({"y": cube}, DataTypeError, "(time, area, cell)"),
        ({"y": xr.DataArray(3.0)}, DataTypeError, "`y` is a single value"),
        (
            {"y": xr.DataArray(np.full((N, 2), "a"), dims=("time", "k"))},
            DataTypeError,
            "(12, 2)",
        ),
        ({"y": twice}, DataError, "the labels of `y` must be unique, but `a`"),
        ({"y": pd.DataFrame(WIDE, columns=[1, "1", 2])}, DataError, "`1`"),
        ({"y": pd.DataFrame({"a": [1.0], "g": ["b"]})}, DataTypeError, "`g` is not"),
        ({"y": pl.DataFrame({"a": [1.0], "g": ["b"]})}, DataTypeError, "`g` is not"),
        (
            {"y": pd.DataFrame(WIDE, columns=pd.MultiIndex.from_product([["a"], [1, 2, 3]]))},
            DataError,
            "the columns of `y` are a MultiIndex",
        ),
        ({"y": WIDE, "x": [1.0]}, DataError, "`y` 12, `x` 1"),
        ({"y": WIDE, "bin_width": 0.01}, DataTypeError, "`bin_width` is a single value"),
    ],
)
def test_what_is_no_time_series_is_refused(data, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        read(data)


def test_a_column_may_be_called_bin_width():
    assert read({"y": [1.0, 2], "bin_width": [1.0, 3]}).numeric("bin_width").tolist() == [1, 3]
