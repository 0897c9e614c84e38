"""Views of a compiled model as functions of its raw (unconstrained, dimensionless) sites."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from numpyro import handlers
from numpyro.infer.util import log_density as numpyro_log_density

from .compile import Structure, model

Raw = dict[str, Any]


def site_shapes(structure: Structure, numbers: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every latent site, in the order of the model."""
    shapes: dict[str, tuple[int, ...]] = {}
    for predictor in structure.predictors:
        name = predictor.parameter
        if predictor.coefficients.size:
            shapes[f"{name}.coefficients"] = (predictor.coefficients.size,)
        for i, group in enumerate(predictor.groups):
            site, k = f"{name}.group{i}", group.effects
            shapes[f"{site}.sd"] = (k,)
            if group.correlated:
                shapes[f"{site}.corr"] = (k * (k - 1) // 2,)
            if group.member.parameters:
                shapes[f"{site}.shape"] = (len(group.member.parameters),)
            shapes[f"{site}.effects"] = (numbers[name]["groups"][i]["centred"].shape[0], k)
    if structure.scalars:
        shapes["family"] = (len(structure.scalars),)
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
    structure: Structure, raw: Raw, design: Mapping[str, Any], numbers: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the natural parameters of raw sites, by generic name."""
    values = handlers.substitute(partial(model, structure), data=raw)(design, numbers)
    return {name: value for name, value in values.items() if name != "response"}
