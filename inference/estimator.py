"""The sampling distribution of a frequentist fit's coefficients, from which exact answers come.

se(c'b)^2 = c'Vc,    df = 2 v^2 / (g'Ag),   v = c'Vc, g its gradient by the parameters of variance
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Estimator:
    """What a frequentist fit hands over beside its estimates.

    Attributes:
        covariance: of the common coefficients of the mean, shape (coef, coef).
        df: degrees of freedom of the residual; infinite for the normal distribution.
        moves: derivatives of the covariance by the parameters of variance, shape (parameter, coef,
            coef), where df is Satterthwaite's; else None.
        spread: the covariance of these parameters, shape (parameter, parameter).
    """

    covariance: np.ndarray
    df: float = np.inf
    moves: np.ndarray | None = None
    spread: np.ndarray | None = None

    def variances(self, contrasts: np.ndarray) -> np.ndarray:
        """Returns c'Vc for each row c of (contrast, coef)."""
        return np.maximum(_forms(contrasts, self.covariance), 0.0)

    def degrees_of_freedom(self, contrasts: np.ndarray) -> np.ndarray:
        """Returns the degrees of freedom for each row of (contrast, coef).

        Where the variance does not move with any parameter, they are infinite: the normal
        distribution.

        Source: Kuznetsova, Brockhoff and Christensen (2017), J. Stat. Softw. 82(13), section 2.
        """
        if self.moves is None or self.spread is None:
            return np.full(len(contrasts), self.df)
        v = self.variances(contrasts)
        gradient = np.stack([_forms(contrasts, move) for move in self.moves])
        moved = np.einsum("kj,kl,lj->j", gradient, self.spread, gradient)
        with np.errstate(all="ignore"):
            df = 2 * v**2 / moved
        return np.where((moved > 1e-12 * v**2) & np.isfinite(df), df, np.inf)


def _forms(contrasts: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.einsum("ja,ab,jb->j", contrasts, matrix, contrasts, optimize=True)
