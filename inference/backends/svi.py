"""SVI: a guide distribution fitted by maximising the evidence lower bound (ELBO).

The step size falls in stages; a stage ends when the ELBO no longer rises by more than its own noise,
and the fit has converged when every stage ended so. The parameters of the guide are averaged over
the last stage.

Source: Hoffman et al. (2013), JMLR 14:1303; Kucukelbir et al. (2017), JMLR 18:14.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import optim
from numpyro.infer import SVI as NumpyroSVI
from numpyro.infer import Trace_ELBO, autoguide
from numpyro.infer.initialization import init_to_value

from ...zoo.compile import model
from ...zoo.density import site_shapes
from ..backend import Backend, Draws, Problem
from ..constrain import constrain
from ..options import choice, whole
from ..programs import double_precision, program
from ..progress import Progress
from ..sharding import choose, place
from . import laplace

STEP_SIZES = (0.05, 0.01, 0.002)
SMALL_STEPS = (0.005, 0.001, 0.0002)


@dataclass(frozen=True)
class Guide:
    """A family of guide distributions, and the step sizes of its stages; no class: Laplace's method."""

    build: Callable[..., Any] | None
    step_sizes: tuple[float, ...] = STEP_SIZES


GUIDES: dict[str, Guide] = {
    "normal": Guide(autoguide.AutoNormal),
    "multivariate": Guide(autoguide.AutoMultivariateNormal),
    "lowrank": Guide(autoguide.AutoLowRankMultivariateNormal),
    "laplace": Guide(None),
    "iaf": Guide(autoguide.AutoIAFNormal, SMALL_STEPS),
}
CHUNK = 250
DENSE_LIMIT = 300
"""Up to this many unknowns the default guide has a full covariance."""


