"""`raised_cos(8, 200)`: cosine bumps, evenly spaced."""

from typing import Any

import numpy as np

from ..basis import Basis, positive, whole


def _options(n: Any, window: Any = None, width: Any = 2) -> dict[str, Any]:
    return {"n": whole("n", n, 2), "width": positive("width", width)}


def bumps(x: np.ndarray, n: int, spacing: float, width: float) -> np.ndarray:
    """Returns n bumps with peaks at 0, spacing, 2 spacing, ...; each is 0 beyond width spacings.

    0.5 (1 + cos(clip(pi (x - peak) / (width spacing), -pi, pi)))

    Args:
        x: shape (obs,).
        n: number of bumps.
        spacing: from peak to peak, in units of x.
        width: from a peak to where its bump ends, in spacings.

    Returns:
        shape (obs, basis).
    """
    angles = (x[:, None] - spacing * np.arange(n)) * (np.pi / (width * spacing))
    return 0.5 * (1.0 + np.cos(np.clip(angles, -np.pi, np.pi)))


def _values(x: np.ndarray, n: int, width: float) -> np.ndarray:
    return bumps(x, n, 1 / (n - 1), width)


RAISED_COS = Basis(
    name="raised_cos",
    options=_options,
    values=_values,
    equation="0.5 (1 + cos(clip(pi (x - p_i) / (width d), -pi, pi))), "
    "p_i = i d, d = 1 / (n - 1), i = 0 ... n - 1",
    story="Evenly spaced bumps whose sum is constant away from the ends (width 2).",
    source="Pillow et al. (2005), J Neurosci 25: 11003",
)
