"""MAP: the mode of the posterior on the natural scale, group effects integrated out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..backend import Backend, Draws, Problem
from ..constrain import constrain
from ..optimise import find_mode


@dataclass(frozen=True)
class Settings:
    """MAP has no settings: it runs until a Newton step promises nothing more."""


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Maximises the posterior density of the natural parameters (with flat priors: the likelihood).

    Convergence is judged by the log-density that one further Newton step promises, which is the
    same in any units.
    """
    mode = find_mode(problem, jacobian=False, curvature=False)
    raw = {name: np.asarray(array)[None] for name, array in {**mode.theta, **mode.u}.items()}
    stats = {"lp": np.full((1, 1), mode.value)}
    return Draws(constrain(problem, raw), stats, converged=mode.converged)


MAP = Backend("map", Settings, run, point=True, story="Maximum a posteriori; flat: likelihood.")
