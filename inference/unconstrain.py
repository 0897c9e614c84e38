"""Natural parameters -> raw sites: the inverse of `constrain`, for models that sample everything."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpyro.distributions import biject_to, constraints
from numpyro.distributions.transforms import CorrCholeskyTransform

from ..errors import FitError
from ..zoo.blocks import BlockShape
from ..zoo.density import Raw
from .backend import Problem
from .programs import double_precision


def unconstrain(problem: Problem, flat: Mapping[str, np.ndarray]) -> Raw:
    """Returns the raw sites of natural parameters.

    Args:
        problem: the model, of which nothing is integrated out.
        flat: generic name -> draws with one leading dimension (sample).

    Returns:
        Sites on the whole real line, each with the leading dimension.

    Raises:
        FitError: the model has scales that its draws do not keep (those of a horseshoe).
    """
    from .launch import raw_effects  # it and the backends import each other

    structure, numbers = problem.structure, problem.numbers
    raw: Raw = {}
    with double_precision():
        for predictor in structure.predictors:
            name, given = predictor.parameter, numbers[predictor.parameter]
            _refuse_local(predictor.coefficients, predictor.own)
            if predictor.coefficients.size:
                site = f"{name}.coefficients"
                raw[site] = _block(predictor.coefficients, given["coefficients"], flat[site])
            if predictor.own.size:
                site = f"{name}.neurons"
                raw[site] = _neurons(predictor.own, given["own"], flat[site])
            for i, group in enumerate(predictor.groups):
                site, scales = f"{name}.group{i}", given["groups"][i]
                raw[f"{site}.sd"] = _block(group.sd, scales["sd"], flat[f"{site}.sd"])
                if group.correlated:
                    factor = np.linalg.cholesky(flat[f"{site}.corr"])
                    inverse = CorrCholeskyTransform().inv(jnp.asarray(factor))
                    raw[f"{site}.corr"] = np.asarray(inverse)
                if group.member.parameters:
                    shape = f"{site}.shape"
                    raw[shape] = _block(group.shape, scales["shape"], flat[shape])
        if structure.scalars:
            values = np.stack([flat[name] for name in structure.scalars], axis=1)
            how = _neurons if structure.population else _block
            raw["family"] = how(structure.scalar_shape, numbers["family"], values)
    return raw | raw_effects(problem, flat)


def _refuse_local(*shapes: BlockShape) -> None:
    if any(shape.local for shape in shapes):
        raise FitError(
            "the prior bz.Horseshoe has scales of its own, which the draws do not keep, so moments "
            "cannot be matched. Use loo(refit=True)."
        )


def _supports(shape: BlockShape, priors: Sequence[Mapping[str, Any]]) -> list[Any]:
    built = [form.build(given) for form, given in zip(shape.forms, priors, strict=True)]
    return [
        constraints.real if form.joint else prior.support
        for form, prior in zip(shape.forms, built, strict=True)
    ]


def _unbounded(shape: BlockShape, priors: Any, values: np.ndarray) -> np.ndarray:
    """Maps the supports of priors onto the real line, along axis 1."""
    bounds = itertools.pairwise([0, *itertools.accumulate(shape.sizes)])
    parts = []
    for (a, b), support in zip(bounds, _supports(shape, priors), strict=True):
        part = jnp.asarray(values[:, a:b])
        real = support is constraints.real or support is constraints.real_vector
        parts.append(part if real else biject_to(support).inv(part))
    return np.concatenate([np.asarray(part) for part in parts], axis=1)


def _block(shape: BlockShape, numbers: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    """The coordinates of `zoo.blocks.ParameterBlock`, shape (sample, p)."""
    step = _unbounded(shape, numbers["priors"], values) - numbers["location"]
    basis = np.asarray(numbers["basis"])
    return step / basis if basis.ndim == 1 else np.linalg.solve(basis, step.T).T


def _neurons(shape: BlockShape, numbers: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    """The coordinates of `zoo.population.PopulationBlock`, shape (sample, p, neuron) or (sample, p)."""
    free = np.asarray(numbers["free"])
    with np.errstate(all="ignore"):
        vector = _unbounded(shape, numbers["priors"], values)
    step = np.where(free, vector - numbers["location"], 0.0)
    basis = np.asarray(numbers["basis"])
    if basis.ndim == 2:
        step = np.linalg.solve(basis, step)
    else:
        step = np.swapaxes(np.linalg.solve(basis, np.swapaxes(step, 1, 2)[..., None])[..., 0], 1, 2)
    raw = step / numbers["scale"]
    places = numbers.get("places")
    return raw if places is None else raw.reshape(len(raw), -1)[:, places]
