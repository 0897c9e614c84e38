"""NUTS: NumPyro's sampler as one compiled program per model structure, chains as threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo

from ...errors import OptionError, shown
from ...zoo.density import log_density, natural
from ...zoo.structure import Structure
from ..backend import Backend, Draws, Problem
from ..constrain import trim
from ..launch import Launch, blind, launch
from ..layout import lay_out
from ..marginalise import marginalise
from ..options import number, whole
from ..programs import double_precision, program
from ..progress import Progress

CHUNK = 100
"""Iterations between two looks at the progress bar and at Ctrl-C."""


@dataclass(frozen=True)
class Settings:
    """Settings of the sampler.

    Attributes:
        draws: draws kept per chain.
        tune: warm-up iterations per chain.
        chains: number of chains.
        target_accept: the acceptance rate that the step size aims at; None: 0.9 where group effects
            are sampled, 0.8 elsewhere.
        max_tree_depth: the longest trajectory has 2**max_tree_depth steps.
        dense_mass: whether the mass matrix is dense.
        marginalize: whether normal group effects, and coefficients with normal or flat priors, are
            integrated out and drawn afterwards: "auto" where it is exact and cheap; True or an error;
            the posterior is the same. "laplace" integrates group effects of other responses out by
            Laplace's method, which is an approximation.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    target_accept: float | None = None
    max_tree_depth: int = 10
    dense_mass: bool = False
    marginalize: bool | str = "auto"

    def __post_init__(self) -> None:
        whole("draws", self.draws, 1)
        whole("tune", self.tune, 0)
        whole("chains", self.chains, 1)
        whole("max_tree_depth", self.max_tree_depth, 1, 14)
        if self.target_accept is not None:
            number("target_accept", self.target_accept, 0.0, 1.0)
        if self.marginalize not in ("auto", "laplace", True, False):
            raise OptionError(
                f'marginalize= takes "auto", True, False or "laplace", not {shown(self.marginalize)}.'
            )


def run(settings: Settings, problem: Problem, seed: int, progress: bool) -> Draws:
    """Samples the posterior.

    Args:
        settings: lengths and adaptation.
        problem: the model's structure, design and numbers.
        seed: the same seed gives the same draws on one machine.
        progress: whether to show a progress bar.

    Returns:
        Natural parameters with leading dimensions (chain, draw), and statistics of each draw.
    """
    problem = marginalise(problem, settings.marginalize, coefficients=True)
    if problem.structure.marginal is None:
        problem = lay_out(problem)
    settings = _with_target(settings, problem.structure)
    design, numbers = problem.design, problem.numbers
    with ThreadPoolExecutor(1) as pool:  # compiles while the starting points are sought
        programs = pool.submit(_programs, settings, problem)
        begun = launch(problem, seed, settings.chains)
        step, convert = programs.result()
    total = settings.tune + settings.draws
    bar = Progress("sampling", settings.chains * total, progress)
    stop = threading.Event()

    def chain(index: int) -> dict[str, Any]:
        key, raw, variance, state = _start(settings, begun, seed, index)
        kept: list[dict[str, Any]] = []
        done = 0
        while done < total and not stop.is_set():
            limit = settings.tune if done < settings.tune else total
            count = min(CHUNK, limit - done)
            with double_precision():
                state, out = step(
                    np.asarray(done == 0),
                    key,
                    raw,
                    variance,
                    state,
                    design,
                    numbers,
                    np.asarray(count),
                )
                if done >= settings.tune:
                    states, stats = out
                    drawn = {"natural": convert(states, design, numbers), "stats": stats}
                    kept.append(jax.tree.map(lambda a, n=count: np.asarray(a)[:n], drawn))
            done += count
            bar.advance(count)
        return jax.tree.map(lambda *parts: np.concatenate(parts), *kept) if kept else {}

    workers = min(settings.chains, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(chain, i) for i in range(settings.chains)]
        try:
            chains = [future.result() for future in futures]
        except BaseException:
            stop.set()
            raise
    bar.close()
    stacked = jax.tree.map(lambda *parts: np.stack(parts), *chains)
    return Draws(trim(problem, stacked["natural"]), stacked["stats"])


def _with_target(settings: Settings, structure: Structure) -> Settings:
    """Chooses a careful step size where scales and effects of groups are sampled together."""
    if settings.target_accept is not None:
        return settings
    sampled = bool(structure.groups) and structure.marginal is None
    return replace(settings, target_accept=0.9 if sampled else 0.8)


