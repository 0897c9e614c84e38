"""Views of a compiled model as functions of its raw (unconstrained, dimensionless) sites."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from numpyro import handlers
from numpyro.infer.util import log_density as numpyro_log_density

from .compile import Structure, conditions, model
from .marginal import draw

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
    bound = partial(model, structure)
    return numpyro_log_density(bound, (design, numbers), {"jacobian": jacobian}, raw)[0]


def natural(
    structure: Structure,
    raw: Raw,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    key: Any = None,
) -> dict[str, Any]:
    """Returns the natural parameters of raw sites, by generic name.

    Args:
        structure: the model.
        raw: its sites.
        design: arrays.
        numbers: priors and scales.
        key: for drawing group effects that the model integrates out; without it they are left out.
    """
    substituted: Any = handlers.substitute(partial(model, structure), data=raw)
    values = substituted(design, numbers)
    values = {name: value for name, value in values.items() if name != "response"}
    if structure.marginal is not None and key is not None:
        again: Any = handlers.substitute(partial(conditions, structure), data=raw)
        given = again(numbers, dict(values))
        drawn = draw(key, structure.marginal.order, given, design["statistics"])
        if given.prior is not None:
            name = structure.predictors[0].parameter
            values[f"{name}.coefficients"] = drawn.pop("coefficients")
        values |= {f"{site}.effects": effects for site, effects in drawn.items()}
    return values
