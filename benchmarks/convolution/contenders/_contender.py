"""What every convolution contender does; the clock is in `twice.py`.

A contender imports this module first. Files that start with `_` are no contenders.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import twice
from convolution.jobs import STEP

if TYPE_CHECKING:
    import numpy as np


def tell_of(result: np.ndarray, series: np.ndarray, kernel: np.ndarray) -> twice.Told:
    """Keep some rows with full history."""
    return twice.Told({"rows": result[len(kernel) :: STEP]}, f"{result.dtype} result")


main = partial(twice.main, keys=("series", "kernel"), tell_of=tell_of)
"""Takes `prepare`, which returns the function of `series` (bin, source) and `kernel` (window, basis)
that gives (bin, source * basis), the basis varying fastest."""
