"""Where the search for a mixed model's variances starts: a few steps of Schall's fixed point.

At the optimum the variance of effect a is ||Lambda u||_a^2 / (its effective degrees of freedom), and
that of the noise ||e||^2 / (the rest of them). Taken as an update this comes near from any distance,
also where groups differ a million times more than the noise, but it is slow at the end.

Source: Schall (1991), Biometrika 78, 719-727.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .deviance import Factorised, factorise
from .gradient import effects_of, slopes_of
from .system import System

STEPS, NEAR = 6, 1.5
"""At most so many updates, fewer where none changes a scale by more than the factor."""
SMALLEST, LARGEST = 0.1, 1e6
"""Units of Lambda."""
SUSPECT = 1e3
"""From this unit on there may be no noise at all."""


@dataclass(frozen=True, eq=False)
class Start:
    """Where the search starts.

    Attributes:
        system: the cross products, in units in which theta is about 1.
        theta: relative scales.
        inverse: the inverse of the deviance's curvature, roughly, shape (theta, theta).
    """

    system: System
    theta: np.ndarray
    inverse: np.ndarray

    @property
    def has_noise(self) -> bool:
        """Whether anything is left of the response once groups are free.

        Without noise the penalised residual falls as 1 / theta^2 for ever.
        """
        system = self.system
        if system.known or system.units.max() < SUSPECT:
            return True
        try:
            small, large = (
                factorise(system, c / system.units.max() * system.start()).residual
                for c in (1e4, 1e5)
            )
        except np.linalg.LinAlgError:
            return True
        return large > 0.0101 * small


def find_start(system: System) -> Start:
    """Returns a start near the optimum.

    The curvature is the expected one of uncorrelated effects: 4 (degrees of freedom)^2 / groups in
    each log scale.
    """
    diagonals = [np.ones(factor.size) for factor in system.factors]
    freedoms = [np.full(factor.size, factor.groups / 2) for factor in system.factors]
    for _ in range(STEPS):
        try:
            at = factorise(system, system.flat([np.diag(d) for d in diagonals]))
        except np.linalg.LinAlgError:
            break
        ratios, freedoms = _schall(system, at)
        diagonals = [d * r for d, r in zip(diagonals, ratios, strict=True)]
        if all((np.abs(np.log(r)) < np.log(NEAR)).all() for r in ratios):
            break
    units = np.array([np.clip(d.max(), SMALLEST, LARGEST) for d in diagonals])
    theta, inverse = [], []
    for factor, diagonal, freedom, unit in zip(
        system.factors, diagonals, freedoms, units, strict=True
    ):
        scale = np.maximum(diagonal / unit, 1e-3)
        theta.append(np.diag(scale))
        # an entry off the diagonal moves as much as that of its column
        inverse.append(np.ones_like(factor.scale) * factor.groups * (scale / (2 * freedom)) ** 2)
    return Start(system.in_units(units), system.flat(theta), np.diag(system.flat(inverse)))


def _schall(system: System, at: Factorised) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The factors by which scales change, and the effective degrees of freedom, of every effect."""
    modes, _ = effects_of(at, at.solved()[None], [np.zeros((1, 1, 1))] * 2)
    squares = [(u[0] ** 2).sum(axis=0) for u in modes]
    c = 1.0 if system.known else system.freedom / at.residual
    slopes = slopes_of(at)
    freedoms = []
    for factor, lam, slope, square in zip(system.factors, at.lambdas, slopes, squares, strict=True):
        freedom = 0.5 * np.diag(lam) * np.diag(slope) + c * square
        freedoms.append(np.clip(freedom, 1e-3 * factor.groups, factor.groups))
    if system.known:
        noise = 1.0
    else:
        left = max(system.freedom - sum(f.sum() for f in freedoms), 1e-3 * system.freedom)
        noise = max(at.residual - sum(s.sum() for s in squares), 1e-12 * at.residual) / left
    ratios = [
        np.sqrt(np.maximum(s / f / noise, 1e-12)) for s, f in zip(squares, freedoms, strict=True)
    ]
    return [np.clip(r, 1e-3, 1e6) for r in ratios], freedoms
