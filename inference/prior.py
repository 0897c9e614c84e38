"""Draws from the prior, and data sets from given parameter values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import pandas as pd
import xarray as xr

from ..errors import OptionError, PriorError, listing, nearest, shown
from ..formula import TRANSFORMS
from ..formula.streams import is_wide
from ..zoo.compile import model as numpyro_model
from .backend import Draws
from .idata import (
    as_response,
    load_arviz,
    observed_dataset,
    posterior_dataset,
    row_coordinates,
    safe_name,
)
from .memory import require
from .new_groups import draw_effects
from .programs import double_precision, program
from .variables import Variable, variables

if TYPE_CHECKING:
    from .model import Model


def prior_predictive(model: Model, draws: int, seed: int) -> Any:
    """Draws parameters and responses from the prior; see `Model.prior_predictive`."""
    values, response = _draw(model, draws, seed)
    spec = model.spec
    dims, coords = row_coordinates(spec.schema, model.design)
    counts = {"chain": np.arange(1), "draw": np.arange(draws)}
    new = xr.Dataset(
        {
            safe_name(spec.schema.response): (
                ("chain", "draw", *dims),
                as_response(spec.family, response),
            )
        },
        coords=counts | coords,
    )
    return load_arviz().InferenceData(
        prior=posterior_dataset(spec, values),
        prior_predictive=new,
        observed_data=observed_dataset(spec, model.design),
    )


def prior_responses(model: Model, draws: int, seed: int) -> np.ndarray:
    """Draws responses from the prior, shape (draw, obs[, neuron])."""
    return _draw(model, draws, seed)[1][0]


def _draw(model: Model, draws: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draws natural parameters and responses, each with leading dimensions (1, draw)."""
    from numpyro import handlers

    structure = model.spec.structure
    require("draws=", 24.0 * draws * model.design.response["y"].size)
    flat = [name for name, prior in model.spec.priors if prior.name == "Flat"]
    if flat:
        raise PriorError(
            f"{listing(f'`{name}`' for name in flat)} has a Flat prior, which cannot be drawn from. "
            "Give proper priors for prior draws."
        )

    def every(keys: Any, design: Any, numbers: Any) -> Any:
        def one(key: Any) -> Any:
            seeded = handlers.seed(partial(numpyro_model, structure), key)
            return seeded(design, numbers, observed=False)

        return jax.vmap(one)(keys)

    with double_precision():
        keys = np.asarray(jax.random.split(jax.random.PRNGKey(seed), draws))
        arguments = (keys, model.design.arrays(), model.numbers)
        drawn = program("prior", structure.key, every, arguments)(*arguments)
    values = {name: np.asarray(array)[None] for name, array in drawn.items()}
    return values, np.asarray(values.pop("response"), dtype=np.float64)


def simulate(model: Model, values: Mapping[str, Any], seed: int) -> Any:
    """Simulates the response from given parameter values; see `Model.simulate`."""
    from .backends import find_backend
    from .fit import Fit
    from .simulation import simulate as simulate_fit

    given = Fit(model, find_backend("map"), Draws(_natural(model, values, seed)), {})
    y = simulate_fit(given, None, 1, seed).values[0, 0]
    table, rows = model.table, model.design.rows
    out: dict[str, Any] = {}
    for name, column in table.columns.items():
        out[name] = column[rows] if is_wide(column) else column.iloc[rows].to_numpy()
    target = source_column(model)
    if model.spec.schema.response_levels:
        y = np.array(model.spec.schema.response_levels, dtype=object)[y.astype(int)]
    out[target] = y
    if model.spec.schema.neurons is not None:
        return out
    flat_columns = {name: array for name, array in out.items() if np.ndim(array) == 1}
    return pd.DataFrame(flat_columns)


def source_column(model: Model) -> str:
    """Returns the column that holds the response itself, as in `y` or `prop(y, n)`.

    Raises:
        OptionError: the response is computed from its column, as in `log(y)`.
    """
    response = model.spec.schema.formula.response
    if response.lookup:
        return response.expression
    name, _, rest = response.expression.partition("(")
    transform = TRANSFORMS.get(name)
    first = rest.split(",", 1)[0].strip().strip("`")
    if transform is None or transform.role != "response" or first not in model.table.columns:
        raise OptionError(
            f"the response `{response.expression}` is computed from its column; simulate a model of "
            "the column itself."
        )
    return first


def _natural(model: Model, values: Mapping[str, Any], seed: int) -> dict[str, np.ndarray]:
    found, coords = variables(model.spec)
    names = {variable.name: variable for variable in found}
    if not isinstance(values, Mapping):
        raise OptionError(
            f"simulate() takes a dictionary from parameters to their values, not {shown(values)}. "
            f"Parameters: {listing(names)}."
        )
    for name in values:
        if name not in names:
            raise OptionError(
                f"the model has no parameter `{name}`.{nearest(name, names)} "
                f"Parameters: {listing(names)}."
            )
    out: dict[str, np.ndarray] = {}
    for source in {v.source for v in found if v.kind == "group"}:
        effects = [v.name for v in found if v.source == source]
        given_effects = [name for name in effects if name in values]
        if given_effects and len(given_effects) < len(effects):
            raise OptionError(
                f"simulate() needs all or none of the effects of one group term: {listing(effects)}."
            )
    for variable in found:
        shape = tuple(len(coords[dim]) for dim in variable.dims)
        if variable.kind == "group" and variable.name not in values:
            continue
        if variable.name not in values:
            if variable.kind == "correlation":
                given: Any = np.eye(shape[0])
            else:
                raise OptionError(
                    f"simulate() needs a value for `{variable.name}`. "
                    f"Parameters: {listing(v.name for v in found if v.kind != 'group')}."
                )
        else:
            given = values[variable.name]
        _put(out, variable, given, shape)
    for position, (site, group) in enumerate(model.spec.structure.groups.items()):
        if f"{site}.effects" not in out:
            out[f"{site}.corr"] = out.get(f"{site}.corr", np.eye(group.effects)[None, None])
            flat = {name: array[0] for name, array in out.items()}
            levels = model.numbers[site.split(".")[0]]["groups"][int(site.split("group")[1])]
            count = len(levels["centred"])
            out[f"{site}.effects"] = draw_effects(
                group, flat, site, range(count), [seed, position]
            )[None]
    return out


def _put(
    out: dict[str, np.ndarray], variable: Variable, given: Any, shape: tuple[int, ...]
) -> None:
    try:
        array = np.broadcast_to(np.asarray(given, dtype=np.float64), shape)
    except (TypeError, ValueError):
        raise OptionError(
            f"the value of `{variable.name}` must be a number or an array of shape {shape}."
        ) from None
    if variable.free is not None:
        array = np.where(variable.free, array, 0.0)
    if variable.index is None:
        out[variable.source] = array[None, None]
        return
    stop = variable.index + 1 if isinstance(variable.index, int) else variable.index.stop
    axis = variable.axis
    if isinstance(variable.index, int):
        array = np.expand_dims(array, axis)
    array = np.moveaxis(array, axis, -1)[None, None]
    empty = np.moveaxis(np.zeros((*array.shape[:-1], 0)), -1, axis)
    old = np.moveaxis(out.get(variable.source, empty), axis, -1)
    grown = np.zeros((*old.shape[:-1], max(stop, old.shape[-1])))
    grown[..., : old.shape[-1]] = old
    start = stop - array.shape[-1]
    grown[..., start:stop] = array
    out[variable.source] = np.moveaxis(grown, -1, axis)
