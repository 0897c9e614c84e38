"""THE function that turns a model's structure, design and numbers into a NumPyro model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpyro

from . import laplace, marginal
from .blocks import BlockShape, CorrelationBlock, GroupBlock, ParameterBlock
from .distributions import Censored, Weighted
from .family import Family
from .links import LINKS
from .population import LocalScales, PopulationBlock
from .structure import GroupStructure, Marginal, PredictorStructure, Structure


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
    sample_scalars(structure, numbers, natural, jacobian)
    for name in structure.scalars:
        parameters[name] = natural[name][None, :] if structure.population else natural[name]
    if structure.marginal is not None:
        _integrate(structure, structure.marginal, design, numbers, natural, jacobian)
        return natural
    for predictor in structure.predictors:
        name = predictor.parameter
        arrays = design["predictors"][name]
        eta = _predict(structure, predictor, arrays, numbers[name], natural, jacobian)
        parameters[name] = LINKS[predictor.link].inverse(eta)
    response = design["response"]
    if structure.population:
        response = {k: v if jnp.ndim(v) == 2 else v[:, None] for k, v in response.items()}
    distribution = observe(structure.family, parameters, response)
    value = response["y"] if observed else None
    natural["response"] = numpyro.sample("response", distribution, obs=value)
    return natural


def sample_scalars(
    structure: Structure, numbers: Mapping[str, Any], natural: dict[str, Any], jacobian: bool = True
) -> None:
    """Samples the family's parameters that are one number each (for each neuron)."""
    if not structure.scalars:
        return
    kind = PopulationBlock if structure.population else ParameterBlock
    block = kind(structure.scalar_shape, **numbers["family"], jacobian=jacobian)
    values = block.natural(numpyro.sample("family", block))
    for i, name in enumerate(structure.scalars):
        natural[name] = values[i]


def _integrate(
    structure: Structure,
    how: Marginal,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool,
) -> None:
    """Adds the likelihood with group effects integrated out; `modes` are the effects' for Laplace's."""
    given = conditions(structure, design, numbers, natural, jacobian)
    if how.exact:
        value = marginal.log_likelihood(how.order, given, design["statistics"])
    else:
        at = laplace_frame(structure, how, given, design)
        value, modes = laplace.log_likelihood(at, design["start"])
        numpyro.deterministic("modes", modes)  # pyright: ignore[reportArgumentType]
    numpyro.factor("response", value)


def laplace_frame(
    structure: Structure, how: Marginal, given: marginal.Conditions, design: Mapping[str, Any]
) -> laplace.Frame:
    """Returns what Laplace's method needs, given the parameters."""
    predictor, response = structure.predictors[0], design["response"]
    arrays = design["predictors"][predictor.parameter]
    first = int(predictor.intercept)
    fixed = arrays["offset"] + arrays["matrix"] @ given.coefficients[first:]
    if first:
        fixed = fixed + given.coefficients[0]
    return laplace.frame(how.order, given, fixed, row_density(structure, response), design)


def row_density(structure: Structure, response: Mapping[str, Any]) -> laplace.Density:
    """Returns (linear predictor of the mean, other parameters) -> log density of each row.

    Terms of the response alone may be left out.
    """
    link = structure.predictors[0].link
    kernel = dict(structure.family.kernels).get(link)

    def density(eta: Any, parameters: Mapping[str, Any]) -> Any:
        if kernel is None or "status" in response:
            values = {**parameters, "mu": LINKS[link].inverse(eta)}
            return observe(structure.family, values, response).log_prob(response["y"])
        value = kernel(eta, response["y"], parameters, response)
        return value * response["weights"] if "weights" in response else value

    return density


def conditions(
    structure: Structure,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool = True,
) -> marginal.Conditions:
    """Samples what the marginal likelihood of a mixed model depends on, beside the scalars."""
    predictor = structure.predictors[0]
    name = predictor.parameter
    coefficients, prior = None, None
    if structure.marginal is not None and structure.marginal.coefficients:
        prior = _normal_prior(predictor.coefficients, numbers[name]["coefficients"])
    else:
        coefficients = _coefficients(structure, predictor, numbers[name], natural, jacobian)
    factors = {
        f"{name}.group{i}": _group_factor(
            group, f"{name}.group{i}", numbers[name]["groups"][i], natural, jacobian
        )[0]
        for i, group in enumerate(predictor.groups)
    }
    parameters = {scalar: natural[scalar] for scalar in structure.scalars}
    for further in structure.predictors[1:]:
        arrays = design["predictors"][further.parameter]
        eta = _predict(structure, further, arrays, numbers[further.parameter], natural, jacobian)
        parameters[further.parameter] = LINKS[further.link].inverse(eta)
    sigma = natural.get(structure.family.known_scale or "", jnp.ones(()))
    return marginal.Conditions(factors, sigma, coefficients, prior, parameters)


