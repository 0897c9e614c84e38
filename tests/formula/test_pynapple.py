"""Time series and spikes of pynapple become columns with one time axis."""

import copy
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayeszoo.errors import DataError, DataTypeError
from bayeszoo.formula import read
from bayeszoo.formula.time_axis import bin_width, stretches

nap = pytest.importorskip("pynapple")

N = 200
STEP = 0.05
rng = np.random.default_rng(11)
TIMES = np.round(3 + np.arange(N) * STEP, 9)
SUPPORT = nap.IntervalSet([0.0, 20.0, 40.02], [9.98, 25.0, 44.0])


def units(seed=0, support=SUPPORT, keys=(7, 2, 30)):
    """Spikes at random times, on edges of bins, and at the ends of intervals."""
    draw = np.random.default_rng(seed)
    ends = support.values.ravel()
    trains = {}
    for key in keys:
        edges = np.round(draw.integers(0, 4500, 300) * 0.01, 2)
        trains[key] = np.sort(np.concatenate([draw.uniform(-1, 46, 400), edges, ends]))
    return nap.TsGroup({k: nap.Ts(t) for k, t in trains.items()}, time_support=support)


def counted(group, width):
    """pynapple's counts, and the interval of each bin."""
    counts = group.count(width)
    return counts, np.searchsorted(group.time_support.start, counts.t, side="right") - 1


@pytest.mark.parametrize("width", [0.01, 0.05, 0.1, 1 / 30, 1 / 3, 0.007, 2**-7, 1.0, 7, 4.9])
@pytest.mark.parametrize("seed", [0, 1])
def test_spikes_are_counted_as_pynapple_counts_them(width, seed):
    group = units(seed)
    counts, epochs = counted(group, width)
    table = read({"spikes": group, "bin_width": width})
    assert table.rows == len(counts) > 1
    assert list(table.columns) == ["spikes", "time"]
    assert table.second_dimension("spikes") == ("neuron", (2, 7, 30))
    np.testing.assert_array_equal(table.numeric("spikes"), counts.values)
    np.testing.assert_array_equal(table.time.values, counts.t)
    np.testing.assert_array_equal(table.numeric("time"), counts.t)
    np.testing.assert_array_equal(table.time.epochs, epochs)


@pytest.mark.parametrize("seed", range(20))
def test_spikes_of_any_support_are_counted_as_pynapple_counts_them(seed):
    draw = np.random.default_rng(seed)
    ends = np.sort(draw.uniform(0, 45, 12))
    group = units(seed, nap.IntervalSet(ends[::2], ends[1::2]))
    width = float(draw.choice([0.02, 0.25, 1.0]))
    counts, epochs = counted(group, width)
    table = read({"bin_width": width, "spikes": group})
    np.testing.assert_array_equal(table.numeric("spikes"), counts.values)
    np.testing.assert_array_equal(table.time.values, counts.t)
    np.testing.assert_array_equal(table.time.epochs, epochs)


@pytest.mark.parametrize("width", [0.01, 0.05, 0.1, 1 / 30, 0.007])
def test_bins_around_the_times_of_counts_give_the_counts_again(width):
    group = units()
    counts, epochs = counted(group, width)
    first = counts[:, 0]
    for table in (
        read({"spikes": group, "x": first}),
        read({"x": first, "spikes": group, "time": counts.t}),
        read({"x": first, "spikes": group, "bin_width": width}),
    ):
        np.testing.assert_array_equal(table.numeric("spikes"), counts.values)
        np.testing.assert_array_equal(table.time.values, counts.t)
        np.testing.assert_array_equal(table.time.epochs, epochs)


def test_a_key_time_gives_the_centres_of_bins():
    spikes = nap.TsGroup({4: nap.Ts([2.9, 2.975, 3.0, 3.0249, 3.025, 12.974, 12.975, 99.0])})
    table = read({"time": TIMES, "spikes": spikes, "event": nap.Ts([3.0, 3.01, 3.16])})
    expected = np.zeros(N)
    expected[[0, 1, -1]] = 3, 1, 1
    np.testing.assert_array_equal(table.numeric("spikes"), expected[:, None])
    events = table.numeric("event")
    assert (events.shape, events[[0, 3]].tolist(), events.sum()) == ((N,), [2, 1], 3)
    assert table.time.epochs.tolist() == [0] * N


def test_spikes_in_a_gap_of_time_are_not_counted():
    gappy = np.delete(TIMES, range(50, 60))
    spikes = nap.Ts(TIMES)
    table = read({"spikes": spikes, "x": nap.Tsd(gappy, np.zeros(len(gappy)))})
    assert table.numeric("spikes").tolist() == [1] * (N - 10)


def test_nearly_equal_steps_lose_no_spikes():
    jittered = TIMES + np.random.default_rng(0).uniform(-0.002, 0.002, N) * STEP
    spikes = nap.Ts(np.sort(np.random.default_rng(1).uniform(TIMES[0], TIMES[-1], 100_000)))
    table = read({"spikes": spikes, "x": nap.Tsd(jittered, np.zeros(N))})
    assert table.numeric("spikes").sum() == 100_000


