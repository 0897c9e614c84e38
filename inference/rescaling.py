"""Time rescaling: under the true model, intervals measured in expected events are exponential.

    zeta = sum of q over the bins since the last event,  q = -log(1 - p),  z = 1 - exp(-zeta)

with p the probability of an event in a bin given the past. In the event's own bin only a random part of
q counts, drawn as the moment of an event within it, so that every z is uniform exactly and not only in
narrow bins. A Kolmogorov-Smirnov test compares the z with uniform ones.

A bin with n events is a chain of n + 1 trials, each "one more event or not", with
p = P(y >= j | y >= j - 1) for j = 1, 2, ...; it ends with the trial that fails. With at most one event
per bin this is the procedure of Haslinger, Pipa and Brown.

Source: Haslinger, Pipa and Brown (2010), Neural Computation 22:2477; Brown et al. (2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import DataError, OptionError
from ..zoo.family import BINARY, COUNT
from .options import whole
from .point import Point, at_point

if TYPE_CHECKING:
    from .fit import Fit

BAND = 0.95


@dataclass(frozen=True, eq=False)
class Rescaling:
    """The rescaled intervals of a fit and their test; Series by neuron for several neurons.

    Attributes:
        statistic: the largest distance between the distribution of z and the uniform one.
        p_value: of the Kolmogorov-Smirnov test; small where the model misses structure in time.
        n: the number of intervals.
        band: half the width of the 95 % band; a statistic below it is no surprise.
        quantiles: columns `neuron` (of several), `uniform` (i - 1/2) / n, `rescaled` (sorted z), and
            the band's `lower` and `upper`.
    """

    statistic: float | pd.Series
    p_value: float | pd.Series
    n: int | pd.Series
    band: float | pd.Series
    quantiles: pd.DataFrame


def rescaling(fit: Fit, data: Any = None, seed: int = 0, rows: Any = None) -> Rescaling:
    """Tests whether a fitted model of events explains when they happen.

    The model is taken at the point that also `score` uses. Intervals run through the rows used, in the
    order of the table; what happened in other rows counts neither as time nor as events. An interval
    that the end of a stretch cuts off goes on in the next stretch: the expected events since the last
    one are exponential wherever the clock pauses. Leaving cut intervals out would favour short ones,
    and with 20 events per stretch refuse one true model in five. A p-value of training data is
    somewhat too large, the more so the more parameters were fitted to few events; use held-out `data`
    or `rows`.

    Args:
        fit: a fit of counts, or of yes or no.
        data: data to test on, which hold the response too; None for the training rows.
        seed: of the random moments within bins.
        rows: labels (obs) of the rows to use; None for all.

    Returns:
        Statistic, p-value, number of intervals, band and quantiles; NaN for neurons without events.

    Raises:
        OptionError: the response is neither a count nor yes or no.
        DataError: there is no event.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lnp_cell(bins=2000)
        >>> fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
        >>> bool(fit.rescaling().p_value > 0.05)
        True
    """
    family, schema = fit.model.spec.family, fit.model.spec.schema
    if family.support not in (COUNT, BINARY):
        raise OptionError(
            f"rescaling() tests when events happen, but family `{family.name}` is for "
            f"{family.support.words}."
        )
    generator = np.random.default_rng(whole("seed", seed, 0))
    point = at_point(fit, data, None if rows is None else np.asarray(rows))
    if not point.y.any():
        raise DataError(
            f"`{schema.response}` is 0 in all {len(point.y):,} rows, so there is no interval to test."
        )
    first, last, within = _hazards(point)
    if schema.neurons is None:
        return _test(_rescale(point.y, first, last, within, generator))
    parts = [
        _test(_rescale(point.y[:, n], first[:, n], last[:, n], _of(within, n), generator))
        for n in range(point.y.shape[1])
    ]
    labels = pd.Index(list(schema.neurons.labels), name=schema.neurons.dim)
    tables = [
        part.quantiles.assign(neuron=label) for part, label in zip(parts, labels, strict=True)
    ]
    table = pd.concat([part for part in tables if len(part)], ignore_index=True)

    def by_neuron(name: str) -> pd.Series:
        return pd.Series([getattr(part, name) for part in parts], index=labels, name=name)

    return Rescaling(
        by_neuron("statistic"),
        by_neuron("p_value"),
        by_neuron("n"),
        by_neuron("band"),
        table.reindex(columns=["neuron", "uniform", "rescaled", "lower", "upper"]),
    )


def _hazards(point: Point) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    """Returns q of each bin's first trial and of its last, failed one; and of trials 2, 3, ...

    q_j = -log P(y = j - 1 | y >= j - 1)
    """
    y = point.y
    first, last = np.zeros_like(y), np.zeros_like(y)
    more: dict[int, np.ndarray] = {}
    below = np.zeros_like(y)  # P(y < j - 1)
    for j in range(1, int(y.max()) + 2):
        log_here = point.log_prob(np.full((1, *y.shape), j - 1.0))
        here = np.exp(log_here)
        q = np.log(np.maximum(1 - below, here)) - log_here
        if j == 1:
            first = q
        elif (y >= j).any():
            more[j] = q
        last = np.where(y == j - 1, q, last)
        below = below + here
    return first, last, more


def _of(more: dict[int, np.ndarray], neuron: int) -> dict[int, np.ndarray]:
    return {j: q[:, neuron] for j, q in more.items()}


def _rescale(
    y: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    more: dict[int, np.ndarray],
    generator: np.random.Generator,
) -> np.ndarray:
    """Returns z of every event, shape (events,)."""
    events = np.flatnonzero(y > 0)
    before = np.concatenate([[0.0], np.cumsum(last)])  # of all bins before each
    start = np.concatenate([[0.0], before[events[:-1]]])
    zeta = [before[events] - start + _moment(first[events], generator)]
    for j, q in more.items():
        zeta.append(_moment(q[y >= j], generator))
    return -np.expm1(-np.concatenate(zeta))


def _moment(q: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draws when in its bin an event happens: exponential, given that it is below q."""
    return -np.log1p(generator.random(len(q)) * np.expm1(-q))


def _test(z: np.ndarray) -> Rescaling:
    from scipy import stats

    n = len(z)
    if n == 0:
        nothing = pd.DataFrame(columns=["uniform", "rescaled", "lower", "upper"], dtype=float)
        return Rescaling(np.nan, np.nan, 0, np.nan, nothing)
    result: Any = stats.kstest(z, "uniform")
    band = float(stats.kstwo.ppf(BAND, n))
    uniform = (np.arange(n) + 0.5) / n
    table = pd.DataFrame(
        {
            "uniform": uniform,
            "rescaled": np.sort(z),
            "lower": np.maximum(uniform - band, 0.0),
            "upper": np.minimum(uniform + band, 1.0),
        }
    )
    return Rescaling(float(result.statistic), float(result.pvalue), n, band, table)
