"""The filters of temporal terms: basis times coefficients, over lags.

kernel[lag] = sum_k basis[lag, k] coefficient[k]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import OptionError
from ..formula.expressions import Evaluator
from ..formula.kernels import Filter, find_filter
from ..formula.schema import TermSchema
from .evaluate import flatten
from .options import number
from .point import point_values
from .temporal import Coefficients, banks, coefficients, sources

if TYPE_CHECKING:
    from .fit import Fit

ALWAYS = ("term", "lag", "mean", "lower", "upper")


def kernels(fit: Fit, prob: float = 0.95) -> pd.DataFrame:
    """Returns the filter of every temporal term, with equal-tailed intervals.

    Args:
        fit: the fit.
        prob: probability of the intervals.

    Returns:
        One row per filter and lag: `term`; `source` (of several series), `neuron`, `group` and `level`
        where any filter has them; `lag` in bins (negative ones lie ahead), `seconds` where the data
        have a time axis, `mean`, `lower`, `upper` on the scale of the linear predictor, per unit of
        the series. The filters of `(conv(x, b) | neuron)` are each neuron's own, the common one
        included; the common one has no label. `level` is the column that multiplies the series in
        `conv(x, b):C(state)`: beside `conv(x, b)` its filter is the difference from the first level.
        A method with one estimate gives no interval. Filters that a mask sets to 0 are left out.

    Raises:
        OptionError: there is no temporal term, or prob is not between 0 and 1.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lnp_cell(bins=2000)
        >>> fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
        >>> list(fit.kernels())
        ['term', 'lag', 'seconds', 'mean', 'lower', 'upper']
    """
    tail = (1 - number("prob", prob, 0.0, 1.0)) / 2
    frames = [frame for found in _filters(fit) for frame in _frames(fit, *found, tail)]
    if not frames:
        raise OptionError(
            f"`{fit.model.spec.schema.formula.text}` has no temporal term. Kernels are those of "
            "conv(x, basis) and lags(x, count)."
        )
    table = pd.concat(frames, ignore_index=True)
    held = table.notna().to_numpy().any(axis=0)
    return table.loc[:, held | np.isin(table.columns, ALWAYS)]


def _filters(fit: Fit) -> Iterator[tuple[str, Filter, Coefficients, Coefficients]]:
    """Yields each temporal term with its draws and its point; group effects with what they add to."""
    spec, functions = fit.model.spec, fit.model.functions
    schema, flat, point = spec.schema, flatten(fit.draws.natural), point_values(fit)
    for predictor, written in zip(schema.predictors, schema.formula.predictors, strict=True):
        common: dict[str, tuple[Coefficients, Coefficients]] = {}
        both = (coefficients(spec, predictor, values) for values in (flat, point))
        for drawn, middle in zip(*both, strict=True):
            term = drawn.term
            filter_ = find_filter(schema, term, functions) if term.term.factors else None
            if filter_ is None:
                continue
            if drawn.group is None:
                common[term.name] = (drawn, middle)
            else:
                base = common.get(term.name)
                if base is not None and base[0].term.labels == term.labels:
                    drawn, middle = _add(base[0], drawn), _add(base[1], middle)
            yield written.prefixed(term.name), filter_, drawn, middle


def _add(common: Coefficients, effects: Coefficients) -> Coefficients:
    """Adds common coefficients to deviations; the result is (sample, coef, level[, neuron])."""
    if not common.own:
        return replace(effects, values=effects.values + common.values[:, :, None])
    values = effects.values[..., None] + common.values[:, :, None, :]
    return replace(effects, values=values, own=True)


def _frames(
    fit: Fit, name: str, filter_: Filter, drawn: Coefficients, middle: Coefficients, tail: float
) -> Iterator[pd.DataFrame]:
    """Yields a table of each filter of one term."""
    factors = _factors(fit, drawn.term) if len(drawn.term.term.factors) > 1 else None
    series = sources(drawn.term, None if factors is None else factors[filter_.position]) or (None,)
    neurons, groups, by_neuron = _columns(fit, drawn)
    basis, place = filter_.kernel, filter_.position
    free = drawn.values[:1] * 0 + 1 if drawn.free is None else drawn.free[None]
    parts = (drawn, middle, replace(drawn, values=free))
    for bank, centre, used in zip(
        *(banks(part, place, basis.shape[1], factors) for part in parts), strict=True
    ):
        shape = (*bank.values.shape[1:4], len(groups), len(neurons))
        draws, means, kept = (part.values.reshape(-1, *shape) for part in (bank, centre, used))
        levels = bank.labels or (None,)
        for m, s, g, n in np.ndindex(*shape[:2], *shape[3:]):
            if not kept[0, m, s, :, g, n].any():
                continue
            low, high = _interval(fit, draws[:, m, s, :, g, n] @ basis.T, tail)
            yield pd.DataFrame(
                {
                    "term": name,
                    "source": series[s],
                    "neuron": groups[g] if by_neuron else neurons[n],
                    "group": None if by_neuron else groups[g],
                    "level": None if levels[m] == "" else levels[m],
                    "lag": filter_.lags,
                    "seconds": filter_.lags * (filter_.bin_width or np.nan),
                    "mean": basis @ means[0, m, s, :, g, n],
                    "lower": low,
                    "upper": high,
                }
            )


def _columns(fit: Fit, found: Coefficients) -> tuple[tuple[Any, ...], tuple[Any, ...], bool]:
    """Returns the labels of neurons and of groups, and whether the groups are the neurons."""
    dimension, group = fit.model.spec.schema.neurons, found.group
    neurons = dimension.labels if found.own and dimension is not None else (None,)
    if group is None:
        return neurons, (None,), False
    return neurons, group.levels, group.over_neurons and len(group.term.by) == 1


def _interval(fit: Fit, draws: np.ndarray, tail: float) -> Any:
    """Quantiles over samples of (sample, lag); NaN for a single estimate."""
    if fit.backend.point:
        return np.full((2, draws.shape[1]), np.nan)
    return np.quantile(draws, [tail, 1 - tail], axis=0)


def _factors(fit: Fit, term: TermSchema) -> list[Any]:
    """Evaluates the factors of a term on the training data, for their levels and sources."""
    model = fit.model
    state = dict(model.spec.schema.learned())
    evaluator = Evaluator(model.table, model.spec.schema.formula.text, state, None, model.functions)
    return [evaluator.factor(factor) for factor in term.term.factors]
