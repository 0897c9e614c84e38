"""Statistics of a response that predictive checks compare: one number of all rows of a group.

Each takes an array (..., rows) and reduces the last axis, so that many replicated responses are
summarised at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import OptionError, listing, nearest, shown
from ..zoo.family import BINARY, COUNT, POSITIVE, REAL, UNIT, Support

NUMBERS = (REAL, POSITIVE, UNIT, COUNT)


@dataclass(frozen=True)
class Statistic:
    """A statistic of the response.

    Attributes:
        name: its name.
        compute: (array (..., rows)) -> (...).
        supports: the responses that it is shown for unless others are asked for.
    """

    name: str
    compute: Callable[[np.ndarray], np.ndarray]
    supports: tuple[Support, ...] = ()


def _sd(y: np.ndarray) -> np.ndarray:
    return y.std(axis=-1)


def _skewness(y: np.ndarray) -> np.ndarray:
    centred = y - y.mean(axis=-1, keepdims=True)
    sd = np.sqrt((centred**2).mean(axis=-1))
    # of equal values there is none, whatever rounding says
    sd = np.where(sd > 1e-12 * np.abs(y).max(axis=-1), sd, np.nan)
    return (centred**3).mean(axis=-1) / sd**3


def _dispersion(y: np.ndarray) -> np.ndarray:
    mean = y.mean(axis=-1)
    return y.var(axis=-1) / np.where(mean == 0, np.nan, mean)


def _quantile(q: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda y: np.quantile(y, q, axis=-1)


STATISTICS: dict[str, Statistic] = {
    s.name: s
    for s in (
        Statistic("mean", lambda y: y.mean(axis=-1), (*NUMBERS, BINARY)),
        Statistic("sd", _sd, NUMBERS),
        Statistic("min", lambda y: y.min(axis=-1), NUMBERS),
        Statistic("q05", _quantile(0.05), (REAL, POSITIVE, UNIT)),
        Statistic("median", _quantile(0.5), NUMBERS),
        Statistic("q95", _quantile(0.95), NUMBERS),
        Statistic("max", lambda y: y.max(axis=-1), NUMBERS),
        Statistic("skewness", _skewness, NUMBERS),
        Statistic("zeros", lambda y: (y == 0).mean(axis=-1), (COUNT,)),
        Statistic("dispersion", _dispersion, (COUNT,)),
    )
}
"""The built-in statistics: sd with n in the denominator, `zeros` the share of zeros, `dispersion` the
ratio of variance to mean."""


def choose(wanted: Any, support: Support) -> tuple[Statistic, ...]:
    """Returns the statistics that are asked for.

    Args:
        wanted: None for those that suit the response; a name; a function; a dictionary from names to
            functions; or several names and functions.
        support: the values that the response may take.

    Raises:
        OptionError: an unknown name, or something that is neither a name nor a function.
    """
    if wanted is None:
        return tuple(s for s in STATISTICS.values() if support in s.supports)
    if isinstance(wanted, Mapping) and wanted:
        return tuple(_own(str(name), function) for name, function in wanted.items())
    items = [wanted] if isinstance(wanted, str) or callable(wanted) else wanted
    if not isinstance(items, list | tuple) or not items:
        raise OptionError(_wrong(wanted))
    return tuple(
        _known(item)
        if isinstance(item, str)
        else _own(getattr(item, "__name__", "statistic"), item)
        for item in items
    )


def _known(name: str) -> Statistic:
    if name not in STATISTICS:
        raise OptionError(
            f"there is no statistic `{name}`.{nearest(name, STATISTICS)} Known: {listing(STATISTICS)}; "
            "or give a dictionary from names to functions of the response."
        )
    return STATISTICS[name]


def _wrong(value: object) -> str:
    return (
        "statistics= takes names, or a dictionary from names to functions of the response, not "
        f"{shown(value)}. Names: {listing(STATISTICS)}."
    )


def _own(name: str, function: Any) -> Statistic:
    """Wraps a user's function of one data set."""
    if not callable(function):
        raise OptionError(_wrong(function))

    def one(y: np.ndarray) -> float:
        wanted = (
            f"the statistic `{name}` must turn the responses, an array of shape ({y.size},), into one "
            "number, but"
        )
        try:
            value: Any = function(y)
        except Exception as error:
            raise OptionError(f"{wanted} your function failed: {error}") from None
        try:
            return float(value)
        except Exception:
            raise OptionError(f"{wanted} returned {shown(value)}.") from None

    def compute(y: np.ndarray) -> np.ndarray:
        flat = np.reshape(y, (-1, y.shape[-1]))
        return np.array([one(row) for row in flat]).reshape(y.shape[:-1])

    return Statistic(name, compute)
