"""The table of a fit: one row per printed parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..zoo.spec import ModelSpec
from .backend import Backend, Draws
from .convergence import diagnostics
from .effects.intervals import interval_of
from .variables import printed_rows, variables


def draws_by_name(
    spec: ModelSpec, natural: Mapping[str, Any], groups: bool = False
) -> dict[str, np.ndarray]:
    """Returns the draws of every printed parameter, each of shape (chain, draw)."""
    found, coords = variables(spec)
    out = {}
    for variable in found:
        if variable.source not in natural or (variable.kind == "group" and not groups):
            continue
        array = variable.pick(natural)
        for name, position in printed_rows(variable, coords):
            out[name] = array[(..., *position)]
    return out


def summarize(
    spec: ModelSpec,
    backend: Backend,
    draws: Draws,
    prob: float,
    groups: bool,
    interval: str = "equal",
    rope: Any = None,
) -> pd.DataFrame:
    """Returns mean, sd and interval of every parameter, and what the method adds.

    Args:
        spec: the model.
        backend: how it was fitted.
        draws: the draws.
        prob: probability of the interval.
        groups: whether to list group effects.
        interval: `equal` tails, or `hdi`, the interval of highest density.
        rope: a region of practical equivalence (low, high), or None.

    Returns:
        Columns `mean sd lower upper`; for Markov chains `ess_bulk ess_tail r_hat p_positive`; for
        frequentist fits `se statistic p_value`, where mean, se and interval are exact; with a rope
        `p_rope`, the probability within it.
    """
    named = draws_by_name(spec, draws.natural, groups)
    if backend.point:
        table = pd.DataFrame({"mean": {name: float(array[0, 0]) for name, array in named.items()}})
        table = table.assign(sd=np.nan, lower=np.nan, upper=np.nan)
        return table if rope is None else table.assign(p_rope=np.nan)
    rows = {}
    for name, array in named.items():
        values = array[np.isfinite(array)]
        if not values.size:
            values = np.array([np.nan])
        with np.errstate(all="ignore"):
            row = {"mean": values.mean(), "sd": values.std(ddof=1) if values.size > 1 else np.nan}
        row["lower"], row["upper"] = map(float, interval_of(values, prob, interval))
        if backend.sampled:
            row |= diagnostics(array)
        if not backend.frequentist:
            row["p_positive"] = float((values > 0).mean())
        if rope is not None:
            row["p_rope"] = float(((values >= rope[0]) & (values <= rope[1])).mean())
        rows[name] = row
    table = pd.DataFrame.from_dict(rows, orient="index")
    if backend.frequentist and draws.table is not None:
        table = _exact(table, draws.table, prob, rope)
    order = ["mean", "sd", "lower", "upper", "ess_bulk", "ess_tail", "r_hat", "p_positive"]
    order += ["p_rope", "se", "statistic", "p_value"]
    return pd.DataFrame(table[[column for column in order if column in table]])


def _exact(table: pd.DataFrame, exact: pd.DataFrame, prob: float, rope: Any = None) -> pd.DataFrame:
    """Puts exact estimates, standard errors and confidence intervals in place of draws' moments.

    Intervals of standard deviations are taken on the log scale, of correlations on Fisher's.
    """
    from scipy import stats

    names = exact.index.intersection(table.index)
    row = exact.loc[names]
    value, se, df = (row[column].to_numpy(float) for column in ("estimate", "se", "df"))
    half = 0.5 + prob / 2
    finite = np.isfinite(df)
    with np.errstate(all="ignore"):
        reach = np.where(finite, stats.t.ppf(half, df), stats.norm.ppf(half))
        log, bounded = ((row["scale"] == kind).to_numpy() for kind in ("log", "atanh"))
        out = table.copy()
        out.loc[names, "mean"] = value
        for column in ("sd", "se"):
            out.loc[names, column] = se
        for column, sign in (("lower", -1), ("upper", 1)):
            step = sign * reach * se
            bound = np.where(log, value * np.exp(step / value), value + step)
            turned = np.tanh(np.arctanh(value) + step / (1 - value**2))
            out.loc[names, column] = np.where(bounded, turned, bound)
        tested = row["tested"].to_numpy(bool) & (se > 0)
        statistic = np.where(tested, value / se, np.nan)
        tail = np.where(finite, stats.t.sf(abs(statistic), df), stats.norm.sf(abs(statistic)))
        if rope is not None:
            ends = [(end - value) / se for end in rope]
            below = [np.where(finite, stats.t.cdf(z, df), stats.norm.cdf(z)) for z in ends]
            plain = ~(log | bounded) & (se > 0)
            out.loc[names, "p_rope"] = np.where(plain, below[1] - below[0], out["p_rope"][names])
    out.loc[names, "statistic"] = statistic
    out.loc[names, "p_value"] = 2 * tail
    return out
