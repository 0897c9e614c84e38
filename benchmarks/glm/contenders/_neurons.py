"""Libraries without populations: one fit per neuron, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from _contender import Fit

if TYPE_CHECKING:
    import numpy as np


def each(fit_one: Callable[[np.ndarray, np.ndarray], tuple], unit: str = "steps") -> Callable:
    """Turn a fit of one neuron into a fit of any number.

    Args:
        fit_one: Takes `x` and the counts (bin,) of a neuron; gives intercept, coefficients
            (feature,) and how many steps it took.
        unit: What the steps are called.

    Returns:
        A function of `x` and `spikes`, with `coef` (feature, neuron).
    """

    def fit(x, spikes) -> Fit:
        import numpy as np

        columns = spikes.reshape(len(spikes), -1).T
        parts = [fit_one(x, np.ascontiguousarray(column)) for column in columns]
        intercepts, coefs, steps = zip(*parts, strict=True)
        return Fit(np.array(intercepts), np.stack(coefs, axis=1), f"{max(steps)} {unit} at most")

    return fit
