"""Models written by hand in NumPyro, on data made here; the numbers in them are the documented priors.

Nothing of bayeszoo is used but names of parameters: predictors, links, groups, masks, filters and
priors are all spelled out. The default prior of an intercept is at the mean of the predictors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from numpyro import deterministic, sample

import bayeszoo as bz


@dataclass(frozen=True)
class ByHand:
    """What bayeszoo is told, and the same model as a function for NumPyro."""

    formula: str
    family: str
    data: Mapping[str, Any]
    model: Callable[[], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    draws: int = 2000
    target: float = 0.98  # of the acceptance rate, by hand
    chains: str = "sequential"  # "vectorized" compiles faster and samples slower


def normal(name: str, scale: Any, location: Any = 0.0) -> Any:
    """A parameter with a normal prior."""
    return sample(name, dist.Normal(location, scale))


def positive(name: str, scale: float) -> Any:
    """A parameter with a half-normal prior."""
    return sample(name, dist.HalfNormal(scale))


def standard(name: str, *shape: int) -> Any:
    """Standard normal numbers."""
    return sample(name, dist.Normal(0, 1).expand(shape))


def modelled_spread() -> ByHand:
    """A standard deviation that depends on a predictor."""
    rng = np.random.default_rng(41)
    x = rng.normal(0.5, 1.0, 50)
    y = 1 + 0.7 * x + np.exp(-0.3 + 0.4 * x) * rng.normal(size=50)

    def model() -> None:
        slope, rise = normal("x", 3.006), normal("sigma_x", 2.729)
        level = deterministic("Intercept", normal("centre", 2.754, 1.12) - slope * x.mean())
        log = deterministic(
            "sigma_Intercept", normal("sigma centre", 2.5, 0.09682) - rise * x.mean()
        )
        sample("y", dist.Normal(level + slope * x, jnp.exp(log + rise * x)), obs=y)

    data = {"y": y, "x": x}
    return ByHand("y ~ x\nsigma ~ x", "normal", data, model, chains="vectorized")


def correlated_slopes() -> ByHand:
    """Gamma responses; correlated intercepts and slopes of groups."""
    rng = np.random.default_rng(42)
    g, x, z = np.arange(96) % 8, rng.normal(0.3, 1.0, 96), rng.normal(size=(8, 2))
    a, b = 0.6 * z[:, 0], 0.24 * z[:, 0] + 0.32 * z[:, 1]
    y = rng.gamma(2.0, np.exp(0.5 + 0.4 * x + a[g] + b[g] * x) / 2)

    def model() -> None:
        slope = normal("x", 3.267)
        level = deterministic("Intercept", normal("centre", 2.5, 0.6391) - slope * x.mean())
        rho = 2 * sample("half", dist.Beta(2.0, 2.0)) - 1  # LKJ(2) of two effects
        deterministic("corr(g)", jnp.array([[1.0, rho], [rho, 1.0]]))
        first, second = standard("first", 8), standard("second", 8)
        a = deterministic("1|g", positive("sd(1|g)", 2.5) * first)
        mixed = rho * first + jnp.sqrt(1 - rho**2) * second
        b = deterministic("x|g", positive("sd(x|g)", 3.267) * mixed)
        alpha = sample("alpha", dist.HalfCauchy(0.8846))
        mu = jnp.exp(level + slope * x + a[g] + b[g] * x)
        sample("y", dist.Gamma(alpha, alpha / mu), obs=y)

    data = {"y": y, "x": x, "g": [f"g{i}" for i in g]}
    return ByHand("y ~ x + (1 + x | g)", "gamma", data, model)


def crossed_counts() -> ByHand:
    """Counts of every pair of two grouping factors."""
    rng = np.random.default_rng(43)
    s, i = np.arange(60) % 6, np.arange(60) // 12
    y = rng.poisson(np.exp(0.6 + 0.5 * rng.normal(size=6)[s] + 0.8 * rng.normal(size=5)[i]))

    def model() -> None:
        level = normal("Intercept", 2.5, 0.9619)
        a = deterministic("1|s", positive("sd(1|s)", 2.5) * standard("z s", 6))
        b = deterministic("1|i", positive("sd(1|i)", 2.5) * standard("z i", 5))
        sample("y", dist.Poisson(jnp.exp(level + a[s] + b[i])), obs=y)

    data = {"y": y, "s": [f"s{k}" for k in s], "i": [f"i{k}" for k in i]}
    return ByHand("y ~ 1 + (1 | s) + (1 | i)", "poisson", data, model)


def robust_groups() -> ByHand:
    """Group effects that are t with degrees of freedom to be learnt; one group lies far out."""
    rng = np.random.default_rng(44)
    g, x = np.arange(60) % 12, rng.normal(size=60)
    u = np.where(np.arange(12) == 3, 6.0, 0.7 * rng.normal(size=12))
    y = 1 + 0.5 * x + u[g] + rng.normal(size=60)

    def model() -> None:
        slope = normal("x", 6.14)
        level = deterministic("Intercept", normal("centre", 5.056, 1.869) - slope * x.mean())
        sd = positive("sd(1|g)", 5.056)
        nu = sample("nu(g)", dist.Gamma(2.0, 0.1))
        precision = sample("precision", dist.Gamma(nu / 2, nu / 2).expand([12]))  # a t is a mixture
        u = deterministic("1|g", sd * standard("z", 12) / jnp.sqrt(precision))
        sigma = deterministic("sigma", jnp.abs(sample("signed", dist.StudentT(4.0, 0.0, 2.022))))
        sample("y", dist.Normal(level + slope * x + u[g], sigma), obs=y)

    data = {"y": y, "x": x, "g": [f"g{k:02}" for k in g]}
    return ByHand("y ~ x + student(1 | g)", "normal", data, model, draws=5000, target=0.997)


def horseshoe() -> ByHand:
    """Eight slopes under a regularised horseshoe, two of them not 0."""
    rng = np.random.default_rng(45)
    x = rng.normal(size=(50, 8))
    y = 0.5 + 1.5 * x[:, 1] - 0.8 * x[:, 6] + rng.normal(size=50)

    def model() -> None:
        one = sample("one", dist.HalfCauchy(1.0))
        each = sample("each", dist.HalfCauchy(1.0).expand([8]))
        wide = 0.5 * one * each
        slopes = deterministic("x", standard("z", 8) * 2.5 * wide / jnp.sqrt(2.5**2 + wide**2))
        level = deterministic("Intercept", normal("centre", 5.238, 1.039) - x.mean(axis=0) @ slopes)
        sigma = deterministic("sigma", jnp.abs(sample("signed", dist.StudentT(4.0, 0.0, 2.095))))
        sample("y", dist.Normal(level + x @ slopes, sigma), obs=y)

    return ByHand("y ~ x", "normal", {"y": y, "x": x}, model, {"priors": {"x": bz.Horseshoe(0.5)}})


def coupled_neurons() -> ByHand:
    """Three neurons, their stimulus and their past spikes; four of nine couplings are left out."""
    rng = np.random.default_rng(46)
    bins, window = 400, 5
    place = np.log1p(50 * np.linspace(0, 1, window)) / np.log1p(50)
    bump = [
        0.5 + 0.5 * np.cos(np.clip(np.pi * (place - p) / (2 / 3), -np.pi, np.pi))
        for p in (0, 1 / 3)
    ]
    used = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 0]], bool)  # source, neuron
    stim, spikes = rng.normal(size=bins), np.zeros((bins, 3))

    def past(series: Any, t: int) -> Any:
        """Weights of the latest `window` bins before t, for each source and bump."""
        latest = series[t - window : t][::-1]
        return np.array([[k @ s for k in bump] for s in np.atleast_2d(latest.T)]).ravel()

    truth = rng.normal(size=(6, 3)) * 0.4 * np.repeat(used, 2, axis=0)
    for t in range(bins):
        drive = 0.0 if t < window else past(spikes, t) @ truth + past(stim, t)[0] * 0.3
        spikes[t] = rng.poisson(np.exp(np.minimum(-0.7 + drive, 1.5)))
    times = range(window, bins)
    s = np.array([past(stim, t) for t in times])
    c = np.array([past(spikes, t) for t in times])

    def table(scales: list[float]) -> Any:
        return np.array([scales] * 3).T

    def model() -> None:
        a = normal("conv(stim, raised_cos_log(2, 5))", table([2.5, 3.381]))
        free = normal("free", table([2.797, 3.582, 1.708, 1.712, 1.538, 1.718]))
        b = deterministic("conv(spikes, raised_cos_log(2, 5))", free * np.repeat(used, 2, axis=0))
        centre = normal("centre", 2.5, np.array([-0.2751, 0.2073, 0.2633]))
        level = deterministic("Intercept", centre - s.mean(axis=0) @ a - c.mean(axis=0) @ b)
        sample("y", dist.Poisson(jnp.exp(level[None] + s @ a + c @ b)), obs=spikes[window:])

    formula = "spikes ~ conv(stim, raised_cos_log(2, 5)) + conv(spikes, raised_cos_log(2, 5))"
    mask = {"conv(spikes, raised_cos_log(2, 5))": used}
    return ByHand(formula, "poisson", {"spikes": spikes, "stim": stim}, model, {"mask": mask})


CASES = (
    modelled_spread, correlated_slopes, crossed_counts, robust_groups, horseshoe, coupled_neurons,
)  # fmt: skip
