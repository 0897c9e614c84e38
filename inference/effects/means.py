"""Mean responses on the response's scale: adjusted, or marginal, means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...formula.terms import MEAN
from .answers import tabulate
from .cells import find_cells
from .intervals import check_interval
from .request import ask

if TYPE_CHECKING:
    from ..fit import Fit


def means(
    fit: Fit,
    by: Any = None,
    *,
    at: Any = None,
    groups: str | None = None,
    average: str = "grid",
    prob: float = 0.95,
    interval: str = "equal",
    rope: Any = None,
) -> pd.DataFrame:
    """Returns the mean response for each level of some columns, with intervals.

        m(by) = average over rows of E[y | predictors of the row, by]

    The rows are those of a reference grid: every level of the other factors with equal weight, other
    numbers (those of offsets too) at their mean over the rows used; or with `average="rows"` all
    training rows, with the columns of `by` and `at` set to their values. Models with terms that read
    other bins (`conv`, `lags`, `lag`) always average over rows. A factor that is nested in another, as
    neurons in mice, stands only with the levels that it occurs with.

    A mean is that of the response as modelled: of `log(y)` where the formula says so, and of successes
    per trial where it says `prop(successes, trials)`. It is the mean and not a transformed linear
    predictor, so that averages are on the response's scale.

    Args:
        fit: the fit.
        by: a column, or a list of columns. Factors take their levels, numbers their distinct values
            if those are at most ten, else about five round ones. Grouping factors take the
            combinations that occur. The response's second dimension (`neuron`) tells neurons apart;
            otherwise they are averaged.
        at: values of any columns, such as `{"Days": [0, 9]}`; several values of a column that `by` does
            not name are averaged.
        groups: `population` sets group effects to 0, `fitted` averages over fitted groups, and `new`
            integrates over the distribution of new groups (by quadrature for normal effects, within
            every draw, so that sds of groups shift means of nonlinear links). By default `population`,
            except that group terms whose factors are all in `by` or `at` use their fitted effects,
            which also holds with `new`.
        average: `grid` or `rows`.
        prob: probability of the interval.
        interval: `equal` tails, or `hdi`, the shortest one.
        rope: a region of practical equivalence (low, high), whose probability is then `p_rope`.

    Returns:
        Columns of `by`, then `mean sd lower upper p_positive` and, for frequentist fits,
        `se df statistic p_value`. Those are exact to first order (the delta method; intervals on the
        scale of the link), and df is Satterthwaite's for "lme"; where fitted group effects enter, the
        sd is that of the estimator's asymptotic draws. "map" has no interval.

    Raises:
        OptionError: an unknown column or option.
        LevelError: an unknown level.

    Example:
        >>> fit.means("Days", at={"Days": [0, 9]})  # doctest: +SKIP

    Source: Searle, Speed and Milliken (1980), Am. Stat. 34:216; Lenth's emmeans has the same grid.
    """
    check_interval(prob, interval, rope)
    request = ask(fit, by, at, groups, average)
    cells = find_cells(fit, request)
    link = dict(fit.model.spec.links)[MEAN]
    table = tabulate(fit, cells.answers(link), prob, interval, rope)
    keys = cells.keys(request.by, np.arange(len(cells.codes)))
    return pd.concat([keys, table], axis=1)
