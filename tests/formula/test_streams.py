"""Columns on disk: blocks, layouts and designs equal those of arrays in memory."""

import tracemalloc

import numpy as np
import pytest
import xarray as xr

import bayeszoo as bz
from bayeszoo.errors import DataError
from bayeszoo.formula import Vocabulary, learn, parse, read
from bayeszoo.formula.bases import BASES
from bayeszoo.formula.convolution import Filtered, lay_out
from bayeszoo.formula.features import Computed, Dense, blocks, held
from bayeszoo.formula.missing import missing_at
from bayeszoo.formula.streams import (
    SEGMENT,
    Held,
    OnDisk,
    Spread,
    Stream,
    Zeroed,
    rows_where,
)
from bayeszoo.formula.transforms import TRANSFORMS

ROWS, SOURCES = 1003, 3
VALUES = np.random.default_rng(0).normal(size=(ROWS, SOURCES)).astype(np.float32)
COUNTS = np.random.default_rng(1).poisson(0.4, (ROWS, 2)).astype(np.int8)


def counting(array, piece=10):
    """A stream over an array, and the list of what was read of it."""
    reads = []

    def get(start, stop):
        reads.append((start, stop))
        return array[start:stop]

    return OnDisk(get, array.shape, array.dtype, piece), reads


def streams():
    absent = np.arange(ROWS) % 7 == 0
    rows = np.arange(3, ROWS, 2)
    places = np.arange(len(rows)) * 3 + 5
    spread = np.zeros((places[-1] + 1, SOURCES))
    spread[places] = VALUES[rows]
    return [
        (Held(VALUES), VALUES),
        (counting(VALUES)[0], VALUES),
        (Zeroed(Held(VALUES), absent), np.where(absent[:, None], 0, VALUES)),
        (Spread(counting(VALUES)[0], rows, places), spread),
    ]


@pytest.mark.parametrize("stream, expected", streams())
def test_blocks_and_rows_are_those_of_the_array(stream, expected):
    assert stream.shape == expected.shape and len(stream) == len(expected)
    np.testing.assert_array_equal(np.asarray(stream), expected)
    np.testing.assert_array_equal(stream.block(7, 500), expected[7:500])
    assert stream.block(5, 9).dtype == np.float64
    for rows in (np.array([5, 400, 401]), np.array([9, 3, 3]), np.arange(4, 90), np.arange(0)):
        np.testing.assert_array_equal(stream[rows], expected[rows])
    pieces = list(stream.blocks(numbers=100))
    assert max(len(block) for _, block in pieces) == 33
    np.testing.assert_array_equal(np.concatenate([b for _, b in pieces]), expected)


def test_scattered_rows_of_long_streams_are_read_segment_by_segment():
    long = np.arange(2 * SEGMENT + 10)[:, None]
    stream, _ = counting(long, 1000)
    rows = np.array([0, 1, SEGMENT - 1, SEGMENT, 2 * SEGMENT + 9])
    np.testing.assert_array_equal(stream[rows][:, 0], rows)


def test_one_pass_reads_every_piece_once():
    big = np.zeros((6 * 2**20, 1), dtype=np.int8)
    stream, reads = counting(big, 2**20)
    for start in range(0, len(big), 100_000):
        stream.block(max(0, start - 500), min(start + 100_000, len(big)))
    assert len(reads) == len(set(reads)) and max(b - a for a, b in reads) <= 2**22


def test_rows_where_looks_at_floats_alone():
    values = VALUES.copy()
    values[[3, 900], 1] = np.nan
    found = rows_where(Held(values), np.isnan, numbers=50)
    assert np.flatnonzero(found).tolist() == [3, 900]
    assert not rows_where(Held(COUNTS), np.isfinite).any()


@pytest.mark.parametrize("values", [VALUES.astype(float), VALUES[:, 0].astype(float)])
def test_missing_rows_are_found_in_blocks(values):
    values, rows = values.copy(), np.arange(1, ROWS, 2)
    values[[0, 7, 501]] = np.nan
    lacks = missing_at("x", values, rows, "y ~ x", numbers=30)
    assert rows[lacks].tolist() == [7, 501]
    values[[9, 11]] = np.inf
    values[13] = 1e200
    with pytest.raises(DataError, match=r"`x` is infinite in 2 of 501 rows \(first: row 9 = inf"):
        missing_at("x", values, rows, "y ~ x", numbers=30)
    values[[9, 11]] = 0.0
    with pytest.raises(DataError, match=r"`x` exceeds 1e\+100 in 1 of 501 rows"):
        missing_at("x", values, rows, "y ~ x", numbers=30)


@pytest.mark.parametrize("stretch", ["one", "blocks", "mixed", "short"])
@pytest.mark.parametrize("lag", [1, -4])
def test_filters_of_streams_laid_out_while_read(stretch, lag):
    rng = np.random.default_rng(2)
    codes = {
        "one": np.zeros(ROWS, dtype=int),
        "blocks": np.repeat([0, 1, -1, 2], [400, 300, 3, 300]),
        "mixed": rng.permutation(np.repeat([0, 1, -1, 2], [400, 300, 3, 300])),
        "short": np.arange(ROWS) // 30,
    }[stretch]
    kernel = rng.normal(size=(12, 2))
    found = []
    for source, most in ((VALUES, 2**28), (counting(VALUES)[0], 0)):
        laid, at, defined = lay_out(source, codes, len(kernel), lag, held_bytes=most)
        filtered = Filtered(laid, at, kernel, lag, defined, tuple(range(6)))
        found.append((at, defined, filtered.values, filtered.take(np.flatnonzero(defined)[::5])))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    assert isinstance(laid, OnDisk if stretch == "one" else Spread)


