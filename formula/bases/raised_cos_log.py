"""`raised_cos_log(8, 200)`: cosine bumps that are narrow early and wide late."""

from typing import Any

import numpy as np

from ..basis import Basis, positive, switch, whole
from .raised_cos import bumps


def _options(
    n: Any, window: Any = None, width: Any = 2, time_scaling: Any = 50, decay: Any = True
) -> dict[str, Any]:
    return {
        "n": whole("n", n, 2),
        "width": positive("width", width),
        "time_scaling": positive("time_scaling", time_scaling),
        "decay": switch("decay", decay),
    }


def _values(x: np.ndarray, n: int, width: float, time_scaling: float, decay: bool) -> np.ndarray:
    stretched = np.log1p(time_scaling * x) / np.log1p(time_scaling)
    # With decay, the last bump reaches 0 at the end of the window: (n - 1) d + width d = 1.
    return bumps(stretched, n, 1 / (n - 1 + width * decay), width)


RAISED_COS_LOG = Basis(
    name="raised_cos_log",
    options=_options,
    values=_values,
    equation="0.5 (1 + cos(clip(pi (u - p_i) / (width d), -pi, pi))), "
    "u = log(1 + s x) / log(1 + s), s = time_scaling, p_i = i d, i = 0 ... n - 1, "
    "d = 1 / (n - 1 + width), or 1 / (n - 1) without decay",
    story="Filters that change fast just after an event and slowly later: spike history, stimuli.",
    source="Pillow et al. (2005), J Neurosci 25: 11003",
)
