"""Checks of what simulators are asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import OptionError, shown


def whole(name: str, value: Any, low: int) -> int:
    """Returns a whole number of at least `low`.

    Raises:
        OptionError: it is not one.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < low:
        raise OptionError(f"{name}= takes a whole number of at least {low}, not {shown(value)}.")
    return int(value)


def number(
    name: str, value: Any, low: float, high: float = math.inf, *, open: bool = False
) -> float:
    """Returns a finite number from `low` to `high`; with `open`, greater than `low`.

    Raises:
        OptionError: it is not one.
    """
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not low <= value <= high or (open and value == low):
        bounds = f"above {low:g}" if open else f"of at least {low:g}"
        bounds = "of any size" if low == -math.inf else bounds
        bounds += f" and at most {high:g}" if math.isfinite(high) else ""
        raise OptionError(f"{name}= takes a finite number {bounds}, not {shown(value)}.")
    return float(value)


def names(letter: str, count: int) -> list[str]:
    """Returns labels such as m01, m02, ..., which sort in their order."""
    width = max(2, len(str(count)))
    return [f"{letter}{i:0{width}d}" for i in range(1, count + 1)]