def test_series_become_columns_on_one_time_axis():
    support = nap.IntervalSet([3.0, 8.0], [7.98, 13.0])
    speed = nap.Tsd(TIMES, rng.normal(size=N), time_support=support)
    lfp = nap.TsdFrame(
        TIMES + 5e-10, rng.normal(size=(N, 2)), columns=["ca1", "ca3"], time_support=support
    )
    x = rng.normal(size=N)
    data = {"x": x, "lfp": lfp, "speed": speed, "pair": rng.normal(size=(N, 2))}
    before = copy.deepcopy(data)
    table = read(data)
    assert list(table.columns) == ["x", "lfp", "speed", "pair", "time"]
    assert table.second_dimension("lfp") == ("neuron", ("ca1", "ca3"))
    assert table.second_dimension("pair") == ("neuron", (0, 1))
    for name, values in {"x": x, "lfp": lfp.values, "speed": speed.values}.items():
        np.testing.assert_array_equal(table.numeric(name), values)
    np.testing.assert_array_equal(table.time.values, lfp.t)
    assert np.bincount(table.time.epochs).tolist() == [100, 100]
    assert bin_width(table.time) == pytest.approx(STEP, rel=1e-9)
    assert np.bincount(stretches(table.time)[0]).tolist() == [100, 100]
    for name, values in before.items():
        np.testing.assert_array_equal(np.asarray(values), np.asarray(data[name]))


def test_xarray_and_pandas_stand_beside_pynapple():
    table = read(
        {
            "speed": nap.Tsd(TIMES, np.zeros(N)),
            "lfp": xr.DataArray(np.ones(N), {"time": TIMES}, ("time",)),
            "time": TIMES,
            "place": pd.DataFrame(np.ones((N, 2)), columns=["x", "y"]),
            "state": ["a", "b"] * (N // 2),
        }
    )
    assert table.second_dimension("place") == ("neuron", ("x", "y"))
    assert table.categorical("state").levels == ("a", "b")
    assert table.time.values.tolist() == TIMES.tolist()


def test_times_of_events_are_counted_in_the_bins_of_the_units():
    table = read({"cue": nap.Ts([1.0, 1.005, 21.0, 30.0]), "spikes": units(), "bin_width": 0.01})
    cue = table.numeric("cue")
    assert cue.sum() == 3
    assert cue[table.time.epochs == 0].sum() == 2
    alone = read({"cue": nap.Ts([1.0, 1.25, 2.0]), "bin_width": 0.5})
    assert alone.numeric("cue").tolist() == [2, 0]


speed = nap.Tsd(TIMES, np.zeros(N))
late = nap.Tsd(TIMES + 0.001, np.zeros(N))
short = nap.Tsd(TIMES[:150], np.zeros(150))
uneven = nap.Tsd(np.sort(rng.uniform(0, 10, N)), np.zeros(N))
spikes = units()
other = units(1, nap.IntervalSet(0, 30))


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ({"s": spikes}, DataError, '`s` holds times of spikes; "bin_width": 0.01'),
        ({"s": nap.Ts([1.0, 2]), "x": [1.0, 2]}, DataError, '"bin_width": 0.01'),
        ({"a": speed, "b": short}, DataError, "two time axes that differ; `a` has 200; `b` 150"),
        ({"a": speed, "b": late}, DataError, "row 0: 3 s and 3.001 s; b.interpolate(a)"),
        ({"a": speed, "time": TIMES + 1}, DataError, "`a`; `time`; row 0: 3 s and 4 s"),
        ({"time": TIMES[:5], "a": speed}, DataError, "`a` has 200 times and `time` 5"),
        ({"a": speed, "x": np.zeros(3)}, DataError, "different lengths: `a` 200, `x` 3"),
        ({"s": spikes, "x": np.zeros(3), "bin_width": 1}, DataError, "different lengths; `x` 3"),
        ({"a": uneven, "s": spikes}, DataError, "`s` is counted; unequal sampling; Resample"),
        ({"s": spikes, "time": [0.0, 2, 1]}, DataError, "`s` is counted; unsorted time"),
        ({"s": spikes, "a": speed, "bin_width": 0.1}, DataError, "0.1 s; 0.05 s; Leave"),
        ({"s": spikes, "bin_width": 0}, DataError, "positive number such as 0.01, not 0"),
        ({"s": spikes, "bin_width": -0.1}, DataError, "not -0.1"),
        ({"s": spikes, "bin_width": np.nan}, DataError, "not nan"),
        ({"s": spikes, "bin_width": 1e-12}, DataError, "not 1e-12"),
        ({"s": spikes, "bin_width": "10ms"}, DataError, "not '10ms'"),
        ({"s": spikes, "bin_width": True}, DataError, "`bin_width` is the width"),
        ({"s": spikes, "bin_width": np.ones(4)}, DataError, "not ndarray"),
        ({"s": spikes, "bin_width": 100.0}, DataError, "no bin of 100 s; longest; 9.98 s"),
        ({"a": speed, "bin_width": 0.01}, DataError, "no entry holds spikes"),
        (
            {"s": spikes, "r": other, "bin_width": 0.1},
            DataError,
            "`s` and `r` differ; r.restrict(s",
        ),
        ({"s": nap.TsGroup({}, time_support=SUPPORT), "a": speed}, DataError, "`s` has no units"),
        ({"s": SUPPORT, "a": speed}, DataTypeError, "`s` is a pynapple IntervalSet; TsGroup"),
        (
            {"v": nap.TsdTensor(TIMES, np.zeros((N, 2, 2)))},
            DataTypeError,
            "`v` is a pynapple TsdTensor",
        ),
        (spikes, DataTypeError, "type TsGroup cannot be read; into a dict"),
        (speed, DataTypeError, "type Tsd cannot be read; into a dict"),
        (SUPPORT, DataTypeError, "type IntervalSet cannot be read"),
    ],
)
def test_what_cannot_be_one_table_is_refused(data, kind, words):
    with pytest.raises(kind) as caught:
        read(data)
    message = str(caught.value)
    assert all(word.strip() in message for word in words.split(";")), message
    assert not re.search(r"object at 0x", message)
