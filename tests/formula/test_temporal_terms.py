"""conv, lags and tuning in formulas: windows, lags, stretches, missing bins, new data, errors."""

import numpy as np
import pandas as pd
import pytest

from bayeszoo.errors import BayeszooError, DataError, FormulaError
from bayeszoo.formula import BASES, TRANSFORMS, Vocabulary, apply, learn, parse, read
from bayeszoo.formula.convolution import convolve
from bayeszoo.formula.kernels import find_filter

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
ROLES |= dict.fromkeys(BASES, "basis")
N = 120
RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=N), RNG.uniform(2.0, 5.0, N)
COUNTS = RNG.poisson(1.0, (N, 3)).astype(float)
DATA = {
    "y": RNG.normal(size=N),
    "x": X,
    "z": Z,
    "spikes": COUNTS,
    "trial": np.repeat(["a", "b", "c"], [50, 60, 10]),
    "context": np.tile(["go", "stop"], N // 2),
    "time": 0.01 * np.arange(N),
}
KERNEL = BASES["raised_cos_log"].recipe(3, 8).kernel(8)


def bind(formula, data=DATA, functions=None):
    roles = ROLES | dict.fromkeys(functions or {}, "column")
    return learn(parse(formula, Vocabulary(roles)), read(data), functions)


def matrix(formula, data=DATA, functions=None):
    schema, design = bind(formula, data, functions)
    return schema, design, design.predictors["mu"].matrix


def test_the_window_is_strictly_past_by_default():
    schema, design, found = matrix("y ~ conv(x, raised_cos_log(3, 8))")
    np.testing.assert_allclose(found, convolve(X[:, None], KERNEL)[8:], rtol=0, atol=1e-12)
    assert design.rows.tolist() == list(range(8, N))
    (term,) = schema.predictors[0].terms
    assert term.name == "conv(x, raised_cos_log(3, 8))" and term.labels == (0, 1, 2)
    assert "8 bins without a whole window" in str(schema.rows)


@pytest.mark.parametrize("lag, rows", [(0, range(7, N)), (-3, range(4, N - 3)), (-7, range(N - 7))])
def test_the_lag_says_where_the_window_lies(lag, rows):
    _, design, found = matrix(f"y ~ conv(x, raised_cos_log(3, 8), lag={lag})")
    expected = convolve(X[:, None], KERNEL, lag)[list(rows)]
    assert design.rows.tolist() == list(rows)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_zeros_may_stand_before_the_start():
    _, _, found = matrix("y ~ conv(x, raised_cos_log(3, 8), pad='zero')")
    np.testing.assert_allclose(found, convolve(X[:, None], KERNEL), rtol=0, atol=1e-12)


def test_lags_are_the_present_and_what_came_before():
    _, _, found = matrix("y ~ lags(x, 4)")
    expected = np.column_stack([np.concatenate([np.zeros(k), X[: N - k]]) for k in range(4)])
    np.testing.assert_array_equal(found, expected)


def test_windows_in_seconds_are_bins_of_the_time_axis():
    _, _, found = matrix("y ~ conv(x, raised_cos_log(3, '80ms'), lag='10ms')")
    np.testing.assert_allclose(found, convolve(X[:, None], KERNEL)[8:], rtol=0, atol=1e-12)


def test_groups_do_not_leak_and_short_ones_are_reported():
    schema, design, found = matrix("y ~ conv(x, raised_cos_log(3, 12), by=trial)")
    kernel = BASES["raised_cos_log"].recipe(3).kernel(12)
    whole = convolve(X[:, None], kernel)
    keep = [*range(12, 50), *range(62, 110)]
    assert design.rows.tolist() == keep
    np.testing.assert_allclose(found, whole[keep], rtol=0, atol=1e-12)
    report = str(schema.rows)
    assert "3 stretches" in report and "1 of them shorter than the window" in report
    padded = matrix("y ~ conv(x, raised_cos_log(3, 12), by=trial, pad='zero')")[2]
    alone = convolve(X[50:110, None], kernel)
    np.testing.assert_allclose(padded[50:110], alone, rtol=0, atol=1e-12)


def test_missing_bins_split_a_series():
    keep = np.r_[0:40, 45:N]
    data = {name: column[keep] for name, column in DATA.items()}
    schema, design, _ = matrix("y ~ conv(x, raised_cos_log(3, 8))", data)
    assert design.rows.tolist() == [*range(8, 40), *range(48, len(keep))]
    assert "5 missing bins" in str(schema.rows)


def test_interleaved_series_of_a_long_table():
    two = {
        "time": np.repeat(DATA["time"], 2),
        "y": np.repeat(DATA["y"], 2),
        "x": np.stack([X, 2 * X], axis=1).ravel(),
        "cell": np.tile(["p", "q"], N),
    }
    _, design, found = matrix("y ~ conv(x, raised_cos_log(3, 8), by=cell)", two)
    expected = convolve(X[:, None], KERNEL)[8:]
    np.testing.assert_allclose(found[design.rows % 2 == 0], expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[design.rows % 2 == 1], 2 * expected, rtol=0, atol=1e-12)


def test_a_column_of_several_series_is_filtered_source_by_source():
    schema, _, found = matrix("y ~ conv(spikes, raised_cos_log(3, 8))")
    np.testing.assert_allclose(found, convolve(COUNTS, KERNEL)[8:], rtol=0, atol=1e-12)
    (term,) = schema.predictors[0].terms
    assert term.labels[:4] == ("0, 0", "0, 1", "0, 2", "1, 0") and term.sources == (0, 1, 2)


def test_own_kernels_are_arrays_or_functions():
    own = RNG.normal(size=(5, 2))
    for text, functions in (("mine", {"mine": own}), ("mine(5)", {"mine": lambda n: own[:n]})):
        _, _, found = matrix(f"y ~ conv(x, {text})", DATA, functions)
        np.testing.assert_allclose(found, convolve(X[:, None], own)[5:], rtol=0, atol=1e-12)


def test_interactions_and_group_terms():
    schema, design, found = matrix("y ~ conv(x, raised_cos_log(3, 8)):C(context)")
    base = convolve(X[:, None], KERNEL)[8:]
    go = (DATA["context"] == "go")[8:, None]
    np.testing.assert_allclose(found, np.hstack([base * go, base * ~go]), rtol=0, atol=1e-12)
    assert schema.predictors[0].terms[0].labels[0] == "0, go"
    schema, design = bind("y ~ (conv(x, raised_cos_log(3, 8)) | context)")
    group = design.predictors["mu"].groups[0]
    np.testing.assert_allclose(group.effects[:, 1:], base, rtol=0, atol=1e-12)
    assert schema.predictors[0].groups[0].size == 4


def test_tuning_keeps_the_bounds_of_training():
    schema, _, found = matrix("y ~ 0 + tuning(z, bspline(6))")
    low, high = Z.min(), Z.max()
    expected = BASES["bspline"].recipe(6).evaluate((Z - low) / (high - low))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    new = apply(schema, read({"z": np.array([low, 3.0, high, high + 1])}))
    again = new.predictors["mu"].matrix
    middle = BASES["bspline"].recipe(6).evaluate(np.array([(3.0 - low) / (high - low)]))
    np.testing.assert_allclose(again[1], middle[0], rtol=0, atol=1e-12)
    assert np.isnan(again[3]).all() and np.isfinite(again[:3]).all()


def test_tuning_beside_an_intercept_leaves_one_function_out():
    assert matrix("y ~ tuning(z, bspline(6))")[2].shape[1] == 5
    assert matrix("y ~ tuning(z, raised_cos(6))")[2].shape[1] == 6


def test_fields_are_products():
    _, _, field = matrix("y ~ 0 + tuning((x, z), raised_cos(4) * bspline(5))")
    _, _, product = matrix("y ~ 0 + tuning(x, raised_cos(4)):tuning(z, bspline(5))")
    assert field.shape == product.shape == (N, 20)
    order = [i * 5 + j for j in range(5) for i in range(4)]
    np.testing.assert_allclose(field[:, order], product, rtol=0, atol=1e-12)


def test_densities_are_per_unit_of_the_value():
    _, _, found = matrix("y ~ 0 + tuning(z, mspline(5), bounds=(2, 5))")
    values = BASES["mspline"].recipe(5).evaluate((Z - 2) / 3) / 3
    np.testing.assert_allclose(found, values, rtol=0, atol=1e-12)


def test_new_data_have_windows_of_their_own():
    schema, _ = bind("y ~ conv(x, raised_cos_log(3, 8))")
    new = apply(schema, read({"x": X[:30]}))
    found = new.predictors["mu"].matrix
    assert np.isnan(found[:8]).all()
    np.testing.assert_allclose(found[8:], convolve(X[:30, None], KERNEL)[8:], rtol=0, atol=1e-12)
    with pytest.raises(DataError, match=r"bins of 0\.01 s.*bins of 0\.02 s"):
        apply(schema, read({"x": X, "time": 0.02 * np.arange(N)}))


def test_filters_are_found_again():
    schema, _ = bind("y ~ conv(x, raised_cos_log(3, 8)) + lags(z, 4) + z")
    second, third, plain = (find_filter(schema, t, {}) for t in schema.predictors[0].terms)
    assert second is not None and third is not None and plain is None
    np.testing.assert_array_equal(second.kernel, KERNEL)
    assert second.lags.tolist() == list(range(1, 9)) and third.lags.tolist() == [0, 1, 2, 3]
    assert second.bin_width == pytest.approx(0.01)


def test_a_missing_response_costs_its_own_row_alone():
    data = {**DATA, "y": np.where(np.arange(N) == 60, np.nan, DATA["y"])}
    schema, design, _ = matrix("y ~ conv(x, raised_cos_log(3, 8))", data)
    assert design.rows.tolist() == [i for i in range(8, N) if i != 60]
    assert "missing values in `y` 1 (first: row 60)" in str(schema.rows)


def test_missing_bins_of_a_stimulus_may_be_left_out():
    data = {**DATA, "x": np.where(np.arange(N) == 60, np.nan, X)}
    _, design, _ = matrix("y ~ conv(x, raised_cos_log(3, 8), missing='drop')", data)
    assert design.rows.tolist() == [i for i in range(8, N) if not 61 <= i <= 68]


HOLES = {**DATA, "x": np.where(np.arange(N) == 60, np.nan, X)}
SHUFFLED = {**DATA, "time": DATA["time"][::-1]}
UNEVEN = {**DATA, "time": DATA["time"] ** 1.1}
WRONG = [
    ("y ~ conv(x, raised_cos_log(3, 8))", HOLES, ["missing in 1 of 120", "row 60", "missing="]),
    ("y ~ conv(x, raised_cos_log(3, 500))", DATA, ["no bin has a whole window", "120", "pad="]),
    ("y ~ conv(x, raised_cos_log(3, 70), by=trial)", DATA, ["no bin has a whole window", "60"]),
    ("y ~ conv(x, raised_cos_log(3, 8))", SHUFFLED, ["time", "sort"]),
    ("y ~ conv(x, raised_cos_log(3, 8))", UNEVEN, ["unequal", "Resample"]),
    ("spikes ~ conv(spikes, raised_cos_log(3, 8), lag=0)", DATA, ["predict itself", "lag=1"]),
    ("spikes ~ lags(spikes, 3)", DATA, ["predict itself"]),
    ("y ~ lag(y, 0)", DATA, ["predict itself"]),
    ("y ~ conv(x, raised_cos_log(3, 8), pad='both')", DATA, ["pad=", "drop", "zero", "lag="]),
    ("y ~ conv(x, raised_cos_log(3, 8), lag=-2, pad=True)", DATA, ["pad=", "lag="]),
    ("y ~ conv(x, raised_cos_log(3, 8), lag=1.5)", DATA, ["lag=", "whole number"]),
    ("y ~ conv(x, raised_cos_log(3, 8), -2)", DATA, ["by=", "grouping column"]),
    ("y ~ conv(x, raised_cos_log(3))", DATA, ["needs a window", "200ms"]),
    ("y ~ conv(x, raised_cos_lg(3, 8))", DATA, ["raised_cos_lg", "raised_cos_log"]),
    ("y ~ conv(x, z)", DATA, ["is no basis", "raised_cos_log"]),
    ("y ~ conv(trial, raised_cos_log(3, 8))", DATA, ["levels cannot be filtered"]),
    ("y ~ conv(x, raised_cos_log(3, '85 ms'))", DATA, ["8.5 bins"]),
    ("y ~ raised_cos_log(3, 8)", DATA, ["inside conv() or tuning()"]),
    ("y ~ log(conv(x, raised_cos_log(3, 8)))", DATA, ["single columns"]),
    ("y ~ tuning(x, raised_cos(4, 8))", DATA, ["no window"]),
    ("y ~ tuning((x, z), bspline(5))", DATA, ["2 column(s) and 1 basis"]),
    ("y ~ tuning(x, bspline(5), bounds=(3, 1))", DATA, ["bounds=", "low < high"]),
    ("y ~ tuning(x, history(5))", DATA, ["history"]),
    ("y ~ conv(x, raised_cos_log(3, 8), by=nobody)", DATA, ["no column `nobody`"]),
]


@pytest.mark.parametrize("formula, data, words", WRONG, ids=[f"{i}" for i in range(len(WRONG))])
def test_wrong_input_is_answered_in_words(formula, data, words):
    with pytest.raises(BayeszooError) as caught:
        bind(formula, data)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_seconds_need_a_time_axis():
    data = {name: column for name, column in DATA.items() if name != "time"}
    with pytest.raises(FormulaError, match="no time axis"):
        bind("y ~ conv(x, raised_cos_log(3, '80ms'))", data)


def test_data_are_not_changed():
    frame = pd.DataFrame({k: v for k, v in DATA.items() if v.ndim == 1})
    before = frame.copy()
    bind("y ~ conv(x, raised_cos_log(3, 8), by=trial) + tuning(z, bspline(5))", frame)
    pd.testing.assert_frame_equal(frame, before)
