"""Posterior modes of parameters, group effects integrated out, of one model or of many alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np

from ..errors import FitError
from ..zoo.density import Raw, marginal_density
from ..zoo.structure import Structure
from .backend import Problem
from .layout import lay_out
from .marginalise import integrate, integrate_many
from .modes import flat_mode, marginal, split_sites
from .programs import double_precision, program
from .quasi_newton import hessian, minimise

LANES = 32
"""How many models one program maximises at a time."""
GAIN = 1e-6
"""An optimum counts as reached when a Newton step promises less log-density than this."""


@dataclass(frozen=True, eq=False)
class Mode:
    """A posterior mode in raw coordinates.

    Attributes:
        problem: the model as it was maximised: with group effects integrated out, if it has any.
        theta: the sites other than group effects.
        u: raw group effects given theta, at their mode, where they are sites.
        gain: the log-density that one further Newton step promises.
        value: the log-density at the mode.
        covariance: inverse curvature of the (marginal) log-density of theta, or None.
    """

    problem: Problem
    theta: Raw
    u: Raw
    gain: float
    value: float
    covariance: np.ndarray | None

    @property
    def converged(self) -> bool:
        """Whether the optimum was reached, in units of log-density, which no rescaling changes."""
        return bool(np.isfinite(self.gain) and self.gain < GAIN)


def find_mode(
    problem: Problem, jacobian: bool, curvature: bool, coefficients: bool = False
) -> Mode:
    """Finds the mode of theta, group effects integrated out.

    Args:
        problem: what there is to fit.
        jacobian: whether the density is that of the raw coordinates, or of natural parameters.
        curvature: whether the covariance is wanted.
        coefficients: whether coefficients may be integrated out, too, where that is exact.

    Raises:
        FitError: a prior has no mode.
    """
    check_mode(problem.structure)
    if not problem.structure.groups:
        return _flat_mode(lay_out(problem), jacobian)
    return find_modes([integrate(problem, coefficients)], jacobian, curvature)[0]


def check_mode(structure: Structure) -> None:
    """Raises where the posterior density has no maximum.

    Raises:
        FitError: a prior has no mode.
    """
    if any(p.coefficients.local or p.own.local for p in structure.predictors):
        raise FitError(
            "the density of a horseshoe prior is infinite at 0, so the posterior has no mode. Use "
            '"nuts" or "svi".'
        )


def _flat_mode(problem: Problem, jacobian: bool) -> Mode:
    structure = problem.structure
    theta, _ = split_sites(structure, problem.numbers)
    if not theta:
        return Mode(problem, {}, {}, 0.0, 0.0, None)
    arguments = (theta, problem.design, problem.numbers)
    function = partial(flat_mode, structure, jacobian)
    compiled = program("flat_mode", f"{structure.key} {jacobian}", function, arguments)
    with double_precision():
        found, gain, value, curvature = jax.tree.map(np.asarray, compiled(*arguments))
    return Mode(problem, found, {}, float(gain), float(value), invert(curvature))


def find_modes(problems: Sequence[Problem], jacobian: bool, curvature: bool) -> list[Mode]:
    """Finds the modes of models of one structure and arrays of one shape, all in one program.

    Args:
        problems: models whose group effects `marginalise.integrate` has integrated out.
        jacobian: as for `find_mode`.
        curvature: as for `find_mode`.
    """
    structure = problems[0].structure
    theta, effects = split_sites(structure, problems[0].numbers)
    evaluate, restore, latest = _objective(problems, jacobian, theta, effects)
    start = np.zeros((len(problems), sum(int(np.prod(np.shape(v))) for v in theta.values())))
    found = minimise(evaluate, start)
    gain = np.einsum("bi,bij,bj->b", found.gradient, found.inverse, found.gradient)
    x, value, gradient, inverse = found.x, found.value, found.gradient, found.inverse
    if curvature or (gain > GAIN).any():
        inverse = np.stack([invert(h) for h in hessian(evaluate, x)])
        step = -np.einsum("bij,bj->bi", inverse, gradient)
        better, slope = evaluate(x + step)
        gain_now = np.einsum("bi,bij,bj->b", slope, inverse, slope)
        gain = np.einsum("bi,bij,bj->b", gradient, inverse, gradient)
        take = np.isfinite(better) & (gain_now < gain) & (better <= value + 1e-9 * abs(value))
        x = np.where(take[:, None], x + step, x)
        value, gain = np.where(take, better, value), np.where(take, gain_now, gain)
    evaluate(x)
    modes = []
    for b, problem in enumerate(problems):
        auxiliary = latest(b)
        if structure.marginal is not None and not structure.marginal.exact:
            problem = _started(problem, auxiliary)
        modes.append(
            Mode(
                problem,
                restore(x[b]),
                auxiliary if effects else {},
                float(gain[b]),
                -float(value[b]),
                inverse[b],
            )
        )
    return modes


def find_all_modes(
    problems: Sequence[Problem], jacobian: bool, curvature: bool, coefficients: bool = False
) -> list[Mode]:
    """Finds the modes of many models with group effects, LANES at a time in one program.

    Args:
        problems: models of one structure.
        jacobian: as for `find_mode`.
        curvature: as for `find_mode`.
        coefficients: as for `find_mode`.

    Raises:
        FitError: a prior has no mode.
    """
    check_mode(problems[0].structure)
    integrated = integrate_many(problems, coefficients)
    alike: dict[Any, list[int]] = {}
    for i, problem in enumerate(integrated):
        leaves, tree = jax.tree.flatten((dict(problem.design), dict(problem.numbers)))
        shapes = tuple(np.shape(leaf) for leaf in leaves)
        alike.setdefault((problem.structure.key, str(tree), shapes), []).append(i)
    batches = [
        members[start : start + LANES]
        for members in alike.values()
        for start in range(0, len(members), LANES)
    ]

    def one(batch: list[int]) -> list[Mode]:
        # the last batch repeats a model, so that it has the shapes of the others
        filled = [*batch, *[batch[0]] * (LANES - len(batch))] if len(batch) > 1 else batch
        modes = find_modes([integrated[i] for i in filled], jacobian, curvature)[: len(batch)]
        # a lane may be lost in the company of others and found alone
        return [
            mode
            if mode.converged or len(batch) == 1
            else find_modes([integrated[i]], jacobian, curvature)[0]
            for i, mode in zip(batch, modes, strict=True)
        ]

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(one, batches))
    modes: dict[int, Mode] = {}
    for batch, some in zip(batches, found, strict=True):
        modes |= dict(zip(batch, some, strict=True))
    return [modes[i] for i in range(len(problems))]


def _started(problem: Problem, start: Any) -> Problem:
    """The problem with the effects' mode as where Newton's method starts."""
    return replace(problem, find_design=lambda: {**problem.design, "start": start})


def _objective(
    problems: Sequence[Problem], jacobian: bool, theta: Raw, effects: Raw
) -> tuple[Any, Callable[[np.ndarray], Raw], Callable[[int], Any]]:
    """Returns minus the log-density with its gradient, and how to read arguments and by-products."""
    structure, many = problems[0].structure, len(problems) > 1

    def one(theta: Any, start: Any, design: Any, numbers: Any) -> Any:
        def value(theta: Any) -> Any:
            if effects:
                return marginal(structure, jacobian, theta, start, design, numbers)
            if start is not None:
                design["start"] = start
            return marginal_density(structure, theta, design, numbers, jacobian)

        return jax.value_and_grad(value, has_aux=True)(theta)

    def function(theta: Any, start: Any, design: Any, numbers: Any) -> Any:
        return one(theta, start, dict(design), numbers)

    designs = [dict(problem.design) for problem in problems]
    starts = [effects or design.pop("start", None) for design in designs]
    stack = partial(jax.tree.map, lambda *parts: np.stack(parts) if many else parts[0])
    design = stack(*designs)
    numbers = stack(*[problem.numbers for problem in problems])
    state = {"start": stack(*starts)}
    flat, restore = flatten(theta)
    names = sorted(theta)

    def unflatten(x: np.ndarray) -> Raw:
        return restore(x) if x.ndim == 1 else _restore_many(theta, names, x)

    arguments = (unflatten(np.tile(flat, (len(problems), 1)) if many else flat), state["start"])
    arguments = (*arguments, design, numbers)
    key = f"{structure.key} {jacobian} {many}"
    compiled = program("marginal", key, jax.vmap(function) if many else function, arguments)

    def evaluate(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        point = unflatten(x if many else x[0])
        with double_precision():
            (value, start), slope = compiled(point, state["start"], design, numbers)
        value = np.atleast_1d(np.asarray(value))
        slope = np.concatenate(
            [np.asarray(slope[name]).reshape(len(problems), -1) for name in names], axis=1
        )
        usable = np.isfinite(value) & np.isfinite(slope).all(axis=1)
        if usable.all():
            state["start"] = jax.tree.map(np.asarray, start) if effects or start != () else None
        return np.where(usable, -value, np.inf), np.where(usable[:, None], -slope, 0.0)

    def latest(b: int) -> Any:
        return jax.tree.map(lambda a: a[b] if many else a, state["start"])

    return evaluate, restore, latest


def _restore_many(like: Raw, names: Sequence[str], x: np.ndarray) -> Raw:
    out, start = {}, 0
    for name in names:
        shape = np.shape(like[name])
        size = int(np.prod(shape))
        out[name] = x[:, start : start + size].reshape(len(x), *shape)
        start += size
    return out


def flatten(tree: Raw) -> tuple[np.ndarray, Callable[[np.ndarray], Raw]]:
    """Returns the arrays of a tree as one vector, and the way back."""
    names = sorted(tree)  # the order of JAX
    vector = np.concatenate([np.ravel(tree[name]) for name in names])

    def restore(vector: np.ndarray) -> Raw:
        single = _restore_many(tree, names, np.asarray(vector)[None])
        return {name: array[0] for name, array in single.items()}

    return vector, restore


def invert(curvature: np.ndarray) -> np.ndarray:
    """Inverts a curvature; directions without positive curvature get a wide unit spread."""
    if not np.isfinite(curvature).all():
        return np.eye(len(curvature))
    values, vectors = np.linalg.eigh(curvature)
    safe = np.where(values > 1e-8, values, 1.0)
    return (vectors / safe) @ vectors.T


def effects_given(mode: Mode, jacobian: bool, thetas: Raw) -> tuple[Any, Any]:
    """Returns, for each of many theta, the packed mode of raw effects and chol of their precision.

    Args:
        mode: of a model whose group effects are sites.
        jacobian: as in `find_mode`.
        thetas: raw sites with one leading dimension (sample).
    """
    from .modes import conditional_mode

    structure = mode.problem.structure

    def function(thetas: Any, u: Any, design: Any, numbers: Any) -> Any:
        return jax.lax.map(
            lambda theta: conditional_mode(structure, jacobian, theta, u, design, numbers), thetas
        )

    arguments = (thetas, mode.u, mode.problem.design, mode.problem.numbers)
    compiled = program("effects_given", f"{structure.key} {jacobian}", function, arguments)
    with double_precision():
        return jax.tree.map(np.asarray, compiled(*arguments))
