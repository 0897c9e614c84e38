"""Intervals of draws: equal tails, or the highest density."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import OptionError, shown
from ..options import choice, number

INTERVALS = ("equal", "hdi")


def check_interval(prob: Any, interval: Any, rope: Any) -> None:
    """Checks the options of an interval.

    Raises:
        OptionError: prob is no number between 0 and 1, interval is unknown, or rope is no pair of
            ascending numbers.
    """
    number("prob", prob, 0.0, 1.0)
    choice("interval", interval, INTERVALS)
    if rope is None:
        return
    pair = np.asarray(rope) if isinstance(rope, list | tuple | np.ndarray) else np.zeros(0)
    good = pair.shape == (2,) and pair.dtype.kind in "iuf"
    if not good or not pair[0] < pair[1]:
        raise OptionError(
            "rope= takes the region of practical equivalence as (low, high), such as (-0.1, 0.1), not "
            f"{shown(rope)}."
        )


def equal_tails(draws: np.ndarray, prob: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the quantiles that leave out equal shares, each of shape draws.shape[1:]."""
    tail = (1 - prob) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return low, high


def highest_density(draws: np.ndarray, prob: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the shortest interval that holds a share of the draws, each of shape draws.shape[1:].

    Args:
        draws: shape (sample, ...).
        prob: the share.
    """
    ordered = np.sort(draws, axis=0)
    count = len(ordered)
    inside = min(int(np.floor(prob * count)), count - 1)
    widths = ordered[inside:] - ordered[: count - inside]
    best = np.argmin(widths, axis=0)[None]
    low = np.take_along_axis(ordered, best, axis=0)[0]
    high = np.take_along_axis(ordered, best + inside, axis=0)[0]
    return low, high


def interval_of(draws: np.ndarray, prob: float, interval: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lower and upper ends of intervals, each of shape draws.shape[1:]."""
    find = {"equal": equal_tails, "hdi": highest_density}[interval]
    return find(draws, prob)
