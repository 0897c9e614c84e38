"""Rows of long series pooled in cells: stretches of time, moments of a trial, values of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import OptionError, shown
from ..formula import Table, apply, read
from ..inference.rates import counts_events, seconds_per_bin
from .accept import column
from .fields import natural_key

if TYPE_CHECKING:
    from ..inference.fit import Fit

BUDGET = 20_000_000
"""Numbers of one prediction; more draws than fit in it are left out."""
CELLS, FEWEST, EVENTS = 400, 100, 5
"""The most and the fewest cells of time that are chosen, and the events that a cell then holds."""
DRAWS = 400
"""Draws of all chains together, which fix a band to a few percent of its width."""


@dataclass(frozen=True, eq=False)
class Series:
    """Fitted means and observed responses of rows.

    Attributes:
        mean: shape (sample, obs, neuron), per second where `unit` says so.
        observed: shape (obs, neuron), NaN where they are unknown.
        time: seconds, or the number of the row, shape (obs,).
        rows: position of each row in the table.
        table: the table.
        neurons: labels; one None where the response has one dimension.
        dimension: the name of the neurons' dimension.
        timed: whether `time` is in seconds.
        unit: of the mean.
    """

    mean: np.ndarray
    observed: np.ndarray
    time: np.ndarray
    rows: np.ndarray
    table: Table
    neurons: tuple[Any, ...]
    dimension: str
    timed: bool
    unit: str


def series(fit: Fit, data: Any = None, groups: str = "fitted") -> Series:
    """Predicts the means of rows and finds what was observed in them."""
    model = fit.model
    schema = model.spec.schema
    table = model.table if data is None else read(data)
    chains, kept = np.shape(next(iter(fit.draws.natural.values())))[:2]
    neurons = (None,) if schema.neurons is None else schema.neurons.labels
    size = max(1, table.rows * len(neurons))
    draws = max(1, min(kept, DRAWS // chains, BUDGET // (chains * size)))
    mean = fit.predict(data, "mean", groups, draws)
    values = mean.to_numpy().reshape(chains * draws, mean.sizes["obs"], len(neurons))
    observed = _observed(fit, data, mean["obs"].to_numpy(), len(neurons))
    timed = "time" in mean.coords
    unit = f"mean of {schema.response}"
    if counts_events(fit):
        unit = f"{schema.response} per bin"
        if timed:
            width = seconds_per_bin(fit, data)
            values, observed, unit = values / width, observed / width, "Rate (Hz)"
    time = mean["time"].to_numpy() if timed else mean["obs"].to_numpy().astype(float)
    dimension = "neuron" if schema.neurons is None else schema.neurons.dim
    rows = mean["obs"].to_numpy()
    return Series(values, observed, time, rows, table, neurons, dimension, timed, unit)


def _observed(fit: Fit, data: Any, rows: np.ndarray, neurons: int) -> np.ndarray:
    model = fit.model
    design = model.design
    if data is not None:
        try:
            design = apply(model.spec.schema, read(data), model.functions, response=True)
        except Exception:  # new data need not hold the response
            return np.full((len(rows), neurons), np.nan)
    known = np.asarray(design.response["y"], dtype=float).reshape(len(design.rows), neurons)
    return pd.DataFrame(known, index=design.rows).reindex(rows).to_numpy()


def by_time(found: Series, window: Any, count: int | None) -> tuple[np.ndarray, pd.DataFrame, str]:
    """Returns the cell of each row (-1 for none), the time of each cell, and a note.

    Where the clock restarts, as in stacked trials, one cell pools a moment of all of them. Without a
    count, cells are wide enough to hold a few events, where rows are pooled at all.
    """
    time = found.time
    inside = np.isfinite(found.mean[0]).all(axis=1) & np.isfinite(time)
    if window is not None:
        start, stop = _window(window)
        inside &= (time >= start) & (time < stop)
        if not inside.any():
            raise OptionError(
                f"window={shown(window)} holds no row; the rows run from {np.nanmin(time):g} to "
                f"{np.nanmax(time):g}{' s' if found.timed else ''}."
            )
    trials = 1 + int(np.sum(np.diff(time[inside]) <= 0))
    moments, place = np.unique(np.round(time[inside], 9), return_inverse=True)
    if count is None:
        events = np.sum(found.observed[inside] > 0) / len(found.neurons)
        count = CELLS if len(moments) <= CELLS else int(np.clip(events / EVENTS, FEWEST, CELLS))
    step = -(-len(moments) // count)
    cells = np.full(len(time), -1)
    cells[inside] = place // step
    notes = [f"mean of {trials:,} trials"] * (trials > 1)
    if step > 1:
        width = step * float(np.median(np.diff(moments)))
        size = f"{width:.3g} s" if found.timed else f"{step} bins"
        notes.append(f"means over {size}")
    name = "time" if found.timed else "bin"
    return cells, pd.DataFrame({name: moments[::step]}), "; ".join(notes)


def _window(window: Any) -> tuple[float, float]:
    try:
        start, stop = (float(value) for value in window)
    except (TypeError, ValueError):
        raise OptionError(f"window= takes (start, stop), not {shown(window)}.") from None
    if not start < stop:
        raise OptionError(f"window= takes a start before its stop, not {shown(window)}.")
    return start, stop


def by_column(found: Series, name: str, count: int) -> tuple[np.ndarray, pd.DataFrame, str]:
    """Returns the cell of each row, the value of each cell, and a note.

    Numbers are cut at their quantiles, so that each cell holds as many rows.
    """
    narrow = [key for key in found.table.columns if found.table.stream(key) is None]
    column(name, narrow, "over")
    cells = np.full(len(found.rows), -1)
    usable = np.isfinite(found.mean[0]).all(axis=1)
    if found.table.is_categorical(name):
        coded = found.table.categorical(name)
        codes = np.asarray(coded.codes)[found.rows]
        order = sorted(coded.levels, key=natural_key)
        places = np.array([order.index(level) for level in coded.levels])
        cells = np.where(usable & (codes >= 0), places[codes], -1)
        return cells, pd.DataFrame({name: order}), ""
    values = found.table.numeric(name)[found.rows]
    usable &= np.isfinite(values)
    levels = np.unique(values[usable])
    if len(levels) <= count:
        cells[usable] = np.searchsorted(levels, values[usable])
        return cells, pd.DataFrame({name: levels}), ""
    edges = np.unique(np.quantile(values[usable], np.linspace(0, 1, count + 1)[1:-1]))
    _, cells[usable] = np.unique(
        np.searchsorted(edges, values[usable], side="right"), return_inverse=True
    )
    inside: Any = pd.Series(values[usable])
    centres = inside.groupby(cells[usable]).mean().to_numpy()
    return cells, pd.DataFrame({name: centres}), f"{len(centres)} groups of equally many rows"


def pool(found: Series, cells: np.ndarray, keys: pd.DataFrame, prob: float) -> pd.DataFrame:
    """Averages rows within cells, draw by draw, and returns one row per cell and neuron."""
    used = cells >= 0
    place, size = cells[used], len(keys)
    starts = np.argsort(place, kind="stable")
    counts = np.bincount(place, minlength=size)
    edges = np.concatenate([[0], np.cumsum(counts)[:-1]])
    held = counts > 0

    def average(values: np.ndarray) -> np.ndarray:
        ordered = values[..., used, :][..., starts, :]
        out = np.full((*values.shape[:-2], size, values.shape[-1]), np.nan)
        sums = np.add.reduceat(ordered, edges[held], axis=-2)
        out[..., held, :] = sums / counts[held][:, None]
        return out

    draws, observed = average(found.mean), average(found.observed)
    squares = average(found.observed**2) - observed**2
    with np.errstate(all="ignore"):
        error = np.sqrt(np.maximum(squares, 0) / np.maximum(counts[:, None] - 1, 1))
    error[counts < 2] = np.nan
    tail = (1 - prob) / 2
    low, fitted, high = np.quantile(draws, [tail, 0.5, 1 - tail], axis=0)
    if len(draws) == 1:
        low, high = np.full_like(low, np.nan), np.full_like(high, np.nan)
    frames = []
    for n, label in enumerate(found.neurons):
        part = keys.copy()
        if label is not None:
            part.insert(0, found.dimension, label)
        frames.append(
            part.assign(
                fitted=fitted[:, n],
                lower=low[:, n],
                upper=high[:, n],
                observed=observed[:, n],
                observed_se=error[:, n],
                rows=counts,
            )
        )
    return pd.concat(frames, ignore_index=True)
