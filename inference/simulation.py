"""New responses from a fitted model; where a response depends on its own past, bin by bin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import pandas as pd
import xarray as xr

from ..errors import FitError
from ..formula import Design, Table, read
from ..formula.convolution import Filtered
from ..formula.design import assemble, evaluate_all, read_response
from ..formula.expressions import Evaluator
from ..formula.feedback import response_column
from .evaluate import BLOCK, flatten, linear_predictors
from .feedback_scan import Runaway, Steps, scan
from .idata import row_coordinates
from .memory import require
from .options import whole
from .predict import group_effects, predict
from .prior import source_column
from .programs import double_precision
from .recurrence import Loop, feedback_factors, loops, parts

if TYPE_CHECKING:
    from .fit import Fit
    from .model import Model

FLOOR, TIMES = 100.0, 1000.0
"""A mean above both, the second of which is in units of the largest observed response, is a runaway."""


def simulate(fit: Fit, data: Any = None, draws: int = 1, seed: int = 0) -> xr.DataArray:
    """Simulates new responses.

    Where the formula holds conv(y, ...) or lag(y, k) of the response itself, every bin is drawn given
    the simulated bins before it, for all neurons at once; other terms come from the data. Bins whose
    predictors are not known, such as those before the first whole window, keep the response of the
    data as history (0 where it is missing). Without a response in the data the history is 0 at first,
    and simulation starts at the first bin. For other formulas, this is `predict(kind="response")`.

    Args:
        fit: the fit.
        data: the predictors in any form that Model takes; None for the training data.
        draws: simulated data sets of each chain, from draws of the parameters spread over it; more of
            them than draws repeat these.
        seed: the same seed gives the same responses.

    Returns:
        Dimensions (chain, draw, obs), and that of neurons where the response has one; NaN in rows whose
        predictors are not known. Where the data have a time axis, `time` (s) is a coordinate of obs.

    Raises:
        FitError: the expected response grows beyond 100 and 1,000 times the largest observed one.
        OptionError: the response is fed back in a way that cannot be simulated.
        LevelError: the data hold a group that was not in training.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.population(neurons=2, bins=2000)
        >>> fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
        >>> dict(fit.simulate(draws=3).sizes)
        {'chain': 1, 'draw': 3, 'obs': 1980, 'neuron': 2}
    """
    whole("draws", draws, 1)
    whole("seed", seed, 0, 2**63 - 1)
    model = fit.model
    schema = model.spec.schema
    picked = _pick(fit.draws.natural, draws)
    column = response_column(schema.formula, model.functions)
    factors = feedback_factors(schema, column)
    if not factors:
        drawn = type(fit)(model, fit.backend, replace(fit.draws, natural=picked), fit.info)
        return predict(drawn, data, "response", "fitted", None, seed)
    column = source_column(model)
    table = model.table if data is None else read(data)
    observed, blank = _split(model, table, column)
    evaluator = Evaluator(blank, schema.formula.text, dict(schema.learned()), None, model.functions)
    values = evaluate_all(schema, evaluator)
    found = loops(schema, factors, values, column, model.functions)
    if not np.isfinite(observed).any():
        values |= {factor.expression: _whole(values[factor.expression]) for factor in factors}
    order = next(iter(found.values())).order
    extras = read_response(schema, evaluator) if schema.extras else {}
    design = assemble(schema, values, extras, order, table)
    chains = np.shape(next(iter(picked.values())))[0]
    require("the simulation", 8.0 * chains * draws * observed.size)
    out = np.full((chains * draws, *observed.shape), np.nan)
    out[:, order] = _simulate(fit, flatten(picked), found, values, design, observed[order], seed)
    return _result(fit, out.reshape(chains, draws, *observed.shape), table, data is None)


def _simulate(
    fit: Fit,
    flat: Mapping[str, np.ndarray],
    found: Mapping[str, Loop],
    values: Mapping[str, Any],
    design: Design,
    observed: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Returns responses at all steps, shape (sample, step, source), NaN where none is drawn."""
    spec, structure = fit.model.spec, fit.model.spec.structure
    design, flat = group_effects(structure, design, dict(flat), "fitted", seed)
    total = len(next(iter(flat.values())))
    blocks = -(-total // max(1, min(total, BLOCK // observed.size)))
    size = -(-total // blocks)
    known = {k: v for k, v in design.response.items() if k not in ("y", "weights", "status")}
    limit = max(FLOOR, TIMES * float(np.nanmax(np.abs(fit.model.design.response["y"]))))
    out = np.full((total, *observed.shape), np.nan)
    for start in range(0, total, size):
        picked = np.minimum(np.arange(start, start + size), total - 1)
        part = {name: array[picked] for name, array in flat.items()}
        etas = linear_predictors(structure, design, part)
        drawn = np.ones(design.size, dtype=bool)
        for array in (*(eta[0] for eta in etas.values()), *known.values()):
            drawn &= np.isfinite(array.reshape(design.size, -1)).all(axis=1)
        steps = Steps(etas, _fill(known), drawn, np.nan_to_num(observed))
        pieces = tuple(parts(spec, part, found, values, design))
        with double_precision():
            key = jax.random.fold_in(jax.random.PRNGKey(seed), start)
        new, away = scan(structure, part, tuple(found.values()), pieces, steps, limit, key)
        if away is not None:
            raise FitError(_runaway(fit, away, design, limit, start))
        out[start : start + size] = np.where(drawn[:, None], new, np.nan)[: total - start]
    return out


def _pick(natural: Mapping[str, Any], draws: int) -> dict[str, np.ndarray]:
    """Spreads draws over each chain, as `predict` does; repeats them where there are too few."""
    available = np.shape(next(iter(natural.values())))[1]
    sizes = sum(np.size(array) for array in natural.values()) / available
    require("draws=", 8.0 * draws * sizes)
    kept = np.linspace(0, available - 1, draws).round().astype(int)
    if draws > available:
        kept = np.arange(draws) % available
    return {name: np.asarray(array)[:, kept] for name, array in natural.items()}


def _split(model: Model, table: Table, column: str) -> tuple[np.ndarray, Table]:
    """Returns the observed response, (obs, source), NaN where missing; and a table of zeros for it."""
    neurons = model.spec.schema.neurons
    shape = (table.rows, 1 if neurons is None else len(neurons.labels))
    observed = np.full(shape, np.nan)
    if column in table.columns:
        observed = table.numeric(column).reshape(shape)
    zeros = pd.Series(np.zeros(table.rows)) if neurons is None else np.zeros(shape)
    dims = dict(table.dims)
    if neurons is not None:
        dims[column] = (neurons.dim, neurons.labels)
    return observed, replace(table, columns={**table.columns, column: zeros}, dims=dims)


def _whole(value: Any) -> Any:
    """Counts what lies before the data as zero."""
    if isinstance(value, Filtered):
        return replace(value, defined=value.at >= 0)
    return np.nan_to_num(value)


def _fill(known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.where(np.isfinite(array), array, 1.0) for name, array in known.items()}


def _runaway(fit: Fit, away: Runaway, design: Design, limit: float, start: int) -> str:
    schema = fit.model.spec.schema
    where = f"row {design.rows[away.step]:,}"
    if design.time is not None:
        where += f" ({design.time[away.step]:g} s)"
    if schema.neurons is not None:
        where += f", {schema.neurons.dim} {schema.neurons.labels[away.neuron]}"
    return (
        f"the simulation runs away: at {where}, in simulated data set {start + away.sample}, the "
        f"expected response is {away.mean:.3g}, above the limit of {limit:g} ({TIMES:,.0f} times the "
        f"largest observed one, at least {FLOOR:g}). The fitted feedback is unstable: responses excite "
        "more of themselves than they end. Give the past of the response a prior with less room (such "
        "as Normal(0, 0.1)) or a shorter window, leave out or mask excitatory coupling, add the "
        "refractory history of each neuron itself, or fit more data."
    )


def _result(fit: Fit, values: np.ndarray, table: Table, training: bool) -> xr.DataArray:
    schema, design = fit.model.spec.schema, fit.model.design
    if not training:
        time = None if table.time is None else table.time.values
        design = replace(design, rows=np.arange(table.rows), time=time)
    dims, coords = row_coordinates(schema, design)
    values = values[:, :, design.rows]
    return xr.DataArray(
        values[..., 0] if schema.neurons is None else values,
        dims=("chain", "draw", *dims),
        coords={"chain": np.arange(len(values)), "draw": np.arange(values.shape[1]), **coords},
        name=schema.response,
    )
