"""NumPyro's NUTS as two compiled programs: some iterations, state in and state out; and natural values.

The state is complete: any iterations in one call or in several give the same draws, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo

from ..zoo.density import log_density, natural
from ..zoo.structure import Structure
from .backend import Problem
from .launch import blind
from .programs import double_precision, program

CHUNK = 100
"""The most iterations of one call."""

Static = tuple[int, float | None, int, bool]
"""What the program depends on beside the model: warm-up iterations, target of the acceptance rate,
deepest tree, and whether the mass matrix is dense."""


def programs(static: Static, problem: Problem) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Returns what samples, and what turns raw draws into natural parameters, compiled side by side."""
    structure = problem.structure
    raw = blind(problem, 0, 1).raw[0]
    key = np.zeros(2, np.uint32)
    with double_precision():
        start = (key, raw, raw, empty_state(static, raw))
        states = jax.tree.map(lambda leaf: np.zeros((CHUNK, *leaf.shape), leaf.dtype), (raw, key))
    rest = (problem.design, problem.numbers, np.asarray(0))
    with ThreadPoolExecutor(1) as pool:
        name = f"{structure.key} {CHUNK}"
        convert = pool.submit(
            program, "natural", name, partial(_convert, structure), (states, *rest)
        )
        name = f"{structure.key} {static} {CHUNK}"
        sampling = (np.asarray(True), *start, *rest)
        step = program("nuts", name, partial(_advance, structure, static), sampling)
        return step, convert.result()


def empty_state(static: Static, raw: Mapping[str, Any]) -> Any:
    """Returns a sampler's state of zeros."""
    shapes = tuple((name, np.shape(array)) for name, array in sorted(raw.items()))
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), _shapes(static, shapes))


@cache
def _shapes(static: Static, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> Any:
    """Returns the shapes of a sampler's state, which takes a trace of the sampler to find out."""
    raw = {name: np.zeros(shape) for name, shape in shapes}
    with double_precision():
        return jax.eval_shape(partial(_initialise, static), np.zeros(2, np.uint32), raw, raw)


def _kernel(static: Static, potential: Callable[..., Any]) -> tuple[Any, Any]:
    tune, target_accept, depth, dense = static
    start, step = hmc(potential_fn_gen=potential, algo="NUTS")
    options = {"target_accept_prob": target_accept, "max_tree_depth": depth, "dense_mass": dense}
    return partial(start, num_warmup=tune, **options), step


def _initialise(static: Static, key: Any, raw: Any, variance: Any) -> Any:
    start, _ = _kernel(static, lambda *_: lambda z: 0.0)
    zeros = jax.tree.map(jnp.zeros_like, raw)
    scales, _ = jax.flatten_util.ravel_pytree(variance)
    *_, dense = static
    mass = jnp.diag(scales) if dense else scales
    parameters = ParamInfo(raw, jnp.zeros(()), zeros)
    return start(parameters, inverse_mass_matrix=mass, model_args=(None, None), rng_key=key)


def _advance(
    structure: Structure,
    static: Static,
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

    def begin() -> Any:
        begun = _initialise(static, key, raw, variance)
        energy, gradient = jax.value_and_grad(potential(design, numbers))(begun.z)
        return begun._replace(potential_energy=energy, z_grad=gradient)

    state = jax.lax.cond(fresh, begin, lambda: state)
    start, step = _kernel(static, potential)
    start(  # binds the kernel's static settings; its value is not used
        ParamInfo(raw, state.potential_energy, state.z_grad),
        model_args=(design, numbers),
        rng_key=key,
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

    def body(i: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        state, out = carry
        state = step(state, (design, numbers))
        return state, _put(out, i, record(state))

    return jax.lax.fori_loop(0, count, body, (state, _empty(jax.eval_shape(record, state))))


def _convert(
    structure: Structure,
    states: Any,
    design: Mapping[str, Any],
    numbers: Mapping[str, Any],
    count: Any,
) -> dict[str, Any]:
    """Returns natural parameters of the first `count` iterations, one after the other."""

    def one(i: Any) -> dict[str, Any]:
        raw, key = jax.tree.map(lambda leaf: leaf[i], states)
        return natural(structure, raw, design, numbers, key)

    empty = _empty(jax.eval_shape(one, 0))
    return jax.lax.fori_loop(0, count, lambda i, out: _put(out, i, one(i)), empty)


def _empty(shapes: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros((CHUNK, *leaf.shape), leaf.dtype), shapes)


def _put(out: Any, i: Any, values: Any) -> Any:
    return jax.tree.map(lambda rows, value: rows.at[i].set(value), out, values)
