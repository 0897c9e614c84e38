"""Roots of inverse Hessians."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh
from scipy.linalg.lapack import dtrtri

SMALLEST = 1e-13
"""Directions whose curvature, on the scale of a correlation, is smaller are taken to be flat."""


def root(hessian: np.ndarray) -> np.ndarray:
    """Returns B with B B' = hessian^-1, both (size, size).

    Directions of negative curvature count by its size; flat ones are left out, as a pseudo-inverse
    does, so that the search never moves along them.
    """
    diagonal = np.abs(np.diag(hessian))
    scale = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
    correlation = hessian * np.outer(scale, scale)
    try:
        factor = cholesky(correlation, lower=True)
        if np.diag(factor).min(initial=1.0) ** 2 > SMALLEST:
            return scale[:, None] * dtrtri(factor, lower=1)[0].T
    except LinAlgError:
        pass
    values, vectors = eigh(correlation)
    kept = np.abs(values) > SMALLEST * max(len(values), 10) * np.abs(values).max(initial=0.0)
    stretch = np.where(kept, 1 / np.sqrt(np.where(kept, np.abs(values), 1.0)), 0.0)
    return scale[:, None] * vectors * stretch
