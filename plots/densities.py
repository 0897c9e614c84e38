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
    width = bandwidth(values)
    if not width > 0:
        return np.empty(0), np.empty(0)
    start, stop = np.quantile(values, [0.001, 0.999])
    low = values[0] if _edge(values, width) else None
    high = values[-1] if _edge(-values[::-1], width) else None
    start = low if low is not None else max(start, values[0]) - 2.5 * width
    stop = high if high is not None else min(stop, values[-1]) + 2.5 * width
    grid = np.linspace(start, stop, points)
    return grid, density_at(grid, values, low, high)


def bandwidth(values: np.ndarray) -> float:
    """Returns Silverman's width of a Gaussian kernel; 0 for constant numbers."""
    if len(values) < 2:
        return 0.0
    low, high = np.quantile(values, [0.25, 0.75])
    spread = min(values.std(), (high - low) / 1.34) if high > low else values.std()
    return float(0.9 * spread * len(values) ** -0.2)


def density_at(
    grid: np.ndarray, values: np.ndarray, low: float | None = None, high: float | None = None
) -> np.ndarray:
    """Returns the kernel density of numbers at points between two bounds, at which it is reflected."""
    width = bandwidth(values)
    if not width > 0:
        return np.zeros(len(grid))
    out = _kernels(grid, values, width)
    if low is not None:
        out = np.where(grid >= low, out + _kernels(2 * low - grid, values, width), 0.0)
    if high is not None:
        out = np.where(grid <= high, out + _kernels(2 * high - grid, values, width), 0.0)
    return out


def _edge(values: np.ndarray, width: float) -> bool:
    """Whether sorted draws pile up at their lower end, which a smooth tail does not do."""
    return bool((values < values[0] + width).mean() > max(0.05, 8 / len(values)))


def _kernels(grid: np.ndarray, values: np.ndarray, width: float) -> np.ndarray:
    """Sums kernels; many draws are first thinned to their quantiles."""
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
