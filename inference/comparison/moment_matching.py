"""Leave-one-out densities by importance sampling from draws that are moved to where they are needed.

Draws are shifted, stretched and turned, theta' = A theta + b, until their moments are those of the
importance weights, and the weights are computed anew,

    w(theta') ~ p(theta' | y) / p(y_i | theta') / q(theta'),   q(theta') = p(theta | y) / |det A|.

At last half of the draws stay where they were, and q is the mixture of both halves.

Source: Paananen, Piironen, Buerkner and Vehtari (2021), Implicitly adaptive importance sampling, Stat.
Comput. 31:16.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ...errors import FitError, OptionError
from ...zoo.density import Raw, log_density
from ..constrain import constrain
from ..evaluate import flatten, log_likelihood_blocks
from ..fit import Fit
from ..idata import load_arviz
from ..programs import double_precision, program
from ..unconstrain import unconstrain
from .bridge import from_posterior
from .held_out import take

ROUNDS = 30
PIECE = 250
DRAWS_PER_DIMENSION = 10
"""Covariances are matched where there are so many draws for each parameter."""


@dataclass(frozen=True, eq=False)
class Target:
    """The posterior of a fit as functions of points x, shape (sample, parameter).

    Attributes:
        draws: the draws, in such coordinates that x runs over the whole space.
        density: log p(x, y), up to a constant.
        likelihood: (x, cell) -> log p(y_i | x) of one row, or of one row and neuron.
    """

    draws: np.ndarray
    density: Callable[[np.ndarray], np.ndarray]
    likelihood: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Moved:
    """Moved draws with their weights.

    Attributes:
        draws: shape (sample, parameter).
        matrix: A.
        likelihood: log p(y_i | draws).
        weights: smoothed log weights, which sum to 1.
        k: Pareto k.
    """

    draws: np.ndarray
    matrix: np.ndarray
    likelihood: np.ndarray
    weights: np.ndarray
    k: float

    @property
    def elpd(self) -> float:
        """Returns log p(y_i | other rows)."""
        return float(np.logaddexp.reduce(self.weights + self.likelihood))


def target(fit: Fit) -> Target:
    """Returns the posterior that the draws of a fit come from.

    Raises:
        OptionError: the draws are not those of Markov chains.
        FitError: they come from an approximation, or from a model that the draws do not describe.
    """
    check_draws(fit)
    problem = fit.model.problem
    raw = unconstrain(problem, flatten(fit.draws.natural))
    names = sorted(raw)
    shapes = {name: raw[name].shape[1:] for name in names}
    samples = len(raw[names[0]])

    def unpack(x: np.ndarray) -> Raw:
        ends = np.cumsum([int(np.prod(shapes[name])) for name in names])
        parts = np.split(x, ends[:-1], axis=1)
        return {n: part.reshape(-1, *shapes[n]) for n, part in zip(names, parts, strict=True)}

    def likelihood(x: np.ndarray, cell: tuple[int, ...]) -> np.ndarray:
        natural = constrain(problem, unpack(x))
        row = take(fit.model.design, np.array(cell[:1]))
        ((_, logs),) = log_likelihood_blocks(problem.structure, row, natural)
        return _finite(logs[0][cell[1]] if len(cell) > 1 else logs[0])

    draws = np.concatenate([raw[name].reshape(samples, -1) for name in names], axis=1)
    return Target(draws, lambda x: _log_densities(problem, unpack(x)), likelihood)


def match_moments(
    given: Target, base: np.ndarray, cell: tuple[int, ...], efficiency: float, good: float
) -> Moved:
    """Moves the draws until the weights of leaving one observation out have a good Pareto k.

    Args:
        given: the posterior.
        base: log p(draws, y).
        cell: the position of the observation.
        efficiency: how many independent draws one draw is worth.
        good: the largest Pareto k that is good.
    """
    x = given.draws
    at_first = given.likelihood(x, cell)
    moved = Moved(x, np.eye(x.shape[1]), at_first, *_smooth(-at_first, efficiency))
    moves = [_shift, _stretch]
    if len(x) >= DRAWS_PER_DIMENSION * x.shape[1]:
        moves.append(_turn)
    for _ in range(ROUNDS):
        better = None if moved.k <= good else _better(given, base, cell, efficiency, moved, moves)
        if better is None:
            break
        moved = better
    return _split(given, base, cell, efficiency, moved)


def _better(
    given: Target,
    base: np.ndarray,
    cell: tuple[int, ...],
    efficiency: float,
    moved: Moved,
    moves: list[Any],
) -> Moved | None:
    """Returns the first move that lowers k."""
    for move in moves:
        step = move(moved.draws, np.exp(moved.weights))
        if step is None:
            continue
        centre, matrix, goal = step
        draws = (moved.draws - centre) @ matrix.T + goal
        likelihood = given.likelihood(draws, cell)
        ratios = given.density(draws) - likelihood - base
        found = Moved(draws, matrix @ moved.matrix, likelihood, *_smooth(ratios, efficiency))
        if found.k < moved.k:
            return found
    return None


def _shift(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return x.mean(axis=0), np.eye(x.shape[1]), w @ x


def _stretch(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    goal = w @ x
    wanted, found = w @ (x - goal) ** 2, x.var(axis=0)
    if not (wanted > 0).all() or not (found > 0).all():
        return None
    return x.mean(axis=0), np.diag(np.sqrt(wanted / found)), goal


def _turn(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    goal = w @ x
    wanted = (x - goal).T @ ((x - goal) * w[:, None])
    found = np.cov(x, rowvar=False, bias=True).reshape(wanted.shape)
    try:
        matrix = np.linalg.cholesky(wanted) @ np.linalg.inv(np.linalg.cholesky(found))
    except np.linalg.LinAlgError:
        return None
    return x.mean(axis=0), matrix, goal


def _split(
    given: Target, base: np.ndarray, cell: tuple[int, ...], efficiency: float, moved: Moved
) -> Moved:
    """Takes every second draw from where it was, so that nothing is lost by the move."""
    x, matrix = given.draws, moved.matrix
    if np.array_equal(matrix, np.eye(len(matrix))) and np.array_equal(x, moved.draws):
        return moved
    stays = np.arange(len(x)) % 2 == 0
    draws = np.where(stays[:, None], x, moved.draws)
    # the point that the whole move would bring here
    offset = moved.draws[0] - matrix @ x[0]
    origins = np.where(stays[:, None], np.linalg.solve(matrix, (x - offset).T).T, x)
    density, volume = given.density(draws), np.linalg.slogdet(matrix)[1]
    mixture = np.logaddexp(density, given.density(origins) - volume)
    likelihood = given.likelihood(draws, cell)
    weights, k = _smooth(density - likelihood - mixture, efficiency)
    found = Moved(draws, matrix, likelihood, weights, k)
    return found if k <= moved.k else moved


def _smooth(ratios: np.ndarray, efficiency: float) -> tuple[np.ndarray, float]:
    """Returns Pareto-smoothed log weights that sum to 1, and Pareto k."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, k = load_arviz().psislw(np.where(np.isfinite(ratios), ratios, -1e300), efficiency)
    return np.asarray(weights), float(k)


