"""From a model to the problem of the matrix-shaped solver, and from its answer to parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import listing
from ...formula.features import moments
from ...formula.terms import INTERCEPT, MEAN
from ...zoo.links import LINKS
from ...zoo.population_numbers import broadcast
from ...zoo.priors import Prior
from ...zoo.spec import ModelSpec
from ...zoo.structure import LOCAL
from ..backend import Problem
from .problem import GlmMode, GlmProblem, Penalty, ScalarPrior


def obstacle(problem: Problem) -> str:
    """Returns why the matrix-shaped solver cannot fit a model, or an empty text."""
    spec, structure = problem.spec, problem.structure
    predictor = spec.schema.predictors[0]
    if len(structure.predictors) > 1:
        return "further parameters are modelled"
    if structure.groups:
        return "there are group effects"
    names = _names(spec)[0]
    if not names and not structure.scalars:
        return "there is nothing to estimate"
    if spec.schema.neurons is not None and (predictor.intercept or predictor.terms):
        return "some coefficients are common to all neurons"
    for name in names:
        prior = spec.prior[name]
        parts = prior.penalty
        if parts is None or (name == INTERCEPT and set(parts) - {"precision", "centre"}):
            return f"the prior of `{name}` is {prior}"
    for name in structure.scalars:
        support: Any = spec.prior[name].distribution().support
        inside = np.asarray(support(np.array([1e-9, 0.5, 1e9])))
        needed = inside if spec.family.parameter(name).link == "log" else inside[:2]
        if not needed.all() or support(-1.0):
            return f"the prior of `{name}` is {spec.prior[name]}"
    return ""


def _names(spec: ModelSpec) -> tuple[list[str], list[int]]:
    if spec.schema.neurons is None:
        return spec.coefficient_names(MEAN)
    return spec.own_names(MEAN)


def build(problem: Problem, jacobian: bool) -> GlmProblem:
    """Returns the problem of the matrix-shaped solver; a single response is one neuron."""
    spec, design = problem.spec, problem.training
    predictor, arrays = spec.schema.predictors[0], design.predictors[MEAN]
    population = spec.schema.neurons is not None
    features = arrays.own if population else arrays.shared
    intercept = predictor.own_intercept if population else predictor.intercept
    response = dict(design.response)
    y = response.pop("y")
    y = y if population else y[:, None]
    neurons = y.shape[1]
    names, sizes = _names(spec)
    found = moments(features)
    first = spec.prior[INTERCEPT].penalty if intercept else None
    ones = np.ones(neurons)
    free = spec.free(MEAN)
    return GlmProblem(
        features=features,
        means=found.means,
        gram=found.covariance,
        y=y,
        offset=arrays.offset,
        weights=response.pop("weights", None),
        intercept=intercept,
        family=spec.family,
        link=LINKS[dict(spec.links)[MEAN]],
        scalars=spec.scalars,
        penalty=_Penalties(spec, names[int(intercept) :], sizes[int(intercept) :], neurons),
        intercept_precision=_of_intercept(spec, first, "precision", neurons) * ones,
        intercept_centre=_of_intercept(spec, first, "centre", neurons) * ones,
        lean=found.means if intercept and spec.centred_intercept(MEAN) else 0.0 * found.means,
        scalar_prior=_scalar_prior(problem, neurons),
        jacobian=jacobian,
        free=None if free is None else free[int(intercept) :],
        extras=response,
        devices=problem.devices,
    )


def _of_intercept(spec: ModelSpec, parts: Any, name: str, neurons: int) -> Any:
    if not parts or name not in parts:
        return 0.0
    return np.broadcast_to(np.asarray(parts[name], dtype=np.float64), (1, neurons))[0]


class _Penalties:
    """Minus the log priors of the coefficients, given the family's scalars."""

    def __init__(self, spec: ModelSpec, names: list[str], sizes: list[int], neurons: int) -> None:
        self.loss_unit, self.scalars = spec.family.loss_unit, spec.scalars
        self.priors: list[Prior] = [spec.prior[name] for name in names]
        self.sizes, self.neurons = sizes, neurons

    def __call__(self, scalars: np.ndarray) -> Penalty:
        count, neurons = sum(self.sizes), self.neurons
        unit = np.ones(neurons)
        if self.loss_unit is not None and self.scalars:
            unit = np.asarray(self.loss_unit(dict(zip(self.scalars, scalars, strict=True))))
        arrays = {key: np.zeros((count, neurons)) for key in ("precision", "centre", "absolute")}
        group, weights = np.full(count, -1), []
        smooth = []
        start = 0
        for prior, size in zip(self.priors, self.sizes, strict=True):
            span = slice(start, start + size)
            factor = unit if prior.form.relative else np.ones(neurons)
            for key, value in (prior.penalty or {}).items():
                if key in arrays:
                    scaled = value if key == "centre" else _wide(value, size, neurons) * factor
                    arrays[key][span] = scaled
                elif key == "group_weight":
                    parts = dict(prior.static)["parts"]
                    group[span] = len(weights) + np.repeat(np.arange(parts), size // parts)
                    weights += [np.broadcast_to(value, (neurons,)) * factor] * parts
                else:
                    smooth.append((span, np.asarray(value)))
            start += size
        return Penalty(
            arrays["precision"],
            arrays["centre"],
            arrays["absolute"],
            group,
            np.array(weights).reshape(-1, neurons),
            tuple(smooth),
        )


def _wide(value: Any, size: int, neurons: int) -> np.ndarray:
    """Broadcasts the numbers of a prior to (size, neuron)."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 1:
        array = array[None, :] if size == 1 and len(array) == neurons else array[:, None]
    return np.broadcast_to(array, (size, neurons))


def _scalar_prior(problem: Problem, neurons: int) -> ScalarPrior:
    spec, shape = problem.spec, problem.structure.scalar_shape
    if not spec.scalars:
        return ScalarPrior()
    forms = shape.forms

    def log_density(scalars: Any, numbers: Any) -> Any:
        return sum(
            form.build(given).log_prob(scalars[i])
            for i, (form, given) in enumerate(zip(forms, numbers, strict=True))
        )

    numbers = tuple(
        {
            name: np.ascontiguousarray(np.broadcast_to(value, (1, neurons))[0])
            for name, value in broadcast(spec.prior[scalar], 1, neurons).items()
        }
        for scalar in spec.scalars
    )
    text = shape.key
    return ScalarPrior(LOCAL + text if " object " in text else text, log_density, numbers)


def natural(problem: Problem, mode: GlmMode) -> dict[str, np.ndarray]:
    """Returns the mode as natural parameters, shape (1, 1, ...): one chain of one draw."""
    stacked = mode.coefficients
    intercept = problem.spec.schema.predictors[0]
    if intercept.own_intercept or intercept.intercept:
        stacked = np.concatenate([mode.intercept[None], stacked])
    return arrange(problem, stacked[None], mode.scalars[None])


def arrange(
    problem: Problem, coefficients: np.ndarray, scalars: np.ndarray
) -> dict[str, np.ndarray]:
    """Names the arrays of draws: coefficients (draw, coef, neuron), scalars (draw, scalar, neuron)."""
    population = problem.structure.population
    out = {}
    if coefficients.shape[1]:
        name = f"{MEAN}.neurons" if population else f"{MEAN}.coefficients"
        out[name] = (coefficients if population else coefficients[:, :, 0])[None]
    for i, scalar in enumerate(problem.structure.scalars):
        values = scalars[:, i]
        out[scalar] = (values if population else values[:, 0])[None]
    return out


def unconverged(problem: Problem, mode: GlmMode) -> tuple[str, ...]:
    """Names the neurons whose optimum was not reached, where only some were not."""
    neurons = problem.spec.schema.neurons
    if neurons is None or mode.converged.all():
        return ()
    bad = [label for label, good in zip(neurons.labels, mode.converged, strict=True) if not good]
    return (
        f"the optimum was not reached for {len(bad):,} of {len(neurons.labels):,} neurons "
        f"({listing(bad, 5)}): their likelihood may have no maximum, as that of a neuron that never "
        "fires beside some value of a predictor. Give proper priors (the default ones are).",
    )
