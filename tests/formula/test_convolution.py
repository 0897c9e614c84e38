"""Filters against their definition, bin by bin."""

import numpy as np
import pytest

from bayeszoo.formula.convolution import SHORT, Filtered, convolve, lay_out

SHAPES = [(1, 1), (2, 3), (7, 1), (50, 4), (130, 2)]


def by_definition(series, kernel, lag):
    """out[t, (s, k)] = sum_j kernel[j, k] x[t - lag - j, s], bin by bin."""
    bins, sources = series.shape
    out = np.zeros((bins, sources, kernel.shape[1]))
    for t in range(bins):
        for j, row in enumerate(kernel):
            if 0 <= t - lag - j < bins:
                out[t] += np.outer(series[t - lag - j], row)
    return out.reshape(bins, -1)


@pytest.mark.parametrize("lag", [1, 0, 4, -1, -30, -200])
@pytest.mark.parametrize("window, basis", SHAPES)
def test_is_the_sum_of_its_definition(window, basis, lag):
    rng = np.random.default_rng(window)
    series, kernel = rng.normal(size=(311, 2)), rng.normal(size=(window, basis))
    expected = by_definition(series, kernel, lag)
    np.testing.assert_allclose(convolve(series, kernel, lag), expected, rtol=0, atol=1e-12)


def test_long_series_are_filtered_in_blocks():
    rng = np.random.default_rng(1)
    series, kernel = rng.poisson(0.2, (40_000, 1)).astype(float), rng.normal(size=(200, 8))
    found = convolve(series, kernel)
    for k in range(8):
        direct = np.convolve(series[:, 0], kernel[:, k])[: len(series) - 1]
        np.testing.assert_allclose(found[1:, k], direct, rtol=0, atol=1e-11)
    assert not found[0].any()


@pytest.mark.parametrize("lag", [1, 0, -5])
def test_stretches_never_see_each_other(lag):
    rng = np.random.default_rng(2)
    series, kernel = rng.normal(size=(400, 2)), rng.normal(size=(20, 3))
    stretch = rng.permutation(np.repeat([0, 1, 2, -1], [150, 200, 15, 35]))
    laid, at, whole = lay_out(series, stretch, 20, lag)
    filtered = Filtered(laid, at, kernel, lag, at >= 0, tuple(range(6)))
    values = filtered.values
    assert np.isnan(values[stretch < 0]).all()
    for code in range(3):
        own = np.flatnonzero(stretch == code)
        alone = by_definition(series[own], kernel, lag)
        np.testing.assert_allclose(values[own], alone, rtol=0, atol=1e-12)
        place = np.arange(len(own))
        inside = (place - lag - 19 >= 0) & (place - lag < len(own))
        np.testing.assert_array_equal(whole[own], inside)


def test_scattered_rows_are_those_of_the_whole():
    rng = np.random.default_rng(3)
    series, kernel = rng.normal(size=(1000, 2)), rng.normal(size=(30, 2))
    laid, at, _ = lay_out(series, np.zeros(1000, dtype=int), 30, 1)
    filtered = Filtered(laid, at, kernel, 1, at >= 0, tuple(range(4)))
    every = filtered.take(np.arange(1000))
    picked = np.sort(np.concatenate([rng.choice(400, 60, replace=False), np.arange(500, 700)]))
    assert (np.diff(picked) != 1).sum() > 10 and len(picked) > SHORT
    np.testing.assert_allclose(filtered.take(picked), every[picked], rtol=0, atol=1e-12)
    assert filtered.take(np.arange(0)).shape == (0, 4)
