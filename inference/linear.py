"""Least squares that keep their digits: a well-conditioned form of a design, and the sandwich."""

from __future__ import annotations

import numpy as np

from .options import choice

ROBUST = ("HC0", "HC1", "HC2", "HC3")
ILL_CONDITIONED = 1e6


def check_robust(value: object) -> None:
    """Checks the option `robust`.

    Raises:
        OptionError: it is neither None nor the name of a sandwich estimator.
    """
    if value is not None:
        choice("robust", value, ROBUST)


def well_conditioned(matrix: np.ndarray, intercept: bool) -> np.ndarray | None:
    """Returns T such that matrix @ T has centred columns of unit size; None if there is no need.

    Predictors far from zero, such as years, leave normal equations without digits, and where units
    differ by ten powers of ten statsmodels takes the small columns for none.

    Args:
        matrix: shape (obs, coef), the intercept first.
        intercept: whether there is one.
    """
    norms = np.linalg.norm(matrix, axis=0)
    if np.linalg.cond(matrix) < ILL_CONDITIONED:
        return None
    transform = np.eye(matrix.shape[1])
    if intercept:
        transform[0, 1:] = -matrix[:, 1:].mean(axis=0)
    centred = matrix @ transform
    # R^-1 of the centred columns: the product is orthonormal
    triangle = np.linalg.qr(centred / norms, mode="r")
    return transform @ (np.linalg.inv(triangle) / norms[:, None]) * np.sqrt(len(matrix))


def sandwich(
    kind: str,
    matrix: np.ndarray,
    score: np.ndarray,
    weight: np.ndarray,
    counts: np.ndarray,
) -> np.ndarray:
    """Returns a covariance that holds when the variances of rows are not as the model says.

        cov = B (sum_i counts_i s_i^2 c_i x_i x_i') B,   B = (sum_i counts_i weight_i x_i x_i')^-1

    with c_i = 1 (HC0), n / (n - p) (HC1), 1 / (1 - h_i) (HC2), 1 / (1 - h_i)^2 (HC3), and the
    leverage h_i = weight_i x_i' B x_i. A row that counts twice is the same as two rows.

    Args:
        kind: `HC0` to `HC3`.
        matrix: shape (obs, coef).
        score: derivative of each row's log-likelihood by its linear predictor, at scale 1.
        weight: expected second derivative, at scale 1.
        counts: how often each row counts.

    Returns:
        Shape (coef, coef).

    Source:
        MacKinnon and White (1985), J. Econometrics 29:305.
    """
    norms = np.linalg.norm(matrix, axis=0)
    scaled = matrix / norms
    factor = np.asarray(np.linalg.qr(scaled * np.sqrt(counts * weight)[:, None], mode="r"))
    half = np.linalg.solve(factor.T, scaled.T)
    leverage = np.minimum(weight * np.sum(half**2, axis=0), 1 - 1e-12)
    total = counts.sum()
    correction = {
        "HC0": np.ones_like(leverage),
        "HC1": np.full_like(leverage, total / (total - matrix.shape[1])),
        "HC2": 1 / (1 - leverage),
        "HC3": 1 / (1 - leverage) ** 2,
    }[kind]
    middle = (half * (counts * score**2 * correction)) @ half.T
    root = np.linalg.inv(factor) / norms[:, None]
    return root @ middle @ root.T
