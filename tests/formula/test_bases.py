"""Temporal bases: laws that every member keeps, exact values, and what formulas may write."""

import json
import re
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayeszoo.errors import FormulaError
from bayeszoo.formula.bases import BASES
from bayeszoo.formula.basis import bins, seconds

ARGUMENTS = {  # one call of each member; a new member needs one here
    "raised_cos_log": (5, "200ms"),
    "raised_cos": (5, 30),
    "bspline": (6, 30),
    "cyclic_bspline": (6, 30),
    "mspline": (6, 30),
    "orth_exp": ([1, 4, 16], 30),
    "fourier": (4, 30),
    "history": (30,),
}
MEMBERS = {basis.name: basis for basis in BASES.values()}
X = np.array([0.0, 1e-9, 0.13, 0.5, 0.875, 1.0])


def by_basis(keep=lambda basis: True):
    kept = [basis for basis in MEMBERS.values() if keep(basis)]
    return pytest.mark.parametrize("basis", kept, ids=lambda basis: basis.name)


def recipe_of(basis):
    return basis.recipe(*ARGUMENTS[basis.name])


@contextmanager
def refused(*words):
    with pytest.raises(FormulaError) as caught:
        yield
    assert len(str(caught.value)) < 400
    assert [word for word in words if word not in str(caught.value)] == []


def kernel(name, *arguments, **options):
    recipe = BASES[name].recipe(*arguments, **options)
    return recipe.kernel(recipe.window)


# Laws
def test_every_basis_of_the_formulas_is_there():
    assert set(MEMBERS) == set(ARGUMENTS)


@by_basis()
@pytest.mark.parametrize("window", [7, 30, 1000])
def test_a_kernel_has_a_row_per_bin_and_is_finite(basis, window):
    recipe = recipe_of(basis)
    found = recipe.kernel(window)
    assert found.shape == (window, recipe.size(window))
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert recipe.labels(found.shape[1]) == tuple(range(found.shape[1]))


@by_basis()
def test_the_functions_are_independent(basis):
    found = recipe_of(basis).kernel(100)
    assert np.linalg.matrix_rank(found) == found.shape[1]


@by_basis()
def test_equal_calls_are_equal_also_after_json(basis):
    recipe = recipe_of(basis)
    stored = json.loads(json.dumps(dict(recipe.options)))
    again = basis.recipe(window=recipe.window, **stored)
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert basis.recipe(*ARGUMENTS[basis.name][:-1], window=29) != recipe
    assert basis.equation and basis.story and basis.source


@by_basis(lambda basis: basis.on_values)
def test_the_kernel_is_the_basis_on_an_even_grid(basis):
    recipe = recipe_of(basis)
    assert_array_equal(recipe.kernel(41), recipe.evaluate(np.linspace(0, 1, 41)))


@by_basis(lambda basis: basis.on_values)
def test_each_value_is_evaluated_alone(basis):
    recipe = recipe_of(basis)
    together = recipe.evaluate(X)
    assert_array_equal(together, np.concatenate([recipe.evaluate(X[i : i + 1]) for i in range(6)]))
    assert_array_equal(recipe.evaluate(X[::-1]), together[::-1])


@by_basis(lambda basis: basis.on_values)
def test_missing_values_and_those_outside_the_range_are_missing(basis):
    recipe = recipe_of(basis)
    found = recipe.evaluate(np.array([0.3, np.nan, np.inf, -np.inf, 0.3]))
    assert_array_equal(np.isnan(found).all(axis=1), [False, True, True, True, False])
    assert_array_equal(found[[0, 4]], recipe.evaluate(np.array([0.3, 0.3])))
    assert recipe.evaluate(np.full(3, np.nan)).shape == found[:3].shape
    assert recipe.evaluate(np.array([])).shape == (0, found.shape[1])
    beyond = np.isnan(recipe.evaluate(np.array([-1e-12, 0.0, 1.0, 1 + 1e-12, 7.0])))
    missing = [False] * 5 if basis.periodic else [True, False, False, True, True]
    assert beyond.any(axis=1).tolist() == beyond.all(axis=1).tolist() == missing


