"""A response that depends on its own past, drawn bin by bin in one compiled program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..zoo.compile import observe
from ..zoo.structure import Structure
from .evaluate import parameters, response_rows
from .programs import double_precision, program
from .recurrence import Loop, Part

CHUNK = 1024
"""Bins that one call of the program draws."""


@dataclass(frozen=True, eq=False)
class Steps:
    """What is known of each bin before the simulation.

    Attributes:
        etas: parameter -> the linear predictor without feedback, shape (sample, step[, neuron]).
        known: extras of the response, each of shape (step,).
        drawn: whether the bin is drawn, or kept, shape (step,).
        kept: the response of bins that are kept, shape (step, source).
    """

    etas: Mapping[str, np.ndarray]
    known: Mapping[str, np.ndarray]
    drawn: np.ndarray
    kept: np.ndarray


@dataclass(frozen=True)
class Runaway:
    """Where a simulation left the range that is allowed: step, sample, neuron, expected value."""

    step: int
    sample: int
    neuron: int
    mean: float


def scan(
    structure: Structure,
    flat: Mapping[str, np.ndarray],
    loops: tuple[Loop, ...],
    parts: tuple[Part, ...],
    steps: Steps,
    limit: float,
    key: Any,
) -> tuple[np.ndarray, Runaway | None]:
    """Draws all bins.

    Args:
        structure: the model's structure.
        flat: natural parameters with one leading dimension (sample).
        loops: the filters of the past.
        parts: what they add to the linear predictors.
        steps: what is known of each bin.
        limit: the largest expected value that is allowed.
        key: of the random numbers.

    Returns:
        Shape (sample, step, source), and where it ran away, if it did; later bins are 0 then.
    """
    count, samples, sources = len(steps.drawn), len(next(iter(flat.values()))), steps.kept.shape[1]
    reach = max(int(loop.lags[0]) for loop in loops)
    chunks = -(-count // CHUNK)
    rows = _pad(
        {
            "etas": {name: _by_step(eta) for name, eta in steps.etas.items()},
            "known": {name: array[:, None] for name, array in steps.known.items()},
            "drawn": steps.drawn,
            "kept": steps.kept,
            "before": tuple(loop.known for loop in loops),
            "columns": tuple(part.columns for part in parts),
            "index": tuple(part.index for part in parts),
        },
        chunks * CHUNK - count,
    )
    rows["step"] = np.arange(chunks * CHUNK)
    given = {
        "scalars": {name: flat[name] for name in structure.scalars},
        "kernels": tuple(np.ascontiguousarray(loop.kernel) for loop in loops),
        "lags": tuple(np.ascontiguousarray(loop.lags) for loop in loops),
        "values": tuple(part.values for part in parts),
        "limit": np.float64(limit),
    }
    named = tuple((part.parameter, part.loop) for part in parts)
    out = np.zeros((samples, chunks * CHUNK, sources))
    state = (np.zeros((samples, sources, reach + CHUNK)), (False, 0, 0, 0.0))

    def run(carry: Any, given: Any, rows: Any, key: Any) -> Any:
        return _chunk(structure, named, carry, given, rows, key)

    for start in range(0, chunks * CHUNK, CHUNK):
        part = jax.tree.map(lambda a, start=start: a[start : start + CHUNK], rows)
        with double_precision():
            arguments = jax.tree.map(np.asarray, (state, given, part, key))
            compiled = program("scan", f"{structure.key} {named}", run, arguments)
            buffer, stopped = jax.tree.map(np.asarray, compiled(*arguments))
        out[:, start : start + CHUNK] = np.swapaxes(buffer[:, :, reach:], 1, 2)
        if stopped[0]:
            sample, neuron = divmod(int(stopped[2]), sources)
            return out[:, :count], Runaway(int(stopped[1]), sample, neuron, float(stopped[3]))
        moved = np.zeros_like(buffer)
        moved[:, :, :reach] = buffer[:, :, CHUNK:]
        state = (moved, stopped)
    return out[:, :count], None


def _by_step(eta: np.ndarray) -> np.ndarray:
    """(sample, step[, neuron]) -> (step, sample, 1[, neuron]); what is undefined becomes 0."""
    return np.moveaxis(np.nan_to_num(eta), 1, 0)[:, :, None]


def _pad(tree: Any, extra: int) -> Any:
    """Adds rows of zeros, which are kept bins."""
    return jax.tree.map(
        lambda a: np.concatenate([a, np.zeros((extra, *a.shape[1:]), a.dtype)]), tree
    )


def _chunk(
    structure: Structure,
    named: tuple[tuple[str, int], ...],
    carry: Any,
    given: Any,
    rows: Any,
    key: Any,
) -> Any:
    """Draws the bins of one chunk; `carry` holds the past, the new bins, and where it ran away."""
    samples, sources, length = carry[0].shape
    reach = length - CHUNK

    def step(carry: Any, row: Any) -> Any:
        buffer, stopped = carry
        place = row["step"] % CHUNK + reach
        past = []
        for kernel, lags, before in zip(
            given["kernels"], given["lags"], row["before"], strict=True
        ):
            size = (samples, sources, kernel.shape[0])
            window = lax.dynamic_slice(buffer, (0, 0, place - lags[0]), size)
            inside = (lags <= before)[None, None, :]
            filtered = jnp.einsum("dsw,wk->dsk", jnp.where(inside, window, 0.0), kernel)
            past.append(filtered.reshape(samples, -1))
        etas = dict(row["etas"])
        for i, (name, loop) in enumerate(named):
            added = _add(past[loop], given["values"][i], row["columns"][i], row["index"][i])
            etas[name] = etas[name] + (added[:, None] if structure.population else added)
        known = response_rows(structure, row["known"])
        values = parameters(structure, etas, given["scalars"])
        mean = structure.family.mean(values["mu"], values, known).reshape(samples, sources)
        away = ~(jnp.abs(mean) <= given["limit"])
        worst = jnp.argmax(away)
        now = row["drawn"] & away.any() & ~stopped[0]
        new = lax.cond(
            row["drawn"] & ~away.any() & ~stopped[0],
            lambda: _draw(structure, values, known, jax.random.fold_in(key, row["step"]), mean),
            lambda: jnp.broadcast_to(row["kept"][None], (samples, sources)),
        )
        found = (True, row["step"], worst, mean.reshape(-1)[worst])
        stopped = tuple(jnp.where(now, a, b) for a, b in zip(found, stopped, strict=True))
        return (lax.dynamic_update_slice(buffer, new[:, :, None], (0, 0, place)), stopped), None

    return lax.scan(step, carry, rows)[0]


def _add(past: Any, values: Any, columns: Any, index: Any) -> Any:
    """Returns what one part adds, shape (sample, neuron or 1)."""
    picked = values[:, index]
    if index.shape[0] == 1:
        return jnp.einsum("dc,dmcn,m->dn", past, picked[:, 0], columns)
    return jnp.einsum("dc,dnmc,m->dn", past, picked[..., 0], columns)


def _draw(structure: Structure, values: Any, known: Any, key: Any, mean: Any) -> Any:
    drawn = observe(structure.family, values, known).sample(key)
    return jnp.broadcast_to(drawn, jnp.shape(values["mu"])).reshape(mean.shape).astype(float)
