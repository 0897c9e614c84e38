"""Posteriors of few parameters by the trapezoidal rule on a grid, which is exact to rounding here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import arviz as az
import numpy as np
from scipy.interpolate import make_interp_spline

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Axis:
    """A parameter and its grid in coordinates t; `log`: the parameter is exp(t), `logit`: expit(t)."""

    low: float
    high: float
    points: int = 161
    kind: str = "real"

    @property
    def t(self) -> np.ndarray:
        """The grid."""
        return np.linspace(self.low, self.high, self.points)

    def natural(self, t: Any) -> tuple[Any, Any]:
        """Returns the parameter, and the log of d parameter / d t."""
        if self.kind == "log":
            return np.exp(t), t
        if self.kind == "logit":
            p = 1 / (1 + np.exp(-t))
            return p, np.log(p) + np.log1p(-p)
        return t, 0.0 * t

    def coordinate(self, value: Any) -> Any:
        """Returns t of values of the parameter."""
        if self.kind == "log":
            return np.log(value)
        return np.log(value) - np.log1p(-value) if self.kind == "logit" else value


@dataclass(frozen=True)
class Marginal:
    """What is known of one parameter: mean and sd of t, and places t where its CDF is known."""

    axis: Axis
    mean: float
    sd: float
    places: np.ndarray
    below: np.ndarray


def integrate(
    log_density: Callable[[Mapping[str, Any]], Any], axes: Mapping[str, Axis]
) -> dict[str, Marginal]:
    """Returns the marginals of a density, which is called for each slice of the first axis."""
    first, *others = axes
    grids = np.meshgrid(*[axes[name].t for name in others], indexing="ij")
    parts = []
    for t in axes[first].t:
        theta, jacobian = {}, 0.0
        for name, place in zip(axes, [np.asarray(t), *grids], strict=True):
            theta[name], slope = axes[name].natural(place)
            jacobian = jacobian + slope
        parts.append(
            np.broadcast_to(log_density(theta) + jacobian, grids[0].shape if grids else ())
        )
    log = np.array(parts)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    out = {}
    for k, (name, axis) in enumerate(axes.items()):
        one = weight.sum(axis=tuple(j for j in range(weight.ndim) if j != k))
        assert one[[0, -1]].max() < 1e-9 * one.max(), f"the grid of {name} ends too early"
        t = axis.t
        mean = float(one @ t)
        spline = make_interp_spline(np.arange(len(t)), one, k=7)
        cumulative = spline.antiderivative()(np.arange(len(t)))
        at = np.searchsorted(cumulative, LEVELS)
        sd = float(np.sqrt(one @ (t - mean) ** 2))
        out[name] = Marginal(axis, mean, sd, t[at], cumulative[at])
    return out


def z_of(draws: np.ndarray, mean: float, places: Any, below: Any) -> list[float]:
    """Returns (ours - exact) / MCSE of a mean, and of the probabilities below some places.

    Args:
        draws: shape (chain, draw).
        mean: the exact mean.
        places: numbers.
        below: the exact probabilities below them.
    """
    out = [(draws.mean() - mean) / (draws.std() / np.sqrt(size(draws)))]
    for place, p in zip(places, below, strict=True):
        inside = (draws < place).astype(float)
        out.append((inside.mean() - p) / np.sqrt(p * (1 - p) / size(inside)))
    return out


def z_scores(draws: Mapping[str, np.ndarray], exact: Mapping[str, Marginal]) -> np.ndarray:
    """Returns the same of every parameter of a quadrature."""
    parts = [
        z_of(m.axis.coordinate(draws[name]), m.mean, m.places, m.below) for name, m in exact.items()
    ]
    return np.concatenate(parts)


def z_between(ours: np.ndarray, theirs: np.ndarray) -> list[float]:
    """Returns the difference of two samples over the MCSE of both: of their means, and of their spread.

    Args:
        ours: shape (chain, draw).
        theirs: shape (chain, draw).
    """
    centre = np.concatenate([ours, theirs]).mean()
    out = []
    for power in (1, 2):
        pair = [(draws - centre) ** power for draws in (ours, theirs)]
        error = np.sqrt(sum(one.var() / size(one) for one in pair))
        out.append((pair[0].mean() - pair[1].mean()) / error)
    return out


def size(draws: np.ndarray) -> float:
    """The effective number of draws for their mean, by ArviZ."""
    return float(az.ess(az.convert_to_dataset({"x": draws}), method="mean")["x"])
