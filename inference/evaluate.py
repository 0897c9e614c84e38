"""Linear predictors, means, samples and log-likelihoods of any design, over draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ..formula import Design
from ..formula.terms import MEAN
from ..zoo.compile import Structure, observe
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
    """Returns the linear predictor of every modelled parameter, each of shape (sample, obs).

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
        for i, group in enumerate(arrays.groups):
            effects = flat[f"{name}.group{i}.effects"]
            for k in range(group.effects.shape[1]):
                eta += effects[:, group.index, k] * group.effects[:, k]
            eta[:, group.index < 0] = np.nan
        out[name] = eta
    return out


def parameters(
    structure: Structure, etas: Mapping[str, Any], flat: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the parameters of the response's distribution, broadcastable to (sample, obs)."""
    links = {p.parameter: LINKS[p.link] for p in structure.predictors}
    values = {name: links[name].inverse(eta) for name, eta in etas.items()}
    return values | {name: flat[name][:, None] for name in structure.scalars}


def _rows(response: Mapping[str, Any]) -> dict[str, Any]:
    return {name: array[None, :] for name, array in response.items()}


def means(
    structure: Structure, etas: Mapping[str, Any], flat: Mapping[str, Any], design: Design
) -> np.ndarray:
    """Returns the mean of the response, shape (sample, obs)."""
    with double_precision():
        values = parameters(structure, etas, flat)
        return np.asarray(structure.family.mean(values[MEAN], values, _rows(design.response)))


def samples(
    structure: Structure,
    etas: Mapping[str, Any],
    flat: Mapping[str, Any],
    design: Design,
    seed: int,
) -> np.ndarray:
    """Returns new responses, shape (sample, obs)."""
    with double_precision():
        values = parameters(structure, etas, flat)
        known = {k: v for k, v in design.response.items() if k not in ("weights", "status")}
        distribution = observe(structure.family, values, _rows(known))
        drawn = distribution.sample(jax.random.PRNGKey(seed))
        shape = next(iter(etas.values())).shape
        return np.array(np.broadcast_to(drawn, shape), dtype=np.float64)


def log_likelihood(structure: Structure, design: Design, natural: Mapping[str, Any]) -> np.ndarray:
    """Returns the pointwise log-likelihood, shape (chain, draw, obs)."""
    chains, draws = np.shape(next(iter(natural.values())))[:2]
    flat = flatten(natural)
    total = chains * draws
    size = max(1, min(total, BLOCK // max(design.size, 1)))
    out = np.empty((total, design.size))

    def density(etas: Any, scalars: Any, response: Any) -> Any:
        values = parameters(structure, etas, scalars)
        rows = _rows(response)
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
    return out.reshape(chains, draws, design.size)
