"""Satterthwaite's degrees of freedom for the coefficients of a mixed model.

    df = 2 v^2 / (g' A g),   v = c'Vc, g its gradient by (theta, log sigma), A their covariance

The variance v of an estimated coefficient is itself an estimate; df is that of the chi-square
distribution of the same relative variance. Where v does not move, as with known errors and a variance
at zero, df is infinite: the normal distribution.

Source: Kuznetsova, Brockhoff and Christensen (2017), J. Stat. Softw. 82(13), section 2.
"""

from __future__ import annotations

import numpy as np

from .mixed_optimum import Optimum
from .mixed_system import System


def satterthwaite(system: System, optimum: Optimum) -> np.ndarray:
    """Returns the degrees of freedom of each coefficient, shape (coef,).

    Args:
        system: the cross products.
        optimum: the estimates; directions without curvature are not in their covariance.
    """
    back = np.linalg.inv(system.basis[0])

    def variances(covariance: np.ndarray) -> np.ndarray:
        """Those of the coefficients of X from the covariance of those of Q."""
        return np.einsum("ja,...ab,jb->...j", back, covariance, back)

    v = variances(optimum.fixed)
    gradient = np.vstack([variances(optimum.moves), 2 * v * (not system.known)])
    spread = np.einsum("kj,kl,lj->j", gradient, optimum.covariance, gradient)
    with np.errstate(all="ignore"):
        df = 2 * v**2 / spread
    return np.where((spread > 1e-12 * v**2) & np.isfinite(df), df, np.inf)
