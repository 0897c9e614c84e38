"""Differences and ratios of mean responses between levels of a variable."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import LevelError, OptionError, listing, nearest, shown
from ...zoo.links import LINKS
from ..options import choice
from .answers import Answers, tabulate
from .cells import Cells, find_cells
from .intervals import check_interval
from .ratios import check_denominators, check_response
from .request import Request, ask
from .values import as_stored, match

if TYPE_CHECKING:
    from ..fit import Fit

SCALES = ("difference", "ratio")
AGAINST = ("reference", "pairwise", "sequential")


def contrasts(
    fit: Fit,
    variable: str,
    by: Any = None,
    *,
    scale: str = "difference",
    against: Any = "reference",
    at: Any = None,
    groups: str | None = None,
    average: str = "grid",
    prob: float = 0.95,
    interval: str = "equal",
    rope: Any = None,
) -> pd.DataFrame:
    """Compares mean responses between levels of a variable, all else being equal.

        m(b) - m(a)   or   m(b) / m(a),   m as `means` defines it

    Args:
        fit: the fit.
        variable: a factor, whose levels are compared; or a column of numbers, of which the higher of
            two distinct values is compared with the lower one, or, where there are more, half a unit
            above its mean with half a unit below it.
        by: columns that tell answers apart, as in `means`.
        scale: `difference` or `ratio`.
        against: `reference`, the first level; `pairwise`; `sequential`, each against the one before;
            or a level.
        at: values of any columns, as in `means`; those of the variable itself are the ones compared,
            such as `{"Days": [0, 9]}`.
        groups: as in `means`.
        average: as in `means`.
        prob: probability of the interval.
        interval: `equal` or `hdi`.
        rope: a region of practical equivalence (low, high), of a ratio on the ratio's scale.

    Returns:
        Columns of `by`, then `contrast` ("b - a"), `mean sd lower upper p_positive p_direction` and,
        for frequentist fits, `se df statistic p_value`. p_positive is the probability that the
        difference is above 0, or the ratio above 1, and p_direction that of the likelier side. The
        intervals and tests of frequentist ratios are those of their logarithm.

    Raises:
        OptionError: an unknown column or option, nothing to compare, or a ratio to a mean that may
            be 0.
        LevelError: an unknown level.

    Example:
        >>> fit.contrasts("stim", by="mouse", scale="ratio")  # doctest: +SKIP
    """
    choice("scale", scale, SCALES)
    check_interval(prob, interval, rope)
    request = ask(fit, by, at, groups, average, variable)
    values = _values(request, variable)
    pairs = _pairs(against, values, variable)
    if scale == "ratio":
        check_response(fit)
    cells = find_cells(fit, request.comparing(variable, values))
    upper, lower, which = _places(cells, variable, len(values), pairs)
    if scale == "ratio":
        check_denominators(fit, cells, lower)
    sign = {"difference": "-", "ratio": "/"}[scale]
    names = [f"{_text(values[i])} {sign} {_text(values[j])}" for i, j in pairs]
    keys = cells.keys(request.by, upper)
    keys["contrast"] = [names[k] for k in which]
    answers = (_ratios if scale == "ratio" else _differences)(cells, upper, lower)
    table = tabulate(fit, answers, prob, interval, rope, direction=True)
    return pd.concat([keys, table], axis=1)


def _values(request: Request, variable: str) -> list[Any]:
    """The values that are compared, the reference first."""
    columns = request.columns
    if variable in request.values:
        values = list(request.values[variable])
        hint = "at= gives it one value only."
    elif variable == columns.dim and columns.schema.neurons is not None:
        values, hint = list(columns.schema.neurons.labels), ""
    elif columns.find(variable, "variable").factor:
        values, hint = list(columns.levels(variable)), "it has one level only."
    else:
        numbers = columns.numbers(variable)
        values = as_stored(variable, np.unique(numbers).tolist(), columns)
        hint = "it has one value only."
        if len(values) > 2:
            middle = float(numbers.mean())
            values = [middle - 0.5, middle + 0.5]
    if len(values) < 2:
        raise OptionError(f"there is nothing to compare in `{variable}`: {hint}")
    return values


def _pairs(against: Any, values: list[Any], variable: str) -> list[tuple[int, int]]:
    """Which value is compared with which."""
    count = len(values)
    if isinstance(against, str) and against in AGAINST:
        return {
            "reference": [(i, 0) for i in range(1, count)],
            "pairwise": [(j, i) for i, j in itertools.combinations(range(count), 2)],
            "sequential": [(i + 1, i) for i in range(count - 1)],
        }[against]
    try:
        level = values.index(match(against, tuple(values), variable))
    except LevelError:
        raise OptionError(
            f"against= takes {listing(repr(a) for a in AGAINST)}, or a level of `{variable}` "
            f"({listing(map(str, values))}), not {shown(against)}."
            f"{nearest(str(against), [*AGAINST, *map(str, values)])}"
        ) from None
    return [(i, level) for i in range(count) if i != level]


def _places(
    cells: Cells, variable: str, count: int, pairs: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cells of every comparison, and which pair it is; where a cell is lacking there is none."""
    at = cells.names.index(variable)
    rest = np.delete(cells.codes, at, axis=1)
    _, key = np.unique(rest, axis=0, return_inverse=True)
    key = key.reshape(-1)
    place = np.full((int(key.max()) + 1, count), -1)
    place[key, cells.codes[:, at]] = np.arange(len(key))
    upper, lower = (place[:, [pair[side] for pair in pairs]] for side in (0, 1))
    exist = (upper >= 0) & (lower >= 0)
    which = np.broadcast_to(np.arange(len(pairs)), exist.shape)
    return upper[exist], lower[exist], which[exist]


def _differences(cells: Cells, upper: np.ndarray, lower: np.ndarray) -> Answers:
    def minus(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[..., upper] - array[..., lower]

    gradient = None if cells.gradient is None else minus(cells.gradient.T)
    return Answers(
        minus(cells.draws),
        minus(cells.value),
        None if gradient is None else gradient.T,
        minus(cells.rest),
    )


def _ratios(cells: Cells, upper: np.ndarray, lower: np.ndarray) -> Answers:
    def over(array: np.ndarray | None) -> np.ndarray | None:
        return None if array is None else array[..., upper] / array[..., lower]

    ratio, gradient, rest = over(cells.value), None, None
    if cells.gradient is not None and cells.value is not None and ratio is not None:
        relative = cells.gradient / cells.value[:, None]
        gradient = ratio[:, None] * (relative[upper] - relative[lower])
        if cells.rest is not None:  # the means themselves depend on it, even where it is the same
            rest = cells.rest[:, upper]
    return Answers(over(cells.draws), ratio, gradient, rest, LINKS["log"], 1.0)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
