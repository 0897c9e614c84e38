"""Laplace: a normal approximation at the mode, in the coordinates where it fits best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...zoo.density import Raw
from ..backend import Backend, Draws, Problem
from ..constrain import constrain
from ..escape import refuse_improper
from ..glm import build as glm_build
from ..glm import laplace as glm_laplace
from ..modes import unpack
from ..optimise import Mode, effects_given, find_all_modes, find_mode
from ..options import whole


@dataclass(frozen=True)
class Settings:
    """Settings of the approximation.

    Attributes:
        draws: how many draws to take.
    """

    draws: int = 1000

    def __post_init__(self) -> None:
        whole("draws", self.draws, 2)


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Draws theta from a normal at the mode of its marginal, and group effects given each theta."""
    refuse_improper(problem, "laplace")
    generator = np.random.default_rng([seed, 7])
    if not glm_build.obstacle(problem):
        return glm_laplace.draw(problem, settings.draws, generator)
    mode = find_mode(problem, jacobian=True, curvature=True, coefficients=True)
    return about_mode(mode, settings.draws, seed)


def about_mode(mode: Mode, draws: int, seed: int) -> Draws:
    """Draws theta from a normal at its mode, and group effects given each theta."""
    generator = np.random.default_rng([seed, 7])
    raw = theta_draws(mode.theta, mode.covariance, draws, generator)
    if mode.u:
        packed, factor = effects_given(mode, True, raw)
        noise = generator.standard_normal(packed.shape)[..., None]
        spread = np.linalg.solve(np.swapaxes(factor, -1, -2), noise)[..., 0]
        parts = [unpack(mode.problem.structure, one, mode.u) for one in packed + spread]
        raw |= {name: np.stack([np.asarray(p[name]) for p in parts]) for name in mode.u}
    return Draws(constrain(mode.problem, raw, [seed, 9]), {}, converged=mode.converged)


def run_many(
    settings: Settings, problems: Sequence[Problem], seeds: Sequence[int], progress: bool
) -> list[Draws]:
    """Approximates many posteriors of one structure, in lockstep where there are groups."""
    if not problems[0].structure.groups:
        pairs = zip(problems, seeds, strict=True)
        return [run(settings, problem, seed, False) for problem, seed in pairs]
    modes = find_all_modes(problems, True, True, coefficients=True)
    return [about_mode(m, settings.draws, seed) for m, seed in zip(modes, seeds, strict=True)]


def theta_draws(
    theta: Raw, covariance: np.ndarray | None, draws: int, generator: np.random.Generator
) -> Raw:
    """Draws raw sites from a normal distribution, with a leading dimension (sample)."""
    out: Raw = {}
    if covariance is None:
        return out
    values, vectors = np.linalg.eigh(covariance)
    # the symmetric root, which does not depend on the signs of eigenvectors
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    names = sorted(theta)  # the order of JAX
    noise = generator.standard_normal((draws, len(covariance))) @ root
    start = 0
    for name in names:
        size = int(np.prod(np.shape(theta[name])))
        part = noise[:, start : start + size].reshape(draws, *np.shape(theta[name]))
        out[name] = np.asarray(theta[name])[None] + part
        start += size
    return out


LAPLACE = Backend("laplace", Settings, run, story="Mode and curvature, with draws.", many=run_many)
