"""Derivatives of the mean response by a variable: average marginal effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError, listing, shown
from .answers import tabulate
from .cells import find_cells
from .intervals import check_interval
from .request import ask

if TYPE_CHECKING:
    from ..fit import Fit


def slopes(
    fit: Fit,
    variable: str,
    by: Any = None,
    *,
    at: Any = None,
    groups: str | None = None,
    average: str = "grid",
    prob: float = 0.95,
    interval: str = "equal",
    rope: Any = None,
) -> pd.DataFrame:
    """Returns how steeply the mean response rises with a numeric variable.

        d m / dx = average over rows of sum_p (dm / deta_p) (deta_p / dx)

    eta_p are the linear predictors of all modelled parameters. The first factor is the automatic
    derivative of links and the family's mean, the second that of the design's columns, so that
    interactions, splines, further lines of the formula, offsets and slopes of groups all count.

    Args:
        fit: the fit.
        variable: a column of numbers.
        by: columns that tell answers apart, as in `means`.
        at: values of any columns, as in `means`; for the variable itself where to take the slope, by
            default at its mean. Several values are averaged; name them apart with `by`.
        groups: as in `means`.
        average: as in `means`; with `rows`, slopes are averaged over the variable's own values.
        prob: probability of the interval.
        interval: `equal` or `hdi`.
        rope: a region of practical equivalence (low, high).

    Returns:
        Columns of `by`, then `mean sd lower upper p_positive p_direction`, in units of the response
        per unit of the variable, and `se df statistic p_value` for frequentist fits.

    Raises:
        OptionError: an unknown column or option, or a variable that has levels.
        LevelError: an unknown level.

    Example:
        >>> fit.slopes("Days", by="Subject")  # doctest: +SKIP
    """
    check_interval(prob, interval, rope)
    request = ask(fit, by, at, groups, average, None)
    columns = request.columns
    if columns.find(variable, "variable").factor:
        numeric = [n for n, c in columns.known.items() if not (c.factor or c.temporal or c.wide)]
        raise OptionError(
            f"`{variable}` has levels ({listing(columns.levels(variable), 5)}) and so no slope; "
            f"compare them by fit.contrasts({shown(variable)}). Columns of numbers: "
            f"{listing(numeric) or 'none'}."
        )
    cells = find_cells(fit, request, variable)
    table = tabulate(fit, cells.answers(), prob, interval, rope, direction=True)
    keys = cells.keys(request.by, np.arange(len(cells.codes)))
    return pd.concat([keys, table], axis=1)
