"""Linear predictors, means, samples and log-likelihoods of any design, over draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ..formula import Design
from ..formula.design import PredictorDesign
from ..formula.features import blocks
from ..formula.terms import MEAN
from ..zoo.compile import PredictorStructure, Structure, observe
from ..zoo.links import LINKS
from .programs import double_precision, program

BLOCK = 4_000_000
"""Numbers (draws x rows) held at a time by one array of an evaluation."""


def flatten(natural: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Joins chains and draws: (chain, draw, ...) -> (sample, ...)."""
    return {name: np.reshape(array, (-1, *np.shape(array)[2:])) for name, array in natural.items()}


def linear_predictors(
    structure: Structure, design: Design, flat: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns the linear predictor of every modelled parameter, each (sample, obs[, neuron]).

    Args:
        structure: the model's structure.
        design: training or new data; group effects of index -1 give NaN.
        flat: natural parameters with one leading dimension (sample).
    """
    out = {}
    for predictor in structure.predictors:
        name = predictor.parameter
        arrays = design.predictors[name]
        samples = len(next(iter(flat.values())))
        eta = np.broadcast_to(arrays.offset, (samples, design.size)).copy()
        if predictor.coefficients.size:
            values = flat[f"{name}.coefficients"]
            if predictor.intercept:
                eta += values[:, :1]
                values = values[:, 1:]
            eta += values @ arrays.matrix.T
        if structure.population:
            eta = _for_neurons(predictor, arrays, eta, flat, design.neurons)
        for i, group in enumerate(arrays.groups):
            effects = flat[f"{name}.group{i}.effects"]
            index = group.index
            if structure.population and index.ndim == 1:
                index = index[:, None]
            for k in range(group.effects.shape[1]):
                column = group.effects[:, k]
                column = column[:, None] if structure.population else column
                eta += effects[:, index, k] * column
            missing = np.broadcast_to(index < 0, eta.shape[1:])
            eta[:, missing] = np.nan
        out[name] = eta
    return out


def _for_neurons(
    predictor: PredictorStructure,
    arrays: PredictorDesign,
    eta: np.ndarray,
    flat: Mapping[str, np.ndarray],
    neurons: int,
) -> np.ndarray:
    """Adds the neurons' own terms to what they have in common: (sample, obs, neuron)."""
    out = np.repeat(eta[:, :, None], neurons, axis=2)
    if predictor.own.size:
        values = flat[f"{predictor.parameter}.neurons"]
        first = int(predictor.own_intercept)
        if first:
            out += values[:, None, 0]
        for start, block in blocks(arrays.own):
            out[:, start : start + len(block)] += block @ values[:, first:]
    return out


def parameters(
    structure: Structure, etas: Mapping[str, Any], flat: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the parameters of the response's distribution, broadcastable to (sample, obs)."""
    links = {p.parameter: LINKS[p.link] for p in structure.predictors}
    values = {name: links[name].inverse(eta) for name, eta in etas.items()}
    return values | {name: flat[name][:, None] for name in structure.scalars}


def response_rows(structure: Structure, response: Mapping[str, Any]) -> dict[str, Any]:
    """The response with a leading axis for samples, and one for neurons where there are any."""
    out = {name: array[None] for name, array in response.items()}
    if structure.population:
        return {k: v if v.ndim == 3 else v[..., None] for k, v in out.items()}
    return out


def means(
    structure: Structure, etas: Mapping[str, Any], flat: Mapping[str, Any], design: Design
) -> np.ndarray:
    """Returns the mean of the response, shape (sample, obs[, neuron])."""
    with double_precision():
        values = parameters(structure, etas, flat)
        return np.asarray(
            structure.family.mean(values[MEAN], values, response_rows(structure, design.response))
        )


def samples(
    structure: Structure,
    etas: Mapping[str, Any],
    flat: Mapping[str, Any],
    design: Design,
    seed: int,
) -> np.ndarray:
    """Returns new responses, shape (sample, obs[, neuron])."""
    with double_precision():
        values = parameters(structure, etas, flat)
        known = {k: v for k, v in design.response.items() if k not in ("weights", "status")}
        distribution = observe(structure.family, values, response_rows(structure, known))
        drawn = distribution.sample(jax.random.PRNGKey(seed))
        shape = next(iter(etas.values())).shape
        return np.array(np.broadcast_to(drawn, shape), dtype=np.float64)


def log_likelihood(structure: Structure, design: Design, natural: Mapping[str, Any]) -> np.ndarray:
    """Returns the pointwise log-likelihood, shape (chain, draw, obs[, neuron])."""
    chains, draws = np.shape(next(iter(natural.values())))[:2]
    flat = flatten(natural)
    total = chains * draws
    shape = design.response["y"].shape
    size = max(1, min(total, BLOCK // max(int(np.prod(shape)), 1)))
    out = np.empty((total, *shape))

    def density(etas: Any, scalars: Any, response: Any) -> Any:
        values = parameters(structure, etas, scalars)
        rows = response_rows(structure, response)
        return observe(structure.family, values, rows).log_prob(rows["y"])

    for start in range(0, total, size):
        stop = min(start + size, total)
        part = {name: array[start:stop] for name, array in flat.items()}
        etas = linear_predictors(structure, design, part)
        scalars = {name: part[name] for name in structure.scalars}
        arguments = (etas, scalars, design.response)
        compiled = program("log_likelihood", structure.key, density, arguments)
        with double_precision():
            out[start:stop] = compiled(*arguments)
    return out.reshape(chains, draws, *shape)
