"""SVI: a guide distribution fitted by maximising the evidence lower bound (ELBO).

The step size falls in stages; a stage ends when the ELBO no longer rises by more than its own noise,
and the fit has converged when every stage ended so. The parameters of the guide are averaged over
the last stage.

Source: Hoffman et al. (2013), JMLR 14:1303; Kucukelbir et al. (2017), JMLR 18:14.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import handlers, optim
from numpyro.infer import SVI as NumpyroSVI
from numpyro.infer import Trace_ELBO, autoguide
from numpyro.infer.initialization import init_to_value
from numpyro.infer.util import log_density

from ...errors import OptionError
from ...zoo.compile import model
from ...zoo.density import site_shapes
from .. import interrupt
from ..backend import Backend, Draws, Problem
from ..checkpoint import damaged
from ..constrain import constrain
from ..escape import refuse_improper
from ..options import choice, whole
from ..programs import double_precision, program
from ..progress import Progress
from ..sharding import choose, place
from ..svi_climb import CHUNK, Climb, climb, restore
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
    refuse_improper(problem, "svi")
    problem = place(problem, settings.devices)
    shapes = site_shapes(problem.structure, problem.numbers)
    unknowns = sum(int(np.prod(shape)) for shape in shapes.values())
    guide_name = settings.guide or ("multivariate" if unknowns <= DENSE_LIMIT else "lowrank")
    build = GUIDES[guide_name].build
    if build is None:
        if problem.checkpoint is not None:
            raise OptionError(
                f'guide="{guide_name}" takes no steps that a check-point could keep: leave '
                "checkpoint= out."
            )
        return laplace.run(laplace.Settings(settings.draws), problem, seed, progress)
    rows = problem.training.size
    batch = settings.batch_size if settings.batch_size and settings.batch_size < rows else None
    bound = partial(model, problem.structure)
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    # NumPyro's guides rely on NumPy's rank promotion, whatever the process allows
    with double_precision(), jax.numpy_rank_promotion("allow"):
        guide = build(bound, init_loc_fn=init_to_value(values=zeros))
        svi = NumpyroSVI(bound, guide, optim.Adam(1e-3), Trace_ELBO())
        started = svi.init(jax.random.PRNGKey(seed), problem.design, problem.numbers)
        params = svi.optim.get_params(started.optim_state)
        params = jax.tree.map(np.asarray, params)
        step = _program(settings, problem, svi, params, batch, guide_name)
        state = _begin(params, problem)
        done = _climb(settings, problem, state, step, seed, guide_name, progress)
        trace = state.trace
        static = f"{problem.structure.key} {guide_name} {settings.draws} {shapes}"
        arguments = (np.asarray(jax.random.PRNGKey((seed + 1) % 2**63)), state.average)
        draw = partial(_draw, svi, settings.draws, tuple(shapes))
        raw = jax.tree.map(np.asarray, program("svi_draws", static, draw, arguments)(*arguments))
    notes = () if problem.checkpoint is None else problem.checkpoint.notes
    converged = state.converged and bool(np.isfinite(trace[-CHUNK:]).all())
    drawn = Draws(constrain(problem, raw), {}, converged=converged, notes=notes, trace=trace)
    if done:
        return drawn
    extent = f"{len(trace):,} steps were taken and the ELBO may not have levelled"
    note = interrupt.sentence(extent, problem.checkpoint and problem.checkpoint.path)
    raise interrupt.Interrupted(replace(drawn, converged=None, notes=(note, *notes)))


def _begin(params: Any, problem: Problem) -> Climb:
    """Returns the state as a check-point left it, or the first one."""
    zeros = jax.tree.map(np.zeros_like, params)
    state = Climb(params, (zeros, zeros), np.asarray(0.0), params)
    saved = problem.checkpoint
    if saved is None or not saved.arrays:
        return state
    try:
        return restore(state, saved.arrays)
    except (KeyError, ValueError):
        raise damaged(saved) from None


def _climb(
    settings: Settings,
    problem: Problem,
    state: Climb,
    step: Callable[..., Any],
    seed: int,
    guide_name: str,
    progress: bool,
) -> bool:
    """Moves the state to its end and returns True; False where Ctrl-C came before."""
    saved = problem.checkpoint
    bar = Progress("svi", max(settings.max_steps - state.chunk * CHUNK, 1), progress)

    def work(stop: threading.Event) -> bool:
        look = (lambda: None) if saved is None else partial(saved.offer, state.arrays)
        sizes = GUIDES[guide_name].step_sizes
        return climb(state, step, sizes, settings.max_steps, seed, stop, bar, look)

    if saved is not None:
        saved.start(state.arrays)
    (done,), _ = interrupt.together([work], 1)
    bar.close()
    if not done and saved is not None:
        saved.offer(state.arrays, force=True)
    if not done and state.chunk == 0:
        raise KeyboardInterrupt
    if not done:
        state.end_stage(True)
    return done


def _program(
    settings: Settings,
    problem: Problem,
    svi: Any,
    params: Any,
    batch: int | None,
    guide_name: str,
) -> Callable[..., Any]:
    """Returns what takes `CHUNK` steps."""
    rows = problem.training.size

    def loss(params: Any, key: Any, design: Any, numbers: Any) -> Any:
        batch_key, elbo_key = jax.random.split(key)
        if batch is not None:
            design = _minibatch(design, jax.random.randint(batch_key, (batch,), 0, rows), rows)
        constrained: Any = svi.constrain_fn(params)
        one = partial(_elbo, svi, constrained, design, numbers)
        keys = jax.random.split(elbo_key, settings.particles)
        return -jnp.mean(jax.vmap(one)(keys))

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
    start = (params, (zeros, zeros), np.zeros(2, np.uint32), np.asarray(0.0), np.asarray(0.1))
    static = f"{problem.structure.key} {guide_name} {batch} {rows} {settings.particles}"
    compiled = program("svi", static, steps, (*start, problem.design, problem.numbers))
    return lambda *moving: compiled(*moving, problem.design, problem.numbers)


def _elbo(svi: Any, params: Any, design: Any, numbers: Any, key: Any) -> Any:
    """Returns log p - log q at one draw of the guide.

    Sites are added in the order of the model. NumPyro's own `Trace_ELBO` adds them in the order of a
    set, which differs from process to process, and so would the last bits of a fit.
    """
    model_key, guide_key = jax.random.split(key)
    log_q, drawn = log_density(handlers.seed(svi.guide, guide_key), (design, numbers), {}, params)
    model = handlers.replay(handlers.seed(svi.model, model_key), drawn)
    log_p, _ = log_density(model, (design, numbers), {}, params)
    return log_p - log_q


def _draw(svi: Any, draws: int, names: tuple[str, ...], key: Any, params: Any) -> dict[str, Any]:
    """Draws from the guide; compiled as a whole, since NumPyro maps over a new function every time."""
    constrained = svi.constrain_fn(params)
    drawn = svi.guide.sample_posterior(key, constrained, sample_shape=(draws,))
    return {name: drawn[name] for name in names}


def _minibatch(design: Mapping[str, Any], index: Any, rows: int) -> dict[str, Any]:
    """Picks rows and weights them so that they stand for all."""
    picked = jax.tree.map(lambda array: array[index], dict(design))
    response = dict(picked["response"])
    share = rows / index.shape[0]
    weights = response.get("weights", jnp.ones(index.shape))
    return {**picked, "response": {**response, "weights": weights * share}}


SVI = Backend(
    "svi",
    Settings,
    run,
    story="Stochastic variational inference with a choice of guides.",
    lengths=("draws", "max_steps"),
)