@by_basis(lambda basis: basis.periodic)
@pytest.mark.parametrize("turns", [-3, -1, 1, 12])
def test_a_periodic_basis_wraps(basis, turns):
    recipe = recipe_of(basis)
    assert_allclose(recipe.evaluate(X + turns), recipe.evaluate(X), atol=1e-12)
    assert np.isfinite(recipe.evaluate(np.array([-1e-30, 1e12 + 0.5]))).all()


@by_basis(lambda basis: basis.periodic)
def test_a_periodic_basis_meets_itself_with_its_slope(basis):
    h = 1e-6
    at = recipe_of(basis).evaluate(np.array([0.0, h, 1 - h, 1.0]))
    assert_allclose(at[0], at[3], atol=1e-14)
    after, before = (at[1] - at[0]) / h, (at[3] - at[2]) / h
    assert np.abs(after).max() > 1
    assert_allclose(after, before, atol=1e-3)


@by_basis(lambda basis: not basis.on_values)
def test_a_basis_of_a_window_is_not_evaluated_on_values(basis):
    with refused(f"{basis.name}() exists only on the bins"):
        recipe_of(basis).evaluate(X)


# Mathematics
@pytest.mark.parametrize(
    "name, order",
    [("bspline", 1), *((name, k) for name in ("bspline", "cyclic_bspline") for k in (2, 3, 4, 7))],
)
def test_splines_sum_to_one(name, order):
    for n in (order, order + 1, 12):
        found = BASES[name].recipe(n, order=order).evaluate(np.linspace(0, 1, 301))
        assert found.shape == (301, n)
        assert_allclose(found.sum(axis=1), 1, rtol=1e-13)
        assert found.min() >= 0


@pytest.mark.parametrize("order", [1, 2, 4, 5])
def test_msplines_integrate_to_one(order):
    n = 9
    nodes, weights = np.polynomial.legendre.leggauss(6)
    pieces = n - order + 1  # polynomials, on which the rule is exact
    x = ((np.arange(pieces)[:, None] + 0.5 * (1 + nodes)) / pieces).ravel()
    values = BASES["mspline"].recipe(n, order=order).evaluate(x)
    areas = np.tile(weights / (2 * pieces), pieces) @ values
    assert_allclose(areas, 1, rtol=1e-12)
    assert BASES["mspline"].density


def test_cyclic_splines_are_shifts_of_one_another():
    n = 7
    recipe = BASES["cyclic_bspline"].recipe(n)
    x = np.linspace(0, 1, 50)
    first = recipe.evaluate(x)[:, 0]
    for i in range(1, n):
        assert_allclose(recipe.evaluate(x + i / n)[:, i], first, atol=1e-13)


def test_raised_cosines_sum_to_a_constant_within():
    x = np.linspace(0, 1, 1001)
    within = (x >= 2 / 9) & (x <= 7 / 9)
    total = BASES["raised_cos"].recipe(10).evaluate(x[within]).sum(axis=1)
    assert_allclose(total, 2, rtol=1e-12)


def test_log_raised_cosines_decay_when_asked_and_become_even_without_stretch():
    assert_allclose(kernel("raised_cos_log", 6, 50)[-1], 0, atol=1e-15)
    assert_allclose(kernel("raised_cos_log", 6, 50, decay=False)[-1, -1], 1)
    nearly = kernel("raised_cos_log", 6, 50, time_scaling=1e-9, decay=False)
    assert_allclose(nearly, kernel("raised_cos", 6, 50), atol=1e-8)


def test_exponentials_are_orthonormal_and_span_the_decays():
    rates, window = [0.5, 3.0, 12.0, 40.0], 80
    found = kernel("orth_exp", rates, window)
    assert_allclose(found.T @ found, np.eye(4), atol=1e-12)
    decays = np.exp(-np.linspace(0, 1, window)[:, None] * rates)
    assert_allclose(found @ (found.T @ decays), decays, atol=1e-12)


def test_history_is_the_identity():
    assert_array_equal(kernel("history", 25), np.eye(25))


