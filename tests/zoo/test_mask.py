"""Masks in every form that they may be written, and what is said of those that do not fit."""

import numpy as np
import pytest

import bayeszoo as bz

RNG = np.random.default_rng(0)
N, T = 4, 60
DATA = {
    "spikes": RNG.poisson(0.7, (T, N)).astype(float),
    "x": RNG.normal(size=T),
    "X": RNG.normal(size=(T, 3)),
}
COUPLING = "conv(spikes, raised_cos_log(2, 5))"
FORMULA = f"spikes ~ x + X + {COUPLING}"
ALL = np.ones((1 + 3 + 2 * N, N), dtype=bool)


def used(mask):
    found = bz.Model(FORMULA, DATA, family="poisson", mask=mask).spec.mask
    return ALL if found is None else np.array(found)


def expected(first, last, rows):
    out = ALL.copy()
    out[first:last] = rows
    return out


def test_no_mask_and_a_full_one_are_the_same():
    assert bz.Model(FORMULA, DATA, family="poisson").spec.mask is None
    np.testing.assert_array_equal(used(ALL), ALL)


def test_labels_say_who_uses_a_term():
    np.testing.assert_array_equal(used({"x": [0, 2]}), expected(0, 1, [True, False, True, False]))
    np.testing.assert_array_equal(used({"x": [1, 3]})[0], [False, True, False, True])
    np.testing.assert_array_equal(used({"x": []})[0], [False] * N)


def test_booleans_by_neuron_source_and_coefficient():
    each = np.array([True, False, True, True])
    np.testing.assert_array_equal(used({"x": each}), expected(0, 1, each))
    np.testing.assert_array_equal(used({"X": each.astype(int)}), expected(1, 4, each))
    sources = RNG.random((N, N)) < 0.5
    np.testing.assert_array_equal(
        used({COUPLING: sources}), expected(4, 12, np.repeat(sources, 2, axis=0))
    )
    single = RNG.random((2 * N, N)) < 0.5
    np.testing.assert_array_equal(used({COUPLING: single}), expected(4, 12, single))
    columns = RNG.random((3, N)) < 0.5
    np.testing.assert_array_equal(used({"X": columns}), expected(1, 4, columns))


def test_labelled_masks_are_aligned_by_label():
    import pandas as pd
    import xarray as xr

    sources = RNG.random((N, N)) < 0.5
    frame = pd.DataFrame(sources, index=list(range(N)), columns=list(range(N)))
    turned = frame.iloc[::-1, [2, 0, 3, 1]]
    turned.index, turned.columns = (
        pd.Index(turned.index.tolist()),
        pd.Index(turned.columns.tolist()),
    )
    np.testing.assert_array_equal(used({COUPLING: turned}), used({COUPLING: sources}))
    array = xr.DataArray(sources, dims=("source", "neuron"), coords={"neuron": list(range(N))})
    np.testing.assert_array_equal(
        used({COUPLING: array.isel(neuron=[3, 1, 0, 2])}), used({COUPLING: sources})
    )
    with pytest.raises(bz.BayeszooError, match="is labelled a, b, c, d"):
        used({"x": pd.Series(sources[0], index=list("abcd"))})


def test_one_array_covers_all_coefficients():
    whole = RNG.random(ALL.shape) < 0.6
    np.testing.assert_array_equal(used(whole), whole)


@pytest.mark.parametrize(
    "mask, words",
    [
        ({"y": [0]}, ["`y`", "no term", "x, X"]),
        ({"Intercept": [0]}, ["no term"]),
        ({"x": [0, 7]}, ["neuron 7", "0, 1, 2, 3"]),
        ({"x": ["0", "l"]}, ["'l'"]),
        ({"x": np.ones(3, bool)}, ["shape (3,)", "(4,)"]),
        ({COUPLING: np.ones((3, 4), bool)}, ["shape (3, 4)", "(4, 4)", "(8, 4)"]),
        ({COUPLING: np.full((4, 4), 0.5)}, ["other than True and False"]),
        (np.ones((3, 4)), ["shape (3, 4)", "(12, 4)"]),
        (np.full(ALL.shape, np.nan), ["other than True and False"]),
    ],
)
def test_masks_that_do_not_fit_are_answered_in_words(mask, words):
    with pytest.raises(bz.BayeszooError) as caught:
        bz.Model(FORMULA, DATA, family="poisson", mask=mask)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_nearest_neurons_are_named():
    import xarray as xr

    data = xr.Dataset(
        {"spikes": (("time", "cell"), DATA["spikes"]), "x": ("time", DATA["x"])},
        coords={"time": 0.01 * np.arange(T), "cell": ["ca1_a", "ca1_b", "ca3_a", "ca3_b"]},
    )
    with pytest.raises(bz.BayeszooError, match=r"ca1_x.*Nearest: `ca1_"):
        bz.Model("spikes ~ x", data, family="poisson", mask={"x": ["ca1_x"]})
    model = bz.Model("spikes ~ x", data, family="poisson", mask={"x": ["ca1_b"]})
    assert model.spec.mask == ((False, True, False, False),)


def test_a_single_response_has_no_mask():
    with pytest.raises(bz.BayeszooError, match="two-dimensional"):
        bz.Model("y ~ x", {"y": DATA["x"], "x": DATA["x"] ** 2}, mask={"x": [0]})


def test_common_terms_are_not_masked():
    formula = "spikes ~ x + (1 + x | neuron)"
    with pytest.raises(bz.BayeszooError, match="common to all neurons"):
        bz.Model(formula, DATA, family="poisson", mask={"x": [0]})
