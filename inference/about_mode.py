"""Draws from a normal distribution about a mode, and group effects given them."""

from __future__ import annotations

import numpy as np

from ..zoo.density import Raw
from .backend import Draws
from .constrain import constrain
from .modes import unpack
from .optimise import Mode, effects_given


def about_mode(mode: Mode, draws: int, seed: int) -> Draws:
    """Draws theta from a normal at its mode, and group effects given each theta."""
    generator = np.random.default_rng([seed, 7])
    raw = theta_draws(mode.theta, mode.covariance, draws, generator)
    if mode.u:
        packed, factor = effects_given(mode, True, raw)
        noise = generator.standard_normal(packed.shape)[..., None]
        spread = np.linalg.solve(np.swapaxes(factor, -1, -2), noise)[..., 0]
        parts = [unpack(mode.problem.structure, one, mode.u) for one in packed + spread]
        raw |= {name: np.stack([np.asarray(p[name]) for p in parts]) for name in mode.u}
    return Draws(constrain(mode.problem, raw, [seed, 9]), {}, converged=mode.converged)


def theta_draws(
    theta: Raw, covariance: np.ndarray | None, draws: int, generator: np.random.Generator
) -> Raw:
    """Draws raw sites from a normal distribution, with a leading dimension (sample)."""
    out: Raw = {}
    if covariance is None:
        return out
    values, vectors = np.linalg.eigh(covariance)
    # the symmetric root, which does not depend on the signs of eigenvectors
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    names = sorted(theta)  # the order of JAX
    noise = generator.standard_normal((draws, len(covariance))) @ root
    start = 0
    for name in names:
        size = int(np.prod(np.shape(theta[name])))
        part = noise[:, start : start + size].reshape(draws, *np.shape(theta[name]))
        out[name] = np.asarray(theta[name])[None] + part
        start += size
    return out
