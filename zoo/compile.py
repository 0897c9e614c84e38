"""THE function that turns a model's structure, design and numbers into a NumPyro model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpyro
from jax.scipy.linalg import block_diag

from . import marginal
from .blocks import BlockShape, CorrelationBlock, GroupBlock, ParameterBlock
from .distributions import Censored, Weighted
from .families import FAMILIES
from .family import Family
from .group import GroupDistribution
from .links import LINKS

LOCAL = "local "


@dataclass(frozen=True)
class GroupStructure:
    """The shape of one group term.

    Attributes:
        sd: the standard deviations, one prior per term.
        correlated: whether the effects have correlations.
        member: the distribution of the effects.
        shape: the parameters of that distribution.
        factor: numbers the grouping factors of the model; terms of one factor share a number.
    """

    sd: BlockShape
    correlated: bool
    member: GroupDistribution
    shape: BlockShape
    factor: int

    @property
    def effects(self) -> int:
        """The number of effects per group."""
        return self.sd.size


@dataclass(frozen=True)
class PredictorStructure:
    """The shape of one predictor; its coefficients begin with the intercept, if it has one."""

    parameter: str
    link: str
    intercept: bool
    coefficients: BlockShape
    groups: tuple[GroupStructure, ...]


@dataclass(frozen=True)
class Structure:
    """All that a compiled program depends on; every number is an argument.

    Attributes:
        family: the family.
        predictors: the predictor of the mean first.
        scalars: parameters of the family that are one number each.
        scalar_shape: their priors.
        marginal: whether normal group effects are integrated out; the design then holds sufficient
            statistics instead of rows.
    """

    family: Family
    predictors: tuple[PredictorStructure, ...]
    scalars: tuple[str, ...]
    scalar_shape: BlockShape
    marginal: bool = False

    @property
    def groups(self) -> dict[str, GroupStructure]:
        """The group terms by the name of their site, in the order of the model."""
        return {
            f"{p.parameter}.group{i}": g for p in self.predictors for i, g in enumerate(p.groups)
        }

    @property
    def key(self) -> str:
        """A text that is equal for equal structures.

        It starts with `LOCAL` where it is so within this process only, because the user's own
        distributions or family are part of the structure.
        """
        predictors = [
            (
                p.parameter,
                p.link,
                p.intercept,
                p.coefficients.key,
                [(g.sd.key, g.correlated, g.member.name, g.shape.key, g.factor) for g in p.groups],
            )
            for p in self.predictors
        ]
        scalars = (self.scalars, self.scalar_shape.key)
        family = self.family.name
        if FAMILIES.get(family) is not self.family:
            family += f" object {id(self.family)}"
        text = repr((family, predictors, scalars, self.marginal))
        return LOCAL + text if " object " in text else text


def model(
    structure: Structure,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    jacobian: bool = True,
    observed: bool = True,
) -> dict[str, Any]:
    """The NumPyro model: latent sites on the real line, natural parameters as the result.

    Args:
        structure: the shape of the model; static under jit.
        design: `response` and `predictors`, arrays by name (see `Design.arrays`).
        numbers: prior distributions and scales (see `numbers.numbers`).
        jacobian: whether densities are those of the raw coordinates (sampling) or of the natural
            parameters (maximisation).
        observed: whether the response is conditioned on, or drawn.

    Returns:
        Natural parameters by generic name, and the response's distribution under `distribution`.
    """
    natural: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    if structure.scalars:
        block = ParameterBlock(structure.scalar_shape, **numbers["family"], jacobian=jacobian)
        values = block.natural(numpyro.sample("family", block))
        for i, name in enumerate(structure.scalars):
            natural[name] = parameters[name] = values[i]
    if structure.marginal:
        known = design["statistics"]
        given = conditions(structure, numbers, natural, jacobian)
        numpyro.factor("response", marginal.log_likelihood(*given, known=known))
        return natural
    for predictor in structure.predictors:
        name = predictor.parameter
        arrays = design["predictors"][name]
        eta = _predict(predictor, arrays, numbers[name], natural, jacobian)
        parameters[name] = LINKS[predictor.link].inverse(eta)
    distribution = observe(structure.family, parameters, design["response"])
    value = design["response"]["y"] if observed else None
    natural["response"] = numpyro.sample("response", distribution, obs=value)
    return natural


def conditions(
    structure: Structure, numbers: Mapping[str, Any], natural: dict[str, Any], jacobian: bool = True
) -> marginal.Conditions:
    """Samples what the marginal likelihood of a normal mixed model depends on."""
    predictor = structure.predictors[0]
    name = predictor.parameter
    coefficients = _coefficients(predictor, numbers[name], natural, jacobian)
    factors = [
        _group_factor(group, f"{name}.group{i}", numbers[name]["groups"][i], natural, jacobian)[0]
        for i, group in enumerate(predictor.groups)
    ]
    sigma = natural.get(structure.family.known_scale or "", jnp.ones(()))
    return marginal.Conditions(coefficients, block_diag(*factors), sigma, predictor.intercept)


def observe(family: Family, parameters: Mapping[str, Any], response: Mapping[str, Any]) -> Any:
    """Returns the distribution of the response given the parameters, per row."""
    values = dict(parameters)
    if family.known_scale is not None and "standard_error" in response:
        values[family.known_scale] = response["standard_error"]
    distribution = family.distribution(values["mu"], values, response)
    if "status" in response:
        distribution = Censored(distribution, response["status"])
    if "weights" in response:
        distribution = Weighted(distribution, response["weights"])
    return distribution


def _predict(
    predictor: PredictorStructure,
    arrays: Mapping[str, Any],
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool,
) -> Any:
    """Samples the parameters of one linear predictor and returns it, shape (obs,)."""
    name = predictor.parameter
    eta = arrays["offset"]
    coefficients = _coefficients(predictor, numbers, natural, jacobian)
    if predictor.intercept:
        eta = eta + coefficients[0]
    eta = eta + arrays["matrix"] @ coefficients[int(predictor.intercept) :]
    for i, group in enumerate(predictor.groups):
        site = f"{name}.group{i}"
        factor, extra = _group_factor(group, site, numbers["groups"][i], natural, jacobian)
        scales = numbers["groups"][i]
        shift = scales["anchor"] - scales["absorbs"] @ coefficients
        block = GroupBlock(group.member, factor, scales["units"], shift, scales["centred"], extra)
        effects = block.natural(numpyro.sample(f"{site}.effects", block))
        natural[f"{site}.effects"] = effects
        index = arrays["groups"][i]["index"]
        for k, column in enumerate(arrays["groups"][i]["effects"]):
            eta = eta + column * effects[:, k][index]
    return eta


def _coefficients(
    predictor: PredictorStructure,
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool,
) -> Any:
    """Samples the common coefficients of a predictor, the intercept first, shape (coef,)."""
    if not predictor.coefficients.size:
        return jnp.zeros(0)
    shape, name = predictor.coefficients, f"{predictor.parameter}.coefficients"
    block = ParameterBlock(shape, **numbers["coefficients"], jacobian=jacobian)
    natural[name] = block.natural(numpyro.sample(name, block))
    return natural[name]


def _group_factor(
    group: GroupStructure,
    site: str,
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool,
) -> tuple[Any, dict[str, Any]]:
    """Samples scales and correlations of a group term: L with u = L z, and z's own parameters."""
    block = ParameterBlock(group.sd, **numbers["sd"], jacobian=jacobian)
    sd = natural[f"{site}.sd"] = block.natural(numpyro.sample(f"{site}.sd", block))
    factor = jnp.diag(sd)
    if group.correlated:
        correlation = CorrelationBlock(group.effects, numbers["eta"], jacobian)
        cholesky = correlation.cholesky(numpyro.sample(f"{site}.corr", correlation))
        natural[f"{site}.corr"] = cholesky @ cholesky.T
        factor = sd[:, None] * cholesky
    extra: dict[str, Any] = {}
    if group.member.parameters:
        shape = ParameterBlock(group.shape, **numbers["shape"], jacobian=jacobian)
        values = shape.natural(numpyro.sample(f"{site}.shape", shape))
        natural[f"{site}.shape"] = values
        extra = {p.name: values[i] for i, p in enumerate(group.member.parameters)}
    return factor, extra
