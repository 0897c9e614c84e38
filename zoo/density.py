"""Views of a compiled model as functions of its raw (unconstrained, dimensionless) sites."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from numpyro import handlers
from numpyro.infer.util import log_density as numpyro_log_density

from . import laplace, marginal
from .compile import conditions, laplace_frame, model, sample_scalars
from .structure import Structure

Raw = dict[str, Any]


def site_shapes(structure: Structure, numbers: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every latent site, in the order of the model."""
    shapes: dict[str, tuple[int, ...]] = {}
    for predictor in structure.predictors:
        name = predictor.parameter
        drawn = structure.marginal is not None and structure.marginal.coefficients
        if predictor.coefficients.size and not drawn:
            site = f"{name}.coefficients"
            for position, _ in predictor.coefficients.local:
                size = predictor.coefficients.sizes[position]
                shapes[f"{site}.scales{position}"] = (1 + size, 1)
            shapes[site] = (predictor.coefficients.size,)
        if predictor.own.size:
            site, own = f"{name}.neurons", numbers[name]["own"]
            for position, _ in predictor.own.local:
                size = predictor.own.sizes[position]
                shapes[f"{site}.scales{position}"] = (1 + size, own["location"].shape[1])
            places = own["places"]
            shapes[site] = own["location"].shape if places is None else places.shape
        for i, group in enumerate(predictor.groups):
            site, k = f"{name}.group{i}", group.effects
            shapes[f"{site}.sd"] = (k,)
            if group.correlated:
                shapes[f"{site}.corr"] = (k * (k - 1) // 2,)
            if group.member.parameters:
                shapes[f"{site}.shape"] = (len(group.member.parameters),)
            if structure.marginal is None:
                shapes[f"{site}.effects"] = (numbers[name]["groups"][i]["centred"].shape[0], k)
    if structure.scalars:
        shapes["family"] = numbers["family"]["location"].shape
    return shapes


def log_density(
    structure: Structure,
    raw: Raw,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    jacobian: bool = True,
) -> Any:
    """Returns log p(raw, y); without the Jacobian, log p(natural parameters, y)."""
    return marginal_density(structure, raw, design, numbers, jacobian)[0]


def marginal_density(
    structure: Structure,
    raw: Raw,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    jacobian: bool = True,
) -> tuple[Any, Any]:
    """Returns the log density, and the modes of effects that Laplace's method integrates out."""
    bound = partial(model, structure)
    value, trace = numpyro_log_density(bound, (design, numbers), {"jacobian": jacobian}, raw)
    return value, trace["modes"]["value"] if "modes" in trace else ()


def natural(
    structure: Structure,
    raw: Raw,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    key: Any = None,
    mode: bool = False,
) -> dict[str, Any]:
    """Returns the natural parameters of raw sites, by generic name.

    Args:
        structure: the model.
        raw: its sites.
        design: arrays.
        numbers: priors and scales.
        key: for drawing what the model integrates out; without it that is left out.
        mode: put what the model integrates out at its mode given the rest.
    """
    substituted: Any = handlers.substitute(partial(_parameters, structure), data=raw)
    values, given = substituted(design, numbers)
    if structure.marginal is None or given is None or (key is None and not mode):
        return values
    how, name = structure.marginal, structure.predictors[0].parameter
    if how.exact:
        drawn = marginal.draw(None if mode else key, how.order, given, design["statistics"])
    else:
        at = laplace_frame(structure, how, given, design)
        drawn = laplace.draw(None if mode else key, at, design["start"], how.order, given)
    if "coefficients" in drawn:
        values[f"{name}.coefficients"] = drawn.pop("coefficients")
    return values | {f"{site}.effects": effects for site, effects in drawn.items()}


def _parameters(structure: Structure, design: Any, numbers: Any) -> tuple[dict[str, Any], Any]:
    """The model's parameters without its likelihood, and what a marginal likelihood depends on."""
    if structure.marginal is None:
        values = model(structure, design, numbers)
        return {name: value for name, value in values.items() if name != "response"}, None
    values: dict[str, Any] = {}
    sample_scalars(structure, numbers, values)
    return values, conditions(structure, design, numbers, values)
