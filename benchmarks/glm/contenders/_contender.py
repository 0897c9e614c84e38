"""What every GLM contender does around its fits; the clock is in `twice.py`.

A contender imports this module first. Files that start with `_` are no contenders.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import twice

if TYPE_CHECKING:
    import numpy as np


class Fit(NamedTuple):
    """Estimates, as NumPy arrays: `intercept` (neuron,) and `coef` (feature, neuron).

    For one neuron the last dimension may be missing. `note` says how the optimiser ended.
    """

    intercept: np.ndarray
    coef: np.ndarray
    note: str = ""


def tell_of(fit: Fit, *_: np.ndarray) -> twice.Told:
    """Keep the estimates."""
    return twice.Told({"intercept": fit.intercept, "coef": fit.coef}, fit.note)


main = partial(twice.main, keys=("x", "spikes"), tell_of=tell_of)
"""Takes `prepare`, which returns the fit: from `x` (bin, feature) and `spikes` to a `Fit`."""
