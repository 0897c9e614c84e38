"""Where chains start, and on what scale each coordinate moves, from Laplace's approximation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BayeszooError
from ..zoo.density import Raw, site_shapes
from ..zoo.statistics import shape_obstacle
from .about_mode import about_mode, theta_draws
from .backend import Problem
from .optimise import find_mode

TRIALS = 200
"""Draws of the approximation from which scales are estimated."""
LEAST, MOST = 1e-8, 1e2


@dataclass(frozen=True, eq=False)
class Launch:
    """The start of chains.

    Attributes:
        raw: for each chain its first point.
        variance: a guess of the variance of every coordinate.
    """

    raw: tuple[Raw, ...]
    variance: Raw


def blind(problem: Problem, seed: int, chains: int) -> Launch:
    """Returns points at random, uniform between -1 and 1 in every coordinate."""
    shapes = site_shapes(problem.structure, problem.numbers)
    points = []
    for chain in range(chains):
        generator = np.random.default_rng([seed, chain])
        points.append({name: generator.uniform(-1.0, 1.0, s) for name, s in shapes.items()})
    return Launch(tuple(points), {name: np.ones(shape) for name, shape in shapes.items()})


def launch(problem: Problem, seed: int, chains: int) -> Launch:
    """Returns points at random; or draws of Laplace's approximation where group effects are sampled.

    Args:
        problem: the model as it is sampled.
        seed: the same seed gives the same start.
        chains: number of chains.
    """
    anywhere = blind(problem, seed, chains)
    shapes = {name: np.shape(array) for name, array in anywhere.variance.items()}
    structure = problem.structure
    if not structure.groups or structure.marginal is not None or shape_obstacle(structure):
        return anywhere
    try:
        mode = find_mode(problem, jacobian=True, curvature=True)
    except (BayeszooError, np.linalg.LinAlgError):
        return anywhere
    if not mode.converged or mode.covariance is None:
        return anywhere
    draws = about_mode(mode, TRIALS, seed).natural
    raw = theta_draws(mode.theta, mode.covariance, TRIALS, np.random.default_rng([seed, 7]))
    raw |= raw_effects(problem, {name: np.asarray(draws[name])[0] for name in draws})
    if set(raw) != set(shapes) or not all(np.isfinite(v).all() for v in raw.values()):
        return anywhere
    variance = {name: np.clip(v.var(axis=0), LEAST, MOST) for name, v in raw.items()}
    return Launch(tuple({k: v[chain] for k, v in raw.items()} for chain in range(chains)), variance)


def raw_effects(problem: Problem, natural: Mapping[str, np.ndarray]) -> Raw:
    """Returns group effects in the coordinates that are sampled, of natural draws (sample, ...)."""
    out: Raw = {}
    for predictor in problem.structure.predictors:
        name = predictor.parameter
        for i, group in enumerate(predictor.groups):
            site, numbers = f"{name}.group{i}", problem.numbers[name]["groups"][i]
            effects, sd = natural[f"{site}.effects"], natural[f"{site}.sd"]
            factor = sd[:, :, None] * np.eye(sd.shape[1])
            if group.correlated:
                factor = sd[:, :, None] * np.linalg.cholesky(natural[f"{site}.corr"])
            z = np.swapaxes(np.linalg.solve(factor, np.swapaxes(effects, 1, 2)), 1, 2)
            shift = np.broadcast_to(numbers["anchor"], (len(sd), sd.shape[1]))
            if f"{name}.coefficients" in natural:
                shift = shift - natural[f"{name}.coefficients"] @ numbers["absorbs"].T
            near = (effects - shift[:, None, :]) / numbers["units"]
            centred = numbers["centred"]
            whole: Any = np.zeros((len(sd), *centred.shape))
            whole[:, : z.shape[1]] = np.where(centred[: z.shape[1]], near, z)
            out[f"{site}.effects"] = whole
    return out