def test_fourier_has_cosines_first_and_no_sine_of_the_constant():
    x = np.linspace(0, 1, 33)
    fourier = BASES["fourier"]
    found = fourier.recipe(3, dc=True).evaluate(x)
    angle = 2 * np.pi * x
    columns = [np.ones(33), np.cos(angle), np.cos(2 * angle), np.sin(angle), np.sin(2 * angle)]
    assert_allclose(found, np.stack(columns, axis=1), atol=1e-13)
    assert_array_equal(fourier.recipe(3).evaluate(x), found[:, 1:])
    assert fourier.recipe(4) == fourier.recipe([0, 1, 2, 3]) == fourier.recipe((3, 2, 1))
    assert fourier.recipe(4) != fourier.recipe(4, dc=True)


def test_eight_log_raised_cosines_on_200_bins():
    found = kernel("raised_cos_log", 8, 200)
    assert found.argmax(axis=0).tolist() == [0, 2, 6, 11, 19, 31, 51, 81]
    sums = [2.793, 5.586, 8.755, 13.554, 20.977, 32.469, 50.258, 77.792]
    assert_allclose(found.sum(axis=0), sums, atol=5.1e-4)


# Reference values: nemos 0.2.8 with jax.config.update("jax_enable_x64", True).


def reference(text):
    for block in re.split(r"\n(?=[a-z])", text.strip()):
        head, *rows = block.splitlines()
        name, arguments, options = head.split(" ", 2)
        recipe = BASES[name].recipe(*json.loads(arguments), **json.loads(options))
        yield pytest.param(recipe, [[float(v) for v in row.split()] for row in rows], id=head)


# Rows 1 and 8 of `b._set_kernel(); b.kernel_`, b = nemos.basis.RaisedCosineLinearConv(4,
# window_size=10) and so on; for fourier, of FourierEval(frequencies=np.array([0, 3]), bounds=(0, 1),
# frequency_mask="all").compute_features(np.linspace(0, 1, 10)).
KERNELS = """
raised_cos [4] {}
0.9330127018922 0.75 0.06698729810778 0
0 0.06698729810778 0.75 0.9330127018922
raised_cos_log [4] {}
0 0.2117622349296 0.9085572062603 0.7882377650704
0 0 0 0.01321089115526
raised_cos_log [4] {"width": 1.5, "time_scaling": 10, "decay": false}
0.3112368557503 0.9953508434284 0.1934123008212 0
0 0 0.3789250989723 0.9806632069914
bspline [5] {}
0.4705075445816 0.4636488340192 0.06310013717421 0.002743484224966 0
0 0.002743484224966 0.06310013717421 0.4636488340192 0.4705075445816
cyclic_bspline [5] {}
0.01463191586648 0.4437585733882 0.5130315500686 0.02857796067673 0
0.5130315500686 0.4437585733882 0.01463191586648 0 0.02857796067673
mspline [5] {}
3.764060356653 1.854595336077 0.2524005486968 0.01097393689986 0
0 0.01097393689986 0.2524005486968 1.854595336077 3.764060356653
orth_exp [[1,4,16]] {}
-0.4384757741873 -0.07009873209437 -0.6248025552045
-0.1404790157333 -0.2157873210913 0.2960614492475
fourier [[0,3]] {"dc": true}
1 -0.5 0.8660254037844
1 -0.5 -0.8660254037844
"""

# Rows 1 and 3 of nemos.basis.BSplineEval(5, bounds=(-3, 5)).compute_features(
# np.array([-3, -1.2, 0.7, 4.9])) and so on.
VALUES = """
raised_cos_log [4] {}
0 0 0.355826054478 0.9787628571982
0 0 0 0.0001516626402692
bspline [5] {}
0.166375 0.59821875 0.212625 0.02278125 0
0 3.90625e-06 0.000921875 0.07221484375 0.926859375
cyclic_bspline [5] {}
0 0.1116536458333 0.6520182291667 0.2360026041667 0.0003255208333333
0.1997477213542 0.6628824869792 0.1373291015625 0 4.069010416667e-05
mspline [5] {}
0.166375 0.299109375 0.1063125 0.011390625 0
0 1.953125e-06 0.0004609375 0.036107421875 0.926859375
fourier [3] {}
0.1564344650402 -0.9510565162952 0.9876883405951 0.3090169943749
0.9969173337331 0.9876883405951 -0.07845909572784 -0.1564344650402
"""


