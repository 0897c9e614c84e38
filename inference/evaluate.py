"""Linear predictors, means, samples and log-likelihoods of any design, over draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..errors import DataError
from ..formula import Design
from ..formula.design import PredictorDesign
from ..formula.features import blocks
from ..formula.terms import MEAN
from ..zoo.compile import observe
from ..zoo.family import Family
from ..zoo.links import LINKS
from ..zoo.structure import PredictorStructure, Structure
from .programs import double_precision, program

BLOCK = 4_000_000
"""Numbers (draws x rows) held at a time by one array of an evaluation."""
LARGEST = 1e150
"""The square of what is larger is no number."""


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
            for start, block in blocks(arrays.shared) if values.shape[1] else ():
                eta[:, start : start + len(block)] += values @ block.T
        if structure.population:
            eta = _for_neurons(predictor, arrays, eta, flat, design.neurons)
        for i, group in enumerate(arrays.groups):
            effects = flat[f"{name}.group{i}.effects"]
            index = group.index
            if structure.population and index.ndim == 1:
                index = index[:, None]
            for k in range(group.effects.shape[1]):
                column = group.effects[:, k]
                part = np.take(effects[:, :, k], index, axis=1, mode="clip")
                eta += part * (column[:, None] if structure.population else column)
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


def require_squares(what: str, values: np.ndarray, rows: Any = None) -> None:
    """Raises where numbers are so large that their squares are none, so that they have no spread.

    Args:
        what: names them in the message.
        values: shape (sample, ...); NaN passes.
        rows: the labels of their second dimension, if they are rows.

    Raises:
        DataError: with the number of samples in which some are.
    """
    beyond = np.abs(values) > LARGEST
    if beyond.any():
        draws = int(beyond.reshape(len(values), -1).any(axis=1).sum())
        share = f" in {draws:,} of {len(values):,} draws" if len(values) > 1 else ""
        place = "" if rows is None else f" of row {rows[int(np.argwhere(beyond)[0][1])]}"
        raise DataError(
            f"{what}{place} is beyond {LARGEST:g}{share}: too far "
            'from the fitted data. Ask nearer to them, or for predict(kind="linear").'
        )


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
    seed: Any,
) -> np.ndarray:
    """Returns new responses, shape (sample, obs[, neuron]); NaN where a predictor is not known.

    Args:
        structure: the model's structure.
        etas: the linear predictor of every modelled parameter.
        flat: natural parameters with one leading dimension (sample).
        design: the rows.
        seed: a number, or several.
    """
    family = structure.family
    response = {k: v for k, v in design.response.items() if k not in ("y", "weights", "status")}
    known = {k: np.asarray(v) for k, v in response_rows(structure, response).items()}
    with double_precision():
        values = {k: np.asarray(v) for k, v in parameters(structure, etas, flat).items()}
    shape = etas[MEAN].shape
    usable = np.ones(shape, dtype=bool)
    for array in (*values.values(), *known.values()):
        usable &= np.isfinite(array)
    if not usable.all():
        values, known = (
            {k: np.where(np.isfinite(v), v, 0.5) for k, v in arrays.items()}
            for arrays in (values, known)
        )
    values[MEAN] = np.broadcast_to(values[MEAN], shape)
    drawn = np.array(np.broadcast_to(_draw(family, values, known, seed), shape), dtype=np.float64)
    drawn[~usable] = np.nan
    return drawn


def _draw(
    family: Family, values: dict[str, np.ndarray], known: dict[str, np.ndarray], seed: Any
) -> Any:
    """Draws responses by NumPy where the family says how, and else by NumPyro."""
    if family.known_scale is not None and "standard_error" in known:
        values[family.known_scale] = known["standard_error"]
    generator = np.random.default_rng(seed)
    if family.draw is not None:
        try:
            return family.draw(generator, values[MEAN], values, known)
        except ValueError:  # a mean that the family cannot have, which NumPyro answers by NaN
            pass
    key = generator.integers(0, 2**32, 2, dtype=np.uint32)
    with double_precision():
        return observe(family, values, known).sample(key)


def log_likelihood(structure: Structure, design: Design, natural: Mapping[str, Any]) -> np.ndarray:
    """Returns the pointwise log-likelihood, shape (chain, draw, obs[, neuron])."""
    chains, draws = np.shape(next(iter(natural.values())))[:2]
    out = np.empty((chains * draws, *design.response["y"].shape))
    for start, block in log_likelihood_blocks(structure, design, natural):
        out[:, start : start + len(block)] = np.moveaxis(block, -1, 0)
    return out.reshape(chains, draws, *out.shape[1:])


def log_likelihood_blocks(
    structure: Structure, design: Design, natural: Mapping[str, Any], numbers: int = BLOCK
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (first row, log-likelihood of some rows), all draws of a row at a time.

    Args:
        structure: the model's structure.
        design: the training data.
        natural: natural parameters, (chain, draw, ...).
        numbers: about how many numbers a block holds.

    Yields:
        Arrays of shape (row[, neuron], sample), read-only.
    """
    flat = flatten(natural)
    scalars = {name: flat[name] for name in structure.scalars}
    cells = len(next(iter(flat.values()))) * max(design.neurons, 1)
    rows = max(1, min(design.size, numbers // cells))

    def density(etas: Any, scalars: Any, response: Any) -> Any:
        values = parameters(structure, etas, scalars)
        observed = response_rows(structure, response)
        logs = observe(structure.family, values, observed).log_prob(observed["y"])
        return jnp.moveaxis(logs, 0, -1)

    for start in range(0, design.size, rows):
        part = design.part(start, rows)
        arguments = (linear_predictors(structure, part, flat), scalars, part.response)
        compiled = program("log_likelihood", structure.key, density, arguments)
        with double_precision():
            block = np.asarray(compiled(*arguments))
        yield start, block[: design.size - start]
