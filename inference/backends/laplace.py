"""Laplace: a normal approximation at the mode, in the coordinates where it fits best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..about_mode import about_mode
from ..backend import Backend, Draws, Problem
from ..escape import refuse_improper
from ..glm import build as glm_build
from ..glm import laplace as glm_laplace
from ..optimise import find_all_modes, find_mode
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


def refuse(problem: Problem) -> None:
    """Refuses a posterior that is improper."""
    refuse_improper(problem, "laplace")


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Draws theta from a normal at the mode of its marginal, and group effects given each theta."""
    refuse(problem)
    return _approximate(settings, problem, seed)


def _approximate(settings: Settings, problem: Problem, seed: int) -> Draws:
    generator = np.random.default_rng([seed, 7])
    if not glm_build.obstacle(problem):
        return glm_laplace.draw(problem, settings.draws, generator)
    mode = find_mode(problem, jacobian=True, curvature=True, coefficients=True)
    return about_mode(mode, settings.draws, seed)


def run_many(
    settings: Settings, problems: Sequence[Problem], seeds: Sequence[int], progress: bool
) -> list[Draws]:
    """Approximates many posteriors of one structure, in lockstep where there are groups."""
    if not problems[0].structure.groups:
        pairs = zip(problems, seeds, strict=True)
        return [_approximate(settings, problem, seed) for problem, seed in pairs]
    modes = find_all_modes(problems, True, True, coefficients=True)
    return [about_mode(m, settings.draws, seed) for m, seed in zip(modes, seeds, strict=True)]


LAPLACE = Backend(
    "laplace",
    Settings,
    run,
    story="Mode and curvature, with draws.",
    many=run_many,
    refuse=refuse,
)
