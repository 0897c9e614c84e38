"""Bins have one width, gaps part stretches, and times that give no bins are refused."""

import numpy as np
import pytest

from bayeszoo.errors import DataError
from bayeszoo.formula.time_axis import TimeAxis, bin_width, runs, stretches


def axis(times, epochs=None):
    times = np.asarray(times, dtype=np.float64)
    epochs = np.zeros(len(times), dtype=int) if epochs is None else np.asarray(epochs)
    return TimeAxis("time", times, epochs)


@pytest.mark.parametrize(
    ("times", "width"),
    [
        (np.arange(100) * 0.01, 0.01),
        (np.arange(100) / 30, 1 / 30),
        (np.arange(10_000) / 30_000 + 5e5, 1 / 30_000),
        ((np.arange(1000) * 0.01).astype(np.float32), 0.01),
        (np.round(np.arange(100) / 3, 3), 1 / 3),
        (np.round(np.arange(2000) / 29.97, 4), 1 / 29.97),
        (np.delete(np.arange(100) * 0.1, [3, 4, 50]), 0.1),
        ([7, 8], 1.0),
        ([-3, -1, 1, 3], 2.0),
        (np.arange(100) * 0.0123456789, 0.0123456789),
    ],
    ids=str,
)
def test_the_width_of_a_bin(times, width):
    assert bin_width(axis(times)) == pytest.approx(width, rel=1e-12)


def test_steps_from_epoch_to_epoch_do_not_count():
    times, epochs = [0, 0.1, 0.2, 0.15, 0.25, 9.0], [0, 0, 0, 1, 1, 2]
    assert bin_width(axis(times, epochs)) == pytest.approx(0.1, rel=1e-12)
    found, missing = stretches(axis(times, epochs))
    assert (found.tolist(), missing) == ([0, 0, 0, 1, 1, 2], 0)


def test_gaps_part_stretches_and_missing_bins_are_counted():
    found, missing = stretches(axis(np.array([0, 1, 2, 4, 5, 9, 10]) * 0.1))
    assert (found.tolist(), missing) == ([0, 0, 0, 1, 1, 2, 2], 1 + 3)


def test_rows_of_one_group_need_not_be_neighbours():
    times = [0, 0, 1, 1, 2, 3, 3]
    groups = np.array([4, 2, 4, 2, 2, 4, 2])
    found, missing = stretches(axis(times), groups)
    assert (found.tolist(), missing) == ([0, 1, 0, 1, 1, 2, 1], 1)


def test_groups_may_start_anywhere_in_time():
    times = [5.03, 5.13, 0.0, 0.1, 0.2, 1.07]
    groups = np.array([1, 1, 0, 0, 0, 2])
    assert bin_width(axis(times), groups=groups) == pytest.approx(0.1, rel=1e-12)
    assert stretches(axis(times), groups)[0].tolist() == [0, 0, 1, 1, 1, 2]


def test_rows_of_no_group_belong_to_no_stretch_and_are_not_checked():
    times, groups = [0, 9, np.nan, 1, 2], np.array([0, -1, -1, 0, 0])
    found, missing = stretches(axis(times), groups)
    assert (found.tolist(), missing) == ([0, -1, -1, 0, 0], 0)
    found, missing = stretches(axis([0, 1, 2]), np.array([0, -1, 0]))
    assert bin_width(axis([0, 1, 2]), groups=np.array([0, -1, 0])) == 2.0
    assert stretches(axis([0, 1]), np.array([-1, -1]))[0].tolist() == [-1, -1]


def test_epochs_part_groups():
    found, _ = stretches(axis([0, 1, 2, 3], [0, 0, 1, 1]), np.array([3, 3, 3, 3]))
    assert found.tolist() == [0, 0, 1, 1]


def test_stretches_agree_with_a_loop():
    rng = np.random.default_rng(3)
    groups, epochs = rng.integers(-1, 4, 500), np.sort(rng.integers(0, 3, 500))
    times, clock = np.zeros(500), {}
    expected, seen, missing = [], 0, 0
    for i, key in enumerate(zip(groups, epochs, strict=True)):
        before, stretch = clock.get(key, (None, None))
        step = 1 + int(rng.random() < 0.2) * int(rng.integers(1, 5))
        times[i] = 0 if before is None else before + 0.02 * step
        if key[0] < 0:
            expected.append(-1)
            continue
        if before is None or step > 1:
            stretch, seen = seen, seen + 1
            missing += 0 if before is None else step - 1
        clock[key] = times[i], stretch
        expected.append(stretch)
    found, lost = stretches(axis(times, epochs), groups)
    assert (found.tolist(), lost) == (expected, missing)
    assert bin_width(axis(times, epochs), groups=groups) == pytest.approx(0.02, rel=1e-9)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (
            [0, 1, 2, 1.5, 3],
            ["unsorted time", "1 of 4 rows", "row 3 = 1.5", "Sort the rows", "by="],
        ),
        ([3, 2, 1], ["unsorted time", "2 of 2 rows", "row 1 = 2, row 2 = 1"]),
        ([0, 1, 1, 2], ["repeated time", "row 2 = 1", "by=trial"]),
        ([0, 0, 0], ["repeated time", "2 of 2"]),
        ([0, np.nan, 2], ["missing or infinite", "1 of 3 rows", "row 1 = nan"]),
        ([0, np.inf, 2], ["missing or infinite"]),
        ([0, 1, 2, 3.1, 4.1], ["unequal", "1 s in 1 of 4 rows", "row 3 = 3.1", "interpolate"]),
        ([0, 1, 2, 2.5], ["unequal", "row 3 = 2.5", "for example of 1 s"]),
        ([0, 1, 2, 3, 3.001, 4], ["unequal", "row 4 = 3.001"]),
        ([0, 1, 2, 7.3, 8.3], ["unequal", "row 3 = 7.3", "by=session"]),
        ([0, 0.97, 2], ["unequal"]),
        (np.logspace(0, 1, 50), ["unequal"]),
    ],
    ids=str,
)
def test_times_that_give_no_bins_are_refused(times, words):
    for check in (bin_width, stretches):
        with pytest.raises(DataError) as caught:
            check(axis(times), source="y ~ conv(x, history(3))")
        message = str(caught.value)
        assert all(word in message for word in words), message
        assert "\n  y ~ conv(x, history(3))\n" in message


@pytest.mark.parametrize("jitter", [0.004, -0.004])
def test_less_than_a_hundredth_of_a_bin_is_rounding(jitter):
    times = np.arange(20.0)
    times[7] += jitter
    found, missing = stretches(axis(times))
    assert (found.max(), missing) == (0, 0)


def test_without_two_rows_there_is_no_width():
    for times, groups in (([1.0], None), ([1.0, 2.0], np.array([0, 1]))):
        with pytest.raises(DataError, match="no two rows of one series"):
            bin_width(axis(times), groups=groups)
        assert len(set(stretches(axis(times), groups)[0])) == len(times)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (None, [0, 0, 0, 0]),
        ([7, 7, 2, 2], [0, 0, 1, 1]),
        ([7, 2, 7, 7], [0, 1, 2, 2]),
        ([0, -1, 0, -1], [0, -1, 1, -1]),
        ([-1, -1, 3, 3], [-1, -1, 0, 0]),
    ],
)
def test_runs(groups, expected):
    assert runs(None if groups is None else np.array(groups), 4).tolist() == expected
