"""Draws of every printed parameter from a model's prior."""

from __future__ import annotations

import numpy as np

from ..inference.idata import safe_name
from ..inference.model import Model
from ..inference.variables import printed_rows, variables

LARGEST = 20_000_000
"""Numbers that the responses drawn beside the parameters may take."""


def prior_draws(model: Model, draws: int = 2000, seed: int = 0) -> dict[str, np.ndarray]:
    """Returns printed name -> draws from the prior, shape (draw,).

    Raises:
        PriorError: a prior is improper.
    """
    size = max(model.design.response["y"].size, 1)
    group = model.prior_predictive(max(100, min(draws, LARGEST // size)), seed)["prior"]
    found, coords = variables(model.spec)
    out = {}
    for variable in found:
        name = safe_name(variable.name)
        if name in group:
            array = np.asarray(group[name].values)
            for printed, position in printed_rows(variable, coords):
                out[printed] = array[(..., *position)].ravel()
    return out