def _programs(
    settings: Settings, problem: Problem
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Returns what samples, and what turns raw draws into natural parameters, compiled side by side."""
    static, structure = _static(settings), problem.structure
    with double_precision():
        start = _start(settings, blind(problem, 0, 1), 0, 0)
        states = jax.tree.map(lambda leaf: np.zeros((CHUNK, *leaf.shape), leaf.dtype), start[1::-1])
    count = np.asarray(0)
    sampling = (np.asarray(True), *start, problem.design, problem.numbers, count)
    with ThreadPoolExecutor(1) as pool:
        convert = pool.submit(
            program,
            "natural",
            f"{structure.key} {CHUNK}",
            partial(_convert, structure),
            (states, problem.design, problem.numbers),
        )
        name = f"{structure.key} {static} {CHUNK}"
        step = program("nuts", name, partial(_advance, structure, static), sampling)
        return step, convert.result()


def _static(settings: Settings) -> tuple[Any, ...]:
    """The settings that the compiled program depends on."""
    return (settings.tune, settings.target_accept, settings.max_tree_depth, settings.dense_mass)


def _start(settings: Settings, begun: Launch, seed: int, chain: int) -> tuple[Any, Any, Any, Any]:
    """Returns a chain's key, its raw starting point, scales, and an empty sampler state."""
    raw = begun.raw[chain]
    key = np.random.default_rng([seed, chain, 5]).integers(0, 2**32, size=2, dtype=np.uint32)
    shapes = tuple((name, np.shape(array)) for name, array in sorted(raw.items()))
    empty = _empty(_static(settings), shapes)
    state = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), empty)
    return key, raw, begun.variance, state


@cache
def _empty(static: tuple[Any, ...], shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> Any:
    """Returns the shapes of a sampler's state, which takes a trace of the sampler to find out."""
    raw = {name: np.zeros(shape) for name, shape in shapes}
    with double_precision():
        return jax.eval_shape(partial(_initialise, static), np.zeros(2, np.uint32), raw, raw)


def _kernel(static: tuple[Any, ...], potential: Callable[..., Any]) -> tuple[Any, Any]:
    tune, target_accept, depth, dense = static
    start, step = hmc(potential_fn_gen=potential, algo="NUTS")
    options = {"target_accept_prob": target_accept, "max_tree_depth": depth, "dense_mass": dense}
    return partial(start, num_warmup=tune, **options), step


def _initialise(static: tuple[Any, ...], key: Any, raw: Any, variance: Any) -> Any:
    start, _ = _kernel(static, lambda *_: lambda z: 0.0)
    zeros = jax.tree.map(jnp.zeros_like, raw)
    scales, _ = jax.flatten_util.ravel_pytree(variance)
    *_, dense = static
    mass = jnp.diag(scales) if dense else scales
    parameters = ParamInfo(raw, jnp.zeros(()), zeros)
    return start(parameters, inverse_mass_matrix=mass, model_args=(None, None), rng_key=key)


def _advance(
    structure: Structure,
    static: tuple[Any, ...],
    fresh: Any,
    key: Any,
    raw: Any,
    variance: Any,
    state: Any,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    count: Any,
) -> tuple[Any, Any]:
    """Runs `count` (<= CHUNK) iterations, warm-up or not.

    Returns:
        The state; and of every iteration its raw coordinates with a key, and its statistics.
    """

    def potential(design: Any, numbers: Any) -> Callable[[Any], Any]:
        return lambda z: -log_density(structure, z, design, numbers)

    started = _initialise(static, key, raw, variance)
    state = jax.tree.map(partial(jnp.where, fresh), started, state)
    energy, gradient = jax.value_and_grad(potential(design, numbers))(state.z)
    state = state._replace(potential_energy=energy, z_grad=gradient)
    start, step = _kernel(static, potential)
    start(  # binds the kernel's static settings; its value is not used
        ParamInfo(raw, energy, gradient), model_args=(design, numbers), rng_key=key
    )

    def record(state: Any) -> tuple[tuple[Any, Any], dict[str, Any]]:
        return (state.z, state.rng_key), {
            "diverging": state.diverging,
            "energy": state.energy,
            "lp": -state.potential_energy,
            "n_steps": state.num_steps,
            "step_size": state.adapt_state.step_size,
            "acceptance_rate": state.accept_prob,
        }

    empty = jax.tree.map(
        lambda leaf: jnp.zeros((CHUNK, *leaf.shape), leaf.dtype), jax.eval_shape(record, state)
    )

    def body(i: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        state, out = carry
        state = step(state, (design, numbers))
        return state, jax.tree.map(lambda a, b: a.at[i].set(b), out, record(state))

    return jax.lax.fori_loop(0, count, body, (state, empty))


def _convert(
    structure: Structure, states: Any, design: Mapping[str, Any], numbers: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns natural parameters of CHUNK iterations, one after the other."""
    return jax.lax.map(lambda one: natural(structure, one[0], design, numbers, one[1]), states)


NUTS = Backend(
    "nuts", Settings, run, sampled=True, story="Hamiltonian Monte Carlo, NumPyro's NUTS."
)