def _finite(logs: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(logs), -np.inf, logs)


def _log_densities(problem: Any, raw: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns log p(raw, y), shape (sample,)."""
    structure = problem.structure

    def function(raw: Any, design: Any, numbers: Any) -> Any:
        return jax.vmap(lambda site: log_density(structure, site, design, numbers))(raw)

    total = len(next(iter(raw.values())))
    parts = []
    for start in range(0, total, PIECE):
        picked = np.minimum(np.arange(start, start + PIECE), total - 1)
        piece = {name: np.asarray(array)[picked] for name, array in raw.items()}
        arguments = (piece, problem.design, problem.numbers)
        compiled = program("log_densities", structure.key, function, arguments)
        with double_precision():
            parts.append(np.asarray(compiled(*arguments))[: total - start])
    return _finite(np.concatenate(parts))


def check_draws(fit: Fit) -> None:
    """Refuses fits whose draws are not those of the posterior itself.

    Raises:
        OptionError: they are not from Markov chains.
        FitError: the chains sampled an approximation.
    """
    if not fit.backend.sampled:
        raise OptionError(
            f'moment_match=True moves draws of the posterior itself, but those of "{fit.method}" come '
            'from an approximation. Use refit=True, or fit by "nuts".'
        )
    if not from_posterior(fit):
        raise FitError(
            "moments cannot be matched: group effects were integrated out by Laplace's method, which "
            "is an approximation, so that the draws are not those of the posterior itself. Use "
            "refit=True, or fit with marginalize=False."
        )