@pytest.mark.parametrize("recipe, rows", list(reference(KERNELS)))
def test_kernels_agree_with_the_reference(recipe, rows):
    found = recipe.kernel(10)[[1, 8]]
    if not recipe.basis.on_values:  # the sign of a singular vector is LAPACK's choice
        found = found * np.sign((found * rows).sum(axis=0))
    assert_allclose(found, rows, rtol=2e-12, atol=2e-13)


@pytest.mark.parametrize("recipe, rows", list(reference(VALUES)))
def test_values_agree_with_the_reference(recipe, rows):
    low, high = -3.0, 5.0
    found = recipe.evaluate((np.array([-1.2, 4.9]) - low) / (high - low))
    if recipe.basis.density:
        found = found / (high - low)
    assert_allclose(found, rows, rtol=2e-12, atol=2e-13)


# Windows
TIMES = {"200ms": 0.2, "0.2s": 0.2, "1 s": 1, " .5s ": 0.5, "150us": 1.5e-4, "2min": 120, "1.s": 1}
NO_TIMES = "|ms|200|200 m|-2s|0ms|1e3s|200msec|1 h|nan s|٢s".split("|")
BINS = [(25, None, 25), (25, 0.001, 25), ("200ms", 0.001, 200), ("0.3s", 0.1, 3), ("1us", 1e-6, 1)]


@pytest.mark.parametrize("text", TIMES)
def test_times_are_read_with_their_unit(text):
    assert_allclose(seconds(text), TIMES[text], rtol=1e-15)


