"""Densities of parameters: of draws by kernels, of estimates by their normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

POINTS = 120
"""Points of one density."""


def density(draws: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Returns a grid and the kernel density of draws on it.

    The kernel is Gaussian, its width Silverman's 0.9 min(sd, IQR / 1.34) n^(-1/5). Mass that the kernel
    carries over the ends of draws with a hard edge, such as standard deviations at 0, is reflected.

    Args:
        draws: finite numbers, shape (draw,).
        points: of the grid.

    Returns:
        Grid and density, each of shape (points,); the density of constant draws is empty.

    Source:
        Silverman (1986), Density Estimation, section 3.4.
    """
    values = np.sort(np.asarray(draws, dtype=np.float64))
    values = values[np.isfinite(values)]
    sd = values.std() if len(values) > 1 else 0.0
    low, high = np.quantile(values, [0.25, 0.75]) if len(values) else (0.0, 0.0)
    spread = min(sd, (high - low) / 1.34) if high > low else sd
    width = 0.9 * spread * max(len(values), 1) ** -0.2
    if not width > 0:
        return np.empty(0), np.empty(0)
    start, stop = np.quantile(values, [0.001, 0.999])
    edge_low, edge_high = _edge(values, width), _edge(-values[::-1], width)
    start = values[0] if edge_low else max(start, values[0]) - 2.5 * width
    stop = values[-1] if edge_high else min(stop, values[-1]) + 2.5 * width
    grid = np.linspace(start, stop, points)
    out = _kernels(grid, values, width)
    if edge_low:
        out += _kernels(2 * values[0] - grid, values, width)
    if edge_high:
        out += _kernels(2 * values[-1] - grid, values, width)
    return grid, out


def _edge(values: np.ndarray, width: float) -> bool:
    """Whether sorted draws pile up at their lower end, which a smooth tail does not do."""
    near = (values < values[0] + width).mean()
    return bool(near > 0.05)


def _kernels(grid: np.ndarray, values: np.ndarray, width: float) -> np.ndarray:
    """Sums kernels; many draws are first counted on a fine grid of their quantiles."""
    if len(values) > 4000:
        values = np.quantile(values, (np.arange(4000) + 0.5) / 4000)
    z = (grid[:, None] - values[None, :]) / width
    return np.exp(-0.5 * z**2).mean(axis=1) / (width * np.sqrt(2 * np.pi))


def normal_density(
    mean: float, se: float, scale: Any = None, points: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Returns a grid and the density of an estimator's normal distribution.

    Args:
        mean: the estimate.
        se: its standard error.
        scale: "log" for standard deviations, whose logarithm is normal; "atanh" for correlations.
        points: of the grid.
    """
    if not (np.isfinite(mean) and np.isfinite(se) and se > 0):
        return np.empty(0), np.empty(0)
    z = np.linspace(-3.5, 3.5, points)
    bell = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    if scale == "log" and mean > 0:
        grid = mean * np.exp(z * se / mean)
        return grid, bell / (grid * se / mean)
    if scale == "atanh" and abs(mean) < 1:
        step = se / (1 - mean**2)
        grid = np.tanh(np.arctanh(mean) + z * step)
        return grid, bell / (step * (1 - grid**2))
    return mean + z * se, bell / se
