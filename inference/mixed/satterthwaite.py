"""Satterthwaite's degrees of freedom for the coefficients of a mixed model, and combinations of them.

The variance of an estimated coefficient is itself an estimate; df is that of the chi-square
distribution of the same relative variance. Where it does not move, as with known errors and a variance
at zero, df is infinite: the normal distribution.

Source: Kuznetsova, Brockhoff and Christensen (2017), J. Stat. Softw. 82(13), section 2.
"""

from __future__ import annotations

import numpy as np

from ..estimator import Estimator
from .optimum import Optimum
from .system import System


def satterthwaite(system: System, optimum: Optimum) -> Estimator:
    """Returns the coefficients' covariance, and how it moves with (theta, log sigma).

    Args:
        system: the cross products.
        optimum: the estimates; directions without curvature are not in their covariance.
    """
    back = np.linalg.inv(system.basis[0])
    variance = (system.basis[2] * np.exp(optimum.log_sigma)) ** 2

    def of_columns(covariance: np.ndarray) -> np.ndarray:
        """That of the coefficients of X from that of those of Q, in units of the noise's variance."""
        return variance * (back @ covariance @ back.T)

    covariance = of_columns(optimum.fixed)
    moves = [of_columns(move) for move in optimum.moves]
    moves.append(2 * covariance * (not system.known))
    return Estimator(covariance, moves=np.stack(moves), spread=optimum.covariance)