def test_designs_are_computed_above_a_limit_of_memory():
    computed = Computed((50, 2), lambda rows: VALUES[:50, :2][rows].astype(float))
    dense = held(computed)
    assert isinstance(dense, Dense) and isinstance(held(computed, most=799), Computed)
    rows = np.array([3, 20, 41])
    np.testing.assert_array_equal(dense.take(rows), computed.take(rows))
    np.testing.assert_array_equal(dense.block(3, 40), computed.block(3, 40))


def test_a_pass_over_filters_holds_one_block(tmp_path):
    rows, sources = 40_000, 20
    np.save(tmp_path / "x.npy", np.random.default_rng(3).poisson(1, (rows, sources)).astype("i1"))
    series = np.load(tmp_path / "x.npy", mmap_mode="r")
    stretch, kernel = np.arange(rows) // 10_000, np.random.default_rng(4).normal(size=(9, 3))
    laid, at, defined = lay_out(series, stretch, len(kernel), 1, held_bytes=0)
    filtered = Filtered(laid, at, kernel, 1, defined, tuple(range(60)))
    every = np.flatnonzero(defined)
    features = Computed((len(every), 60), lambda picked: filtered.take(every[picked]))
    tracemalloc.start()
    try:
        total = sum(block.sum(axis=0) for _, block in blocks(features, bytes_held=10**6))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5e6 < 8 * rows * sources  # the columns alone would take 19 MB
    np.testing.assert_allclose(total, filtered.take(every).sum(axis=0), rtol=1e-10)


FORMULA = "spikes ~ conv(stim, raised_cos_log(3, 12)) + conv(spikes, history(2), pad='zero') + stim"


def design(data):
    table = read(data)
    roles = {name: t.role for name, t in TRANSFORMS.items()} | dict.fromkeys(BASES, "basis")
    return learn(parse(FORMULA, Vocabulary(roles, tuple(table.columns))), table)


def same_design(data):
    schema, found = design(data)
    reference, expected = design({"stim": VALUES.astype(float), "spikes": COUNTS.astype(float)})
    assert [t.size for t in schema.predictors[0].own] == [9, 4, 3]
    assert schema.rows == reference.rows
    np.testing.assert_array_equal(found.response["y"], expected.response["y"])
    arrays, theirs = found.predictors["mu"].own, expected.predictors["mu"].own
    np.testing.assert_allclose(arrays.block(0, 900), theirs.block(0, 900), rtol=1e-12, atol=1e-12)


def test_memory_mapped_columns(tmp_path):
    data = {}
    for name, array in {"stim": VALUES, "spikes": COUNTS}.items():
        np.save(tmp_path / f"{name}.npy", array)
        data[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    assert read(data).stream("stim").dtype == np.float32
    same_design(data)


def test_columns_of_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        data = {
            name: file.create_dataset(name, data=array, chunks=(100, array.shape[1]))
            for name, array in {"stim": VALUES, "spikes": COUNTS}.items()
        }
        assert isinstance(read(data).columns["stim"], Stream)
        same_design(data)


def test_columns_of_zarr(tmp_path):
    zarr = pytest.importorskip("zarr")
    data = {}
    for name, array in {"stim": VALUES, "spikes": COUNTS}.items():
        data[name] = zarr.create_array(
            store=str(tmp_path / f"{name}.zarr"),
            shape=array.shape,
            dtype=array.dtype,
            chunks=(100, array.shape[1]),
        )
        data[name][:] = array
    assert isinstance(read(data).columns["stim"], OnDisk)
    same_design(data)


@pytest.mark.parametrize("chunks", [None, {}])
def test_xarray_opened_from_zarr_stays_on_disk(tmp_path, chunks):
    pytest.importorskip("zarr")
    if chunks is not None:
        pytest.importorskip("dask.array")
    dims = {"stim": ("time", "channel"), "spikes": ("time", "neuron")}
    data = {"stim": VALUES, "spikes": COUNTS}
    seconds = 0.01 * np.arange(ROWS)
    whole = xr.Dataset({n: (dims[n], a) for n, a in data.items()}, coords={"time": seconds})
    path = str(tmp_path / "data.zarr")
    whole.to_zarr(path, zarr_format=2, consolidated=False)
    opened = xr.open_zarr(path, chunks=chunks, consolidated=False)
    table = read(opened)
    assert isinstance(table.columns["stim"], OnDisk) and table.time is not None
    assert table.second_dimension("stim") == ("channel", (0, 1, 2))
    same_design(opened)
    assert not opened["stim"].variable._in_memory


def test_dask_arrays_stay_unread():
    dask = pytest.importorskip("dask.array")
    data = {"stim": dask.from_array(VALUES, chunks=(100, 2)), "spikes": COUNTS}
    assert isinstance(read(data).columns["stim"], OnDisk)
    same_design(data)


def test_a_fit_from_disk_is_that_from_memory(tmp_path):
    np.save(tmp_path / "stim.npy", VALUES)
    np.save(tmp_path / "spikes.npy", COUNTS)
    mapped = {n: np.load(tmp_path / f"{n}.npy", mmap_mode="r") for n in ("stim", "spikes")}
    held_ = {"stim": VALUES.astype(float), "spikes": COUNTS.astype(float)}
    formula = "spikes ~ conv(stim, raised_cos_log(3, 12))"
    options = {"family": "poisson", "method": "map", "progress": False}
    one, other = (bz.fit(formula, data, **options) for data in (mapped, held_))
    np.testing.assert_allclose(one.summary()["mean"], other.summary()["mean"], rtol=1e-10)
    assert one.score() == pytest.approx(other.score(), rel=1e-12)
    np.testing.assert_allclose(one.predict(mapped)[:, :, 12:], other.predict(), rtol=1e-9)
    assert one.idata["constant_data"]["stim"].shape == (ROWS - 12, 3)
