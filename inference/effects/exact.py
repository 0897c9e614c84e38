"""Exact answers of frequentist fits: the delta method with the estimator's own covariance.

se^2 = g V g',    g = dq/dbeta by automatic derivatives
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..fit import Fit


def variances(fit: Fit, gradient: np.ndarray) -> np.ndarray:
    """Returns the variance of estimates with these gradients, shape (answer,)."""
    raise NotImplementedError


def degrees_of_freedom(fit: Fit, gradient: np.ndarray) -> np.ndarray:
    """Returns their degrees of freedom, infinite for the normal distribution, shape (answer,)."""
    raise NotImplementedError
