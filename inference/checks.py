"""Predictive checks: are statistics of the data like those of data that the model predicts?

    p = P(T(y_new) > T(y)) + P(T(y_new) = T(y)) / 2

A p near 0 or 1 means that the model does not make data like those observed, in that respect.

Source: Gelman, Meng and Stern (1996), Stat. Sinica 6:733; Gabry et al. (2019), J. R. Stat. Soc. A
182:389.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import OptionError, listing, nearest, shown
from ..formula.categories import Categories
from ..formula.groupings import combine
from .check_statistics import Statistic, choose
from .evaluate import BLOCK
from .options import flag, number, whole
from .predictive import replicate
from .prior import prior_responses

if TYPE_CHECKING:
    from .fit import Fit
    from .model import Model

ENOUGH = 1000
"""Replicated data sets in all, unless told otherwise."""
COLUMNS = ("statistic", "observed", "mean", "lower", "upper", "p")


def checks(
    fit: Fit,
    by: Any = None,
    statistics: Any = None,
    draws: int | None = None,
    seed: int = 0,
    prob: float = 0.95,
    prior: bool = False,
) -> pd.DataFrame:
    """Compares statistics of the observed response with those of replicated responses.

    Responses are replicated for the training rows and fitted groups, one data set for each draw of the
    parameters; for "map" all of them at its one estimate, and for frequentist fits at draws from the
    estimator's distribution. Where the formula filters the response itself, each bin is replicated
    given the observed bins before it.

    Args:
        fit: the fit.
        by: a column of the data or the dimension of neurons, or several of them: statistics of every
            group; None for all rows together.
        statistics: names (`mean`, `sd`, `min`, `q05`, `median`, `q95`, `max`, `skewness`, `zeros`,
            `dispersion`), or a dictionary from names to functions that turn an array of responses into
            a number; None for those that suit the response.
        draws: data sets of each chain; by default 1,000 in all.
        seed: the same seed gives the same table.
        prob: probability of the equal-tailed interval of the replicated statistic.
        prior: whether to draw the parameters from the prior in place of the posterior.

    Returns:
        One row per group and statistic: the columns of `by`, `statistic`, `observed`, and of the
        replicated data `mean`, `lower`, `upper` and p. `attrs["note"]` says how they were drawn.

    Raises:
        OptionError: an unknown column or statistic, or a response that is censored.
        PriorError: a prior is improper (with `prior=True`).

    Example:
        >>> fit.checks(by="mouse", statistics=["mean", "sd"])  # doctest: +SKIP
    """
    if flag("prior", prior):
        return prior_checks(fit.model, by, statistics, draws, seed, prob)
    plan = _plan(fit.model, by, statistics, prob)
    chains = np.shape(next(iter(fit.draws.natural.values())))[0]
    each = max(1, ENOUGH // chains) if draws is None else draws
    note = "one data set for each of some draws of the parameters"
    if fit.backend.point:
        note = f'all data sets at the one estimate of "{fit.method}", which leaves its error out'
    if fit.backend.frequentist:
        note = "one data set for each of some draws from the estimator's normal distribution"
    return _compare(fit.model, plan, _replicated(fit, each, seed), note)


def prior_checks(
    model: Model,
    by: Any = None,
    statistics: Any = None,
    draws: int | None = None,
    seed: int = 0,
    prob: float = 0.95,
) -> pd.DataFrame:
    """Compares statistics of the observed response with those of data drawn from the prior.

    The arguments and the table are those of `checks`; a p near 0 or 1 means that the prior expects
    other data.
    """
    plan = _plan(model, by, statistics, prob)
    count = ENOUGH if draws is None else whole("draws", draws, 1)
    response = prior_responses(model, count, whole("seed", seed, 0, 2**63 - 1))
    return _compare(model, plan, iter([response]), "one data set for each draw from the prior")


@dataclass(frozen=True, eq=False)
class _Plan:
    """What to compute: statistics of groups of cells (rows, or rows and neurons)."""

    names: tuple[str, ...]
    groups: list[tuple[tuple[Any, ...], np.ndarray]]
    statistics: tuple[Statistic, ...]
    prob: float


def _plan(model: Model, by: Any, statistics: Any, prob: float) -> _Plan:
    number("prob", prob, 0.0, 1.0)
    if "status" in model.design.response:
        raise OptionError(
            f"`{model.spec.schema.response}` is censored, so its statistics are not those of the "
            "responses themselves, and predictive checks would compare unlike things."
        )
    names = _names(model, by)
    chosen = choose(statistics, model.spec.family.support)
    return _Plan(names, _groups(model, names), chosen, prob)


def _names(model: Model, by: Any) -> tuple[str, ...]:
    names = () if by is None else (by,) if isinstance(by, str) else by
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise OptionError(f"by= takes the name of a column, or several, not {shown(by)}.")
    neurons = model.spec.schema.neurons
    columns = {n: c for n, c in model.table.columns.items() if np.ndim(c) == 1}
    allowed = [*columns, *([] if neurons is None else [neurons.dim])]
    for name in names:
        if name not in allowed:
            raise OptionError(
                f"by= names `{name}`, which is no column of the data.{nearest(name, allowed)} "
                f"Columns: {listing(allowed)}."
            )
        if name in COLUMNS or names.count(name) > 1:
            raise OptionError(
                f"by= names `{name}`, which is a column of the table already. Rename it first."
            )
    return tuple(names)


def _groups(model: Model, names: tuple[str, ...]) -> list[tuple[tuple[Any, ...], np.ndarray]]:
    """Returns (levels, positions of the cells) of every group that occurs."""
    design, neurons = model.design, model.spec.schema.neurons
    count = 1 if neurons is None else len(neurons.labels)
    if not names:
        return [((), np.arange(design.size * count))]
    parts = []
    for name in names:
        if neurons is not None and name == neurons.dim:
            codes, levels = np.tile(np.arange(count), design.size), neurons.labels
        else:
            coded = model.table.categorical(name)
            codes, levels = np.repeat(coded.codes[design.rows], count), coded.levels
        parts.append(Categories(codes, levels))
    keys, codes = combine(parts)
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(keys) + 1))
    return [
        (key, order[start:stop])
        for key, start, stop in zip(keys, edges[:-1], edges[1:], strict=True)
    ]


def _replicated(fit: Fit, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Yields replicated responses (sample, obs[, neuron]), so many at a time as memory allows."""
    question = replicate(fit, draws, seed)
    samples = len(next(iter(question.flat.values())))
    size = max(1, BLOCK // fit.model.design.response["y"].size)
    for start in range(0, samples, size):
        part = {name: array[start : start + size] for name, array in question.flat.items()}
        yield question.answer(part, [seed, start] if start else seed)


def _compare(model: Model, plan: _Plan, responses: Iterator[np.ndarray], note: str) -> pd.DataFrame:
    observed = _values(plan, model.design.response["y"].reshape(1, -1))[0]
    new = np.concatenate([_values(plan, y.reshape(len(y), -1)) for y in responses])
    rows = []
    keys = [(key, s.name) for key, _ in plan.groups for s in plan.statistics]
    tail = (1 - plan.prob) / 2
    for i, (key, name) in enumerate(keys):
        drawn = new[np.isfinite(new[:, i]), i]
        found = [np.nan] * 4
        if drawn.size:
            same = np.isclose(drawn, observed[i], rtol=1e-10, atol=0.0)
            p = np.mean((drawn > observed[i]) & ~same) + np.mean(same) / 2
            found = [drawn.mean(), *np.quantile(drawn, [tail, 1 - tail])]
            found.append(p if np.isfinite(observed[i]) else np.nan)
        rows.append([*key, name, observed[i], *found])
    table = pd.DataFrame(rows, columns=[*plan.names, *COLUMNS])
    table.attrs["note"] = note
    return table


def _values(plan: _Plan, y: np.ndarray) -> np.ndarray:
    """Returns all statistics of all groups, shape (sample, group x statistic)."""
    columns = []
    for _, cells in plan.groups:
        part = np.ascontiguousarray(y[:, cells])
        columns += [statistic.compute(part) for statistic in plan.statistics]
    return np.stack(columns, axis=1)
