"""Draws -> arviz.InferenceData in the layout of the documentation."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..formula import Design, Schema, Table
from ..zoo.family import BINARY, COUNT, Family
from ..zoo.spec import ModelSpec
from .backend import Draws
from .variables import variables

if TYPE_CHECKING:
    import arviz


LARGEST_BYTES = 2**30
"""Columns that take more memory are not copied into the result."""


def load_arviz() -> Any:
    """Imports ArviZ, without its announcement of a coming version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

    return arviz


def safe_name(name: str) -> str:
    """Returns a name that NetCDF takes: the division sign replaces `/`."""
    return name.replace("/", "÷")


def posterior_dataset(spec: ModelSpec, natural: Mapping[str, Any]) -> xr.Dataset:
    """Returns natural parameters as a data set with printed names, dimensions and coordinates."""
    found, coords = variables(spec)
    arrays = {v.name: (v.dims, v.pick(natural)) for v in found if v.source in natural}
    for variable in found:
        if variable.kind == "correlation" and variable.name in arrays:
            dims, values = arrays[variable.name]
            unit = np.eye(values.shape[-1], dtype=bool)  # exactly: densities of rounding are none
            arrays[variable.name] = (dims, np.where(unit, 1.0, values))
    return dataset(arrays, coords)


def dataset(
    values: Mapping[str, tuple[tuple[str, ...], np.ndarray]],
    coords: Mapping[str, list[Any]],
    leading: tuple[str, ...] = ("chain", "draw"),
) -> xr.Dataset:
    """Builds a data set; arrays have the leading dimensions, then the named ones."""
    arrays, used = {}, {}
    for name, (dims, array) in values.items():
        dims = tuple(safe_name(dim) for dim in dims)
        arrays[safe_name(name)] = (leading + dims, array)
        for position, dim in enumerate(leading):
            used[dim] = np.arange(array.shape[position])
    for dim, labels in coords.items():
        if any(safe_name(dim) in dims for dims, _ in arrays.values()):
            used[safe_name(dim)] = np.asarray(labels)
    return xr.Dataset(arrays, coords=used)


def row_coordinates(schema: Schema, design: Design) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Returns the dimensions of the response, (obs[, neuron]), and their coordinates."""
    dims: tuple[str, ...] = ("obs",)
    coords: dict[str, Any] = {"obs": design.rows}
    if design.time is not None:
        coords["time"] = ("obs", design.time)
    if schema.neurons is not None:
        dim = safe_name(schema.neurons.dim)
        dims, coords[dim] = ("obs", dim), np.asarray(schema.neurons.labels)
    return dims, coords


def as_response(family: Family, values: np.ndarray) -> np.ndarray:
    """Returns counts, and 0 and 1, as whole numbers, which ArviZ draws as bars, where they fit."""
    whole = family.support in (COUNT, BINARY)
    if whole and np.isfinite(values).all() and np.max(values, initial=0) < 2.0**63:
        return values.astype(np.int64)
    return values


def observed_dataset(spec: ModelSpec, design: Design) -> xr.Dataset:
    """Returns the response of the rows used."""
    dims, coords = row_coordinates(spec.schema, design)
    values = as_response(spec.family, design.response["y"])
    return xr.Dataset({safe_name(spec.schema.response): (dims, values)}, coords=coords)


def constant_dataset(schema: Schema, design: Design, table: Table) -> xr.Dataset:
    """Returns the columns that the formula reads, at the rows used; those beyond 1 GiB are left out."""
    arrays: dict[str, Any] = {}
    for name in schema.columns:
        stream = table.stream(name)
        if stream is not None and 8 * design.size * stream.shape[1] > LARGEST_BYTES:
            continue
        if table.is_categorical(name):
            coded = table.categorical(name)
            values = np.array([str(level) for level in coded.levels])[coded.codes[design.rows]]
        else:
            values = _plain_column(table, name)[design.rows]
        safe = safe_name(name)
        if values.ndim == 1 and safe != "obs":
            arrays[safe] = (("obs",), values)
        elif values.ndim == 2:
            arrays[safe] = (("obs", f"{safe}_dim"), values)
    return xr.Dataset(arrays, coords={"obs": design.rows})


def _plain_column(table: Table, name: str) -> np.ndarray:
    column = table.columns[name]
    kind = getattr(column.dtype, "kind", "O")
    if kind in "mM" or str(column.dtype).startswith("datetime"):
        return np.asarray(column.astype(str), dtype=str)
    return table.numeric(name)


def sample_stats(draws: Draws) -> xr.Dataset | None:
    """Returns the statistics of each draw."""
    if not draws.stats:
        return None
    stats = {name: np.asarray(values) for name, values in draws.stats.items()}
    if "n_steps" in stats:
        steps = np.maximum(stats["n_steps"], 1)
        stats["tree_depth"] = np.floor(np.log2(steps)).astype(np.int64) + 1
    return dataset({name: ((), values) for name, values in stats.items()}, {})


def build(
    spec: ModelSpec, draws: Draws, design: Design, table: Table, attributes: Mapping[str, Any]
) -> arviz.InferenceData:
    """Builds the InferenceData of a fit, without the pointwise log-likelihood."""
    groups: dict[str, Any] = {"posterior": posterior_dataset(spec, draws.natural)}
    stats = sample_stats(draws)
    if stats is not None:
        groups["sample_stats"] = stats
    groups["observed_data"] = observed_dataset(spec, design)
    groups["constant_data"] = constant_dataset(spec.schema, design, table)
    for group in groups.values():
        group.attrs.update(attributes)
    return load_arviz().InferenceData(**groups)


def versions() -> dict[str, str]:
    """Returns the versions that a result depends on."""
    import jax
    import numpyro

    from .._version import VERSION

    return {
        "bayeszoo_version": VERSION,
        "numpyro_version": numpyro.__version__,
        "jax_version": jax.__version__,
        "python_version": platform.python_version(),
    }
