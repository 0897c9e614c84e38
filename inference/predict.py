"""Predictions for training rows, new rows, fitted groups, new groups, or the population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import xarray as xr

from ..errors import LevelError, OptionError, listing
from ..formula import Design, apply, read
from ..zoo.structure import Structure
from .evaluate import flatten, linear_predictors, means, samples
from .idata import row_coordinates
from .options import choice, whole
from .programs import double_precision

if TYPE_CHECKING:
    from .fit import Fit

KINDS = ("mean", "response", "linear")
GROUPS = ("fitted", "population", "new")


def predict(
    fit: Fit,
    data: Any = None,
    kind: str = "mean",
    groups: str = "fitted",
    draws: int | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Predicts the response.

    Args:
        fit: the fit.
        data: new data in any form that Model takes; None for the training rows.
        kind: `mean` (of the response), `response` (new values with noise), or `linear` (the linear
            predictor of the mean).
        groups: `fitted` uses the effects of fitted groups, `population` sets group effects to 0,
            `new` draws an independent effect for every group that was not in training.
        draws: how many draws of each chain to use; None for all.
        seed: for `response` and for new groups.

    Returns:
        Dimensions (chain, draw, obs), and that of neurons where the response has one; rows with
        missing predictors, such as bins without a whole window, are NaN. Where the data have a time
        axis, `time` (s) is a coordinate of obs.

    Raises:
        LevelError: a group or level was not in training (with `groups="fitted"`).
        OptionError: an unknown kind.

    Example:
        >>> fit.predict({"Days": [0, 9], "Subject": [308, 308]})  # doctest: +SKIP
    """
    choice("kind", kind, KINDS)
    choice("groups", groups, GROUPS)
    whole("seed", seed, 0)
    model = fit.model
    if data is None:
        design = model.design
    else:
        needs = tuple(f"{name}" for name in model.spec.family.required)
        table = read(data)
        design = apply(model.spec.schema, table, model.functions)
        design = _with_extras(design, table, fit, kind, needs)
    natural = _thin(fit.draws.natural, draws)
    chains, kept = np.shape(next(iter(natural.values())))[:2]
    flat = flatten(natural)
    structure = model.spec.structure
    design, flat = group_effects(structure, design, flat, groups, seed)
    etas = linear_predictors(structure, design, flat)
    if kind == "linear":
        values = etas["mu"]
    elif kind == "mean":
        values = means(structure, etas, flat, design)
    else:
        values = samples(structure, etas, flat, design, seed)
        values[:, np.isnan(etas["mu"][0])] = np.nan
    dims, coords = row_coordinates(model.spec.schema, design)
    return xr.DataArray(
        values.reshape(chains, kept, *values.shape[1:]),
        dims=("chain", "draw", *dims),
        coords={"chain": np.arange(chains), "draw": np.arange(kept), **coords},
        name=model.spec.schema.response,
    )


def _with_extras(design: Design, table: Any, fit: Fit, kind: str, needs: tuple[str, ...]) -> Design:
    """Reads trials and standard errors of new data where the family's mean or noise needs them."""
    schema = fit.model.spec.schema
    wanted = tuple(e for e in schema.extras if e in needs or e == "standard_error")
    if not wanted or kind == "linear":
        return design
    try:
        full = apply(schema, table, fit.model.functions, response=True)
    except Exception as error:
        if kind == "mean" and not needs:
            return design
        raise OptionError(
            f"to predict kind={kind!r}, the new data need the columns of `{schema.response}` too, "
            f"because the answer depends on {listing(wanted)}: {error}"
        ) from None
    return replace(design, response={name: full.response[name] for name in wanted})


def _thin(natural: Mapping[str, Any], draws: int | None) -> dict[str, np.ndarray]:
    available = np.shape(next(iter(natural.values())))[1]
    if draws is None or draws >= available:
        return {name: np.asarray(array) for name, array in natural.items()}
    whole("draws", draws, 1)
    kept = np.linspace(0, available - 1, draws).round().astype(int)
    return {name: np.asarray(array)[:, kept] for name, array in natural.items()}


def group_effects(
    structure: Structure, design: Design, flat: dict[str, np.ndarray], groups: str, seed: int
) -> tuple[Design, dict[str, np.ndarray]]:
    """Zeroes, extends or checks the group effects for the groups of a design."""
    out = dict(flat)
    position = 0
    for predictor in structure.predictors:
        name = predictor.parameter
        for i, (shape, arrays) in enumerate(
            zip(predictor.groups, design.predictors[name].groups, strict=True)
        ):
            site = f"{name}.group{i}"
            position += 1
            if groups == "population":
                fitted = flat[f"{site}.effects"]
                extended = fitted.shape[1] + len(arrays.unseen)
                out[f"{site}.effects"] = np.zeros((len(fitted), extended, fitted.shape[2]))
            elif arrays.unseen and groups == "fitted":
                raise LevelError(
                    f"the data hold groups that were not in training: {listing(arrays.unseen, 5)}. "
                    'Use groups="new" to draw an effect for each of them, or groups="population" to '
                    "predict without group effects."
                )
            elif arrays.unseen:
                fresh = _draw(shape, flat, site, len(arrays.unseen), [seed, position])
                out[f"{site}.effects"] = np.concatenate([flat[f"{site}.effects"], fresh], axis=1)
    return design, out


def _draw(
    shape: Any, flat: Mapping[str, np.ndarray], site: str, count: int, seed: Any
) -> np.ndarray:
    """Draws effects of new groups, shape (sample, count, effect)."""
    sd = flat[f"{site}.sd"]
    key = np.random.default_rng(seed).integers(0, 2**32, size=2, dtype=np.uint32)
    names = [parameter.name for parameter in shape.member.parameters]
    with double_precision():
        keys = jax.random.split(key, len(sd))
        size = (count, sd.shape[1])
        if names:
            z = jax.vmap(
                lambda k, v: shape.member.sample(k, size, dict(zip(names, v, strict=True)))
            )(keys, flat[f"{site}.shape"])
        else:
            z = jax.vmap(lambda k: shape.member.sample(k, size, {}))(keys)
        z = np.asarray(z)
    if shape.correlated:
        ridge = 1e-12 * np.eye(sd.shape[1])
        z = z @ np.swapaxes(np.linalg.cholesky(flat[f"{site}.corr"] + ridge), 1, 2)
    return z * sd[:, None, :]