def _normal_prior(shape: BlockShape, numbers: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Centres and precisions of coefficients whose priors are normal or flat, and their lean."""
    centres, precisions = [], []
    for form, given, size in zip(shape.forms, numbers["priors"], shape.sizes, strict=True):
        centre, precision = form.normal(given)
        centres.append(jnp.broadcast_to(jnp.asarray(centre, dtype=float), (size,)))
        precisions.append(jnp.broadcast_to(jnp.asarray(precision, dtype=float), (size,)))
    return jnp.concatenate(centres), jnp.concatenate(precisions), numbers["lean"]


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
    structure: Structure,
    predictor: PredictorStructure,
    arrays: Mapping[str, Any],
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool,
) -> Any:
    """Samples the parameters of one linear predictor; returns it, (obs,) or (obs, neuron)."""
    name = predictor.parameter
    eta = arrays["offset"]
    coefficients = _coefficients(structure, predictor, numbers, natural, jacobian)
    if predictor.intercept:
        eta = eta + coefficients[0]
    eta = eta + arrays["matrix"] @ coefficients[int(predictor.intercept) :]
    if structure.population:
        eta = eta[:, None] + _own(structure, predictor, arrays, numbers, natural, jacobian)
    for i, group in enumerate(predictor.groups):
        site = f"{name}.group{i}"
        factor, extra = _group_factor(group, site, numbers["groups"][i], natural, jacobian)
        scales = numbers["groups"][i]
        shift = scales["anchor"] - scales["absorbs"] @ coefficients
        block = GroupBlock(group.member, factor, scales["units"], shift, scales["centred"], extra)
        effects = block.natural(numpyro.sample(f"{site}.effects", block))
        natural[f"{site}.effects"] = effects
        eta = eta + group_part(arrays["groups"][i], effects, structure.population)
    return eta


def group_part(arrays: Mapping[str, Any], effects: Any, population: bool) -> Any:
    """What a group term adds to the linear predictor, shape (obs,) or (obs, 1 or neuron)."""
    columns, total = arrays["effects"], jnp.zeros(())
    if "pieces" in arrays:  # rows in pieces of one group each
        index = arrays["pieces"]
        for k, column in enumerate(columns):
            pieces = jnp.reshape(column, (index.shape[0], -1))
            total = total + pieces * effects[:, k][index][:, None]
        return jnp.reshape(total, -1)
    index = arrays["index"]
    if jnp.ndim(index) == 2 and index.shape[0] == 1:  # neurons alone: a matrix product
        return jnp.stack(columns, axis=1) @ effects[index[0]].T
    for k, column in enumerate(columns):
        value = effects[:, k][index]
        if population:
            column = column[:, None]
            value = value if jnp.ndim(value) == 2 else value[:, None]
        total = total + column * value
    return total


def _own(
    structure: Structure,
    predictor: PredictorStructure,
    arrays: Mapping[str, Any],
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool,
) -> Any:
    """Samples every neuron's own coefficients; returns their part of the predictor, (obs, neuron)."""
    if not predictor.own.size:
        return jnp.zeros((1, 1))
    shape, name = predictor.own, f"{predictor.parameter}.neurons"
    given = dict(numbers["own"])
    if shape.local:
        neurons = given["location"].shape[1]
        stretch = jnp.ones((shape.size, neurons))
        given |= _local_scales(shape, name, given, stretch, neurons)
    unit = _unit(structure, natural) if shape.relative else None
    block = PopulationBlock(shape, **given, unit=unit, jacobian=jacobian)
    coefficients = natural[name] = block.natural(numpyro.sample(name, block))
    first = int(predictor.own_intercept)
    eta = arrays["own"] @ coefficients[first:]
    return eta + coefficients[:1] if first else eta


def _unit(structure: Structure, natural: Mapping[str, Any]) -> Any:
    """What penalties are measured in: the family's loss unit, where its scalars are known."""
    loss_unit = structure.family.loss_unit
    if loss_unit is None or not structure.scalars:
        return None
    return loss_unit(natural)


def _local_scales(
    shape: BlockShape, name: str, numbers: Mapping[str, Any], stretch: Any, neurons: int
) -> dict[str, Any]:
    """Samples the scales of coefficients under a horseshoe; returns stretch and priors with them."""
    priors = list(numbers["priors"])
    for position, start in shape.local:
        size, given = shape.sizes[position], priors[position]
        count = (1 + size, neurons)
        block = LocalScales(given["scale"], given["slab"], count)
        scales = block.scales(numpyro.sample(f"{name}.scales{position}", block))
        if jnp.ndim(stretch) == 1:
            scales = scales[:, 0]
        stretch = stretch.at[start : start + size].set(scales)
        priors[position] = {**given, "scale": scales}
    return {"priors": tuple(priors), "stretch": stretch}


def _coefficients(
    structure: Structure,
    predictor: PredictorStructure,
    numbers: Mapping[str, Any],
    natural: dict[str, Any],
    jacobian: bool,
) -> Any:
    """Samples the common coefficients of a predictor, the intercept first, shape (coef,)."""
    if not predictor.coefficients.size:
        return jnp.zeros(0)
    shape, name = predictor.coefficients, f"{predictor.parameter}.coefficients"
    given = dict(numbers["coefficients"])
    if shape.local:
        given |= _local_scales(shape, name, given, jnp.ones(shape.size), 1)
    unit = _unit(structure, natural) if shape.relative and not structure.population else None
    block = ParameterBlock(shape, **given, unit=unit, jacobian=jacobian)
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