@dataclass(frozen=True)
class Settings:
    """Settings of the fit.

    Attributes:
        guide: `normal` (independent), `multivariate`, `lowrank`, `laplace`, `iaf`; None chooses
            `multivariate` up to 300 unknowns, else `lowrank`.
        batch_size: rows per step; None for all.
        max_steps: an upper bound; a fit that needs more says that it did not converge.
        particles: samples of the guide per step.
        draws: draws taken from the fitted guide.
        devices: how many JAX devices the rows are dealt out to, or "all"; None for one.
    """

    guide: str | None = None
    batch_size: int | None = None
    max_steps: int = 50_000
    particles: int = 4
    draws: int = 1000
    devices: int | str | None = None

    def __post_init__(self) -> None:
        if self.guide is not None:
            choice("guide", self.guide, tuple(GUIDES))
        if self.batch_size is not None:
            whole("batch_size", self.batch_size, 1)
        whole("max_steps", self.max_steps, CHUNK)
        whole("particles", self.particles, 1)
        whole("draws", self.draws, 2)
        choose(self.devices)


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Fits the guide and draws from it."""
    problem = place(problem, settings.devices)
    shapes = site_shapes(problem.structure, problem.numbers)
    unknowns = sum(int(np.prod(shape)) for shape in shapes.values())
    guide_name = settings.guide or ("multivariate" if unknowns <= DENSE_LIMIT else "lowrank")
    build = GUIDES[guide_name].build
    if build is None:
        return laplace.run(laplace.Settings(settings.draws), problem, seed, progress)
    rows = problem.training.size
    batch = settings.batch_size if settings.batch_size and settings.batch_size < rows else None
    bound = partial(model, problem.structure)
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    # NumPyro's guides rely on NumPy's rank promotion, whatever the process allows
    with double_precision(), jax.numpy_rank_promotion("allow"):
        guide = build(bound, init_loc_fn=init_to_value(values=zeros))
        svi = NumpyroSVI(bound, guide, optim.Adam(1e-3), Trace_ELBO(settings.particles))
        started = svi.init(jax.random.PRNGKey(seed), problem.design, problem.numbers)
        params = svi.optim.get_params(started.optim_state)
        params = jax.tree.map(np.asarray, params)
        best, trace, converged = _climb(
            settings, problem, svi, params, seed, batch, guide_name, progress
        )
        constrain_params: Any = svi.constrain_fn
        chosen = constrain_params(best)
        key = jax.random.PRNGKey(seed + 1)
        raw = guide.sample_posterior(key, chosen, sample_shape=(settings.draws,))
        raw = {name: np.asarray(raw[name]) for name in shapes}
    return Draws(constrain(problem, raw), {}, converged=converged, trace=trace)


def _climb(
    settings: Settings,
    problem: Problem,
    svi: Any,
    params: Any,
    seed: int,
    batch: int | None,
    guide_name: str,
    progress: bool,
) -> tuple[Any, np.ndarray, bool]:
    rows = problem.training.size

    def loss(params: Any, key: Any, design: Any, numbers: Any) -> Any:
        batch_key, elbo_key = jax.random.split(key)
        if batch is not None:
            design = _minibatch(design, jax.random.randint(batch_key, (batch,), 0, rows), rows)
        constrained = svi.constrain_fn(params)
        return svi.loss.loss(elbo_key, constrained, svi.model, svi.guide, design, numbers)

    def steps(
        params: Any, moments: Any, key: Any, count: Any, size: Any, design: Any, numbers: Any
    ):  # type: ignore[no-untyped-def]
        def one(carry: Any, step_key: Any) -> Any:
            params, (first, second), count, total = carry
            value, gradient = jax.value_and_grad(loss)(params, step_key, design, numbers)
            usable = jnp.isfinite(value)
            gradient = jax.tree.map(
                lambda g: jnp.where(usable & jnp.isfinite(g), jnp.clip(g, -1e6, 1e6), 0.0), gradient
            )
            count = count + 1
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
            second = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, second, gradient)
            params = jax.tree.map(
                lambda p, m, v: (
                    p - size * (m / (1 - 0.9**count)) / (jnp.sqrt(v / (1 - 0.99**count)) + 1e-10)
                ),
                params,
                first,
                second,
            )
            total = jax.tree.map(jnp.add, total, params)
            return (params, (first, second), count, total), -value

        zeros = jax.tree.map(jnp.zeros_like, params)
        carry = (params, moments, count, zeros)
        keys = jax.random.split(key, CHUNK)
        (params, moments, count, total), elbo = jax.lax.scan(one, carry, keys)
        return params, moments, count, jax.tree.map(lambda t: t / CHUNK, total), elbo

    zeros = jax.tree.map(np.zeros_like, params)
    moments, count = (zeros, zeros), np.asarray(0.0)
    key = np.random.default_rng([seed, 11]).integers(0, 2**32, size=2, dtype=np.uint32)
    arguments = (params, moments, key, count, np.asarray(0.1), problem.design, problem.numbers)
    static = f"{problem.structure.key} {guide_name} {batch} {rows} {settings.particles}"
    compiled = program("svi", static, steps, arguments)
    bar = Progress("svi", settings.max_steps, progress)
    trace: list[np.ndarray] = []
    average = params
    converged = True
    chunk = 0
    for size in GUIDES[guide_name].step_sizes:
        stage: list[np.ndarray] = []
        averages: list[Any] = []
        while True:
            if (chunk + 1) * CHUNK > settings.max_steps:
                converged = False
                break
            chunk += 1
            key = np.random.default_rng([seed, 11, chunk]).integers(0, 2**32, 2, dtype=np.uint32)
            out = compiled(
                params, moments, key, count, np.asarray(size), problem.design, problem.numbers
            )
            params, moments, count, mean, elbo = jax.tree.map(np.asarray, out)
            stage.append(elbo)
            averages.append(mean)
            bar.advance(CHUNK)
            if _levelled(stage):
                break
        trace += stage
        half = averages[len(averages) // 2 :]
        if half:
            average = jax.tree.map(lambda *parts: np.mean(parts, axis=0), *half)
    bar.close()
    joined = np.concatenate(trace) if trace else np.zeros(0)
    return average, joined, converged and bool(np.isfinite(joined[-CHUNK:]).all())


def _levelled(stage: list[np.ndarray]) -> bool:
    """Whether the ELBO of the later half of a stage is above the earlier by less than its noise."""
    if len(stage) < 4:
        return False
    window = max(2, len(stage) // 3)
    late = np.concatenate(stage[-window:])
    early = np.concatenate(stage[-2 * window : -window])
    late, early = late[np.isfinite(late)], early[np.isfinite(early)]
    if late.size < 2 or early.size < 2:
        return False
    rise = np.median(late) - np.median(early)
    noise = np.sqrt(late.var() / late.size + early.var() / early.size) * 1.25
    return bool(rise < 2 * noise + 1e-3)


def _minibatch(design: Mapping[str, Any], index: Any, rows: int) -> dict[str, Any]:
    """Picks rows and weights them so that they stand for all."""
    picked = jax.tree.map(lambda array: array[index], dict(design))
    response = dict(picked["response"])
    share = rows / index.shape[0]
    weights = response.get("weights", jnp.ones(index.shape))
    return {**picked, "response": {**response, "weights": weights * share}}


SVI = Backend(
    "svi", Settings, run, story="Stochastic variational inference with a choice of guides."
)
