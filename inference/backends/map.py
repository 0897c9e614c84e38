"""MAP: the mode of the posterior on the natural scale, group effects integrated out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..backend import Backend, Draws, Problem
from ..constrain import constrain
from ..escape import refuse_noiseless
from ..glm import build as glm_build
from ..glm.mode import find_mode as find_glm_mode
from ..optimise import Mode, find_all_modes, find_mode
from ..sharding import choose, place


@dataclass(frozen=True)
class Settings:
    """MAP needs no settings: it runs until a Newton step promises nothing more.

    Attributes:
        devices: how many JAX devices the rows are dealt out to, or "all"; None for one.
    """

    devices: int | str | None = None

    def __post_init__(self) -> None:
        choose(self.devices)


def refuse(problem: Problem) -> None:
    """Refuses a response without noise, where the solver would run for ever."""
    if glm_build.obstacle(problem):
        refuse_noiseless(problem, "map")


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Maximises the posterior density of the natural parameters (with flat priors: the likelihood).

    Convergence is judged by the log-density that one further Newton step promises, which is the
    same in any units. Models without group effects separate over neurons and go to a solver that is
    shaped as matrices and reads rows in blocks; penalties such as the lasso's may have kinks.
    """
    problem = place(problem, settings.devices)
    if not glm_build.obstacle(problem):
        found = find_glm_mode(glm_build.build(problem, jacobian=False))
        return Draws(
            glm_build.natural(problem, found),
            {"lp": found.value.sum().reshape(1, 1)},
            converged=bool(found.converged.all()),
            notes=glm_build.unconverged(problem, found),
        )
    refuse(problem)
    return at_mode(find_mode(problem, jacobian=False, curvature=False))


def at_mode(mode: Mode) -> Draws:
    """Returns a mode as one draw, group effects at their mode given the rest."""
    raw = {name: np.asarray(array)[None] for name, array in {**mode.theta, **mode.u}.items()}
    stats = {"lp": np.full((1, 1), mode.value)}
    return Draws(constrain(mode.problem, raw), stats, converged=mode.converged)


def run_many(
    settings: Settings, problems: Sequence[Problem], seeds: Sequence[int], progress: bool
) -> list[Draws]:
    """Maximises many posterior densities of one structure, in lockstep where there are groups."""
    if not problems[0].structure.groups or settings.devices is not None:
        pairs = zip(problems, seeds, strict=True)
        return [run(settings, problem, seed, False) for problem, seed in pairs]
    return [at_mode(mode) for mode in find_all_modes(problems, False, False)]


MAP = Backend(
    "map",
    Settings,
    run,
    point=True,
    story="Maximum a posteriori; flat: likelihood.",
    many=run_many,
    refuse=refuse,
)