@pytest.mark.parametrize("text", [*NO_TIMES, "9" * 400 + "s"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(FormulaError, match=r"is no time.*s, ms, us, min"):
        seconds(text)


@pytest.mark.parametrize("window, bin_width, count", [*BINS, ("1s", 0.1 * (1 + 5e-7), 10)])
def test_windows_become_bins(window, bin_width, count):
    found = bins(window, bin_width)
    assert found == count
    assert type(found) is int


@pytest.mark.parametrize(
    "window, bin_width, words",
    [
        (None, 0.1, ["window is missing", "200ms"]),
        ("200ms", None, ["'200ms'", "no time axis", "in bins"]),
        ("205ms", 0.01, ["20.5 bins of 10ms", '"200ms"', '"210ms"']),
        ("0.5ms", 0.001, ["0.5 bins of 1ms", 'Nearest: "1ms".']),
        ("1s", 0.3, ["3.33333 bins of 300ms", '"900ms"', '"1.2s"']),
        ("200ms", 0.001003, ["not a whole number"]),
        ("60min", 1e-6, ["3,600,000,000 bins of 1us", "1,000,000"]),
    ],
)
def test_windows_that_are_no_bins_say_which_are_near(window, bin_width, words):
    with refused(*words):
        bins(window, bin_width)


# Wrong inputs: name, arguments, options, words of the message
WRONG = [
    ("raised_cos", (), {}, ["raised_cos() takes (n, window=None, width=2)", "'n'"]),
    ("bspline", (5, 20, 4, 1), {}, ["bspline() takes (n, window=None, order=4)", "too many"]),
    ("raised_cos_log", (5,), {"time_scalin": 3}, ["Nearest: `time_scaling`"]),
    ("history", (), {}, ["history() takes (window)", "'window'"]),
    ("raised_cos", (1,), {}, ["raised_cos(): n", "whole number from 2 to 10,000", "not 1"]),
    ("raised_cos_log", (8.0,), {}, ["raised_cos_log(): n", "whole number", "not 8.0"]),
    ("raised_cos", (True,), {}, ["n is a whole number", "not True"]),
    ("mspline", (10_001,), {}, ["n is a whole number", "10,000", "not 10001"]),
    ("bspline", (10**5000,), {}, ["n is a whole number", "not a huge number"]),
    ("bspline", (5, [10**5000]), {}, ["window is a whole number", "not a huge number"]),
    ("bspline", ("x" * 5000,), {}, ["n is a whole number", "xxx..."]),
    ("raised_cos", (5,), {"width": 0}, ["width is a positive number", "not 0"]),
    ("raised_cos", (5,), {"width": float("nan")}, ["width is a positive number", "nan"]),
    ("raised_cos_log", (5,), {"time_scaling": -1}, ["time_scaling is a positive", "not -1"]),
    ("raised_cos_log", (5,), {"time_scaling": 10**400}, ["time_scaling is a positive", "000..."]),
    ("raised_cos_log", (5,), {"decay": 1}, ["decay is True or False", "not 1"]),
    ("bspline", (5,), {"order": 0}, ["order is a whole number from 1 to 20", "not 0"]),
    ("bspline", (3,), {}, ["splines of order 4 need n >= 4", "not 3"]),
    ("cyclic_bspline", (5,), {"order": 1}, ["order is a whole number from 2", "not 1"]),
    ("orth_exp", (3,), {}, ["rates is a list of 1 to 100", "[1, 4, 16]"]),
    ("orth_exp", ([1] * 101,), {}, ["rates is a list of 1 to 100"]),
    ("orth_exp", ([1, -2],), {}, ["each of the rates is a positive number", "not -2"]),
    ("orth_exp", ([1, 2, 1.0, 3, 2],), {}, ["rates must differ; repeated: 1, 2."]),
    ("fourier", (0,), {}, ["number of frequencies is a whole number from 1", "not 0"]),
    ("fourier", (2.5,), {}, ["number of frequencies is a whole number", "not 2.5"]),
    ("fourier", (1,), {}, ["no frequency is left in 1", "dc=True"]),
    ("fourier", ([1, 2.5],), {}, ["each of the frequencies is a whole number", "not 2.5"]),
    ("fourier", ([1, 2, 1],), {}, ["frequencies must differ; repeated: 1."]),
    ("fourier", ([1, 2],), {"dc": True}, ["dc=True keeps frequency 0", "not among"]),
    ("fourier", (4,), {"dc": "yes"}, ["dc is True or False", "'yes'"]),
    ("history", (None,), {}, ["history(): window", "200ms", "None"]),
    ("history", (10_001,), {}, ["history(): window is a whole number", "10,000"]),
    ("bspline", (5, 0), {}, ["bspline(): window", "1 to 1,000,000", "not 0"]),
    ("bspline", (5, 20.0), {}, ["window is a whole number of bins", "not 20.0"]),
    ("bspline", (5, 1_000_001), {}, ["window is a whole number of bins", "1,000,000"]),
    ("bspline", (5, "20"), {}, ["bspline(): '20' is no time", "s, ms, us, min"]),
]


@pytest.mark.parametrize("name, arguments, options, words", WRONG)
def test_wrong_inputs_are_explained(name, arguments, options, words):
    with refused(*words):
        BASES[name].recipe(*arguments, **options)


@pytest.mark.parametrize(
    "name, arguments, window, words",
    [
        ("orth_exp", ([1, 2, 3],), 2, ["3 rates need a window of at least 3 bins", "not 2"]),
        ("orth_exp", ([1, 1 + 1e-15],), 50, ["2 rates give only 1 independent", "50 bins"]),
        ("bspline", (10_000,), 20_000, ["10,000 functions on 20,000 bins", "100,000,000"]),
        ("history", ("20s",), 20_000, ["20,000 functions on 20,000 bins", "shorter window"]),
    ],
)
def test_kernels_that_cannot_be_are_explained(name, arguments, window, words):
    recipe = BASES[name].recipe(*arguments)
    with refused(f"{name}()", *words):
        recipe.kernel(window)


def test_extreme_options_stay_finite():
    for options in ({"width": 1e9}, {"width": 1e-9}, {"time_scaling": 1e9}, {"time_scaling": 1e-9}):
        assert np.isfinite(kernel("raised_cos_log", 10, 100, **options)).all()
    assert np.isfinite(kernel("orth_exp", [1e-9, 1e9], 100)).all()
    assert np.isfinite(kernel("fourier", [5000], 100)).all()
