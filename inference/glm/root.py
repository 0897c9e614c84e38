"""Roots of inverse Hessians."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh
from scipy.linalg.lapack import dtrtri  # pyright: ignore[reportAttributeAccessIssue]

SMALLEST = 1e-13
"""Directions whose curvature, on the scale of a correlation, is smaller are taken to be flat."""
BLOCK, MIDDLING = 64, 512


def root(hessian: np.ndarray) -> np.ndarray:
    """Returns B with B B' = hessian^-1, both (size, size).

    Directions of negative curvature count by its size; flat ones are left out, as a pseudo-inverse
    does, so that the search never moves along them.
    """
    diagonal = np.abs(np.diag(hessian))
    scale = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
    correlation = hessian * np.outer(scale, scale)
    try:
        inverse = _inverse_factor(correlation)
        if np.diag(inverse).max(initial=1.0) ** -2 > SMALLEST:
            return scale[:, None] * inverse.T
    except LinAlgError:
        pass
    values, vectors = eigh(correlation)
    kept = np.abs(values) > SMALLEST * max(len(values), 10) * np.abs(values).max(initial=0.0)
    stretch = np.where(kept, 1 / np.sqrt(np.where(kept, np.abs(values), 1.0)), 0.0)
    return scale[:, None] * vectors * stretch


def _inverse_factor(matrix: np.ndarray) -> np.ndarray:
    """Returns the inverse of the lower Cholesky factor.

    Middling matrices are cut into blocks, because threads of LAPACK that wait for each other by
    spinning take a hundred times longer than one where the processors are shared with other programs.
    """
    size = len(matrix)
    if size <= BLOCK or size > MIDDLING:
        return dtrtri(cholesky(matrix, lower=True), lower=1)[0]
    half, out = size // 2, np.zeros((size, size))
    first = out[:half, :half] = _inverse_factor(matrix[:half, :half])
    below = matrix[half:, :half] @ first.T
    last = out[half:, half:] = _inverse_factor(matrix[half:, half:] - below @ below.T)
    out[half:, :half] = -last @ (below @ first)
    return out
