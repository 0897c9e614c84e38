"""The course of an SVI fit: stages of falling step size, and its state between two calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from .programs import double_precision
from .progress import Progress

CHUNK = 250
"""Steps of one call of the program."""


@dataclass(eq=False)
class Climb:
    """How far a fit has come.

    Attributes:
        params: the guide's parameters now.
        moments: the optimiser's two running means, each like `params`.
        count: steps so far, as the optimiser counts them.
        chunk: calls so far.
        stage: which step size it is at.
        finished: the ELBO of the stages before, one array per call.
        elbos: the ELBO of this stage, one array per call.
        averages: the mean parameters of the later half of this stage's calls, as they come.
        average: the mean parameters of the stage before.
        converged: whether every stage ended because the ELBO had levelled.
    """

    params: Any
    moments: tuple[Any, Any]
    count: np.ndarray
    average: Any
    chunk: int = 0
    stage: int = 0
    finished: list[np.ndarray] = field(default_factory=list)
    elbos: list[np.ndarray] = field(default_factory=list)
    averages: list[Any] = field(default_factory=list)
    converged: bool = True

    def end_stage(self, levelled: bool) -> None:
        """Goes on to the next step size."""
        if self.averages:
            half = self.averages[len(self.averages) - (len(self.elbos) + 1) // 2 :]
            self.average = jax.tree.map(lambda *parts: np.mean(parts, axis=0), *half)
        self.converged &= levelled
        self.finished += self.elbos
        self.elbos, self.averages = [], []
        self.stage += 1

    @property
    def trace(self) -> np.ndarray:
        """The ELBO of every step."""
        parts = self.finished + self.elbos
        return np.concatenate(parts) if parts else np.zeros(0)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the state as named arrays."""
        out: dict[str, Any] = {
            name: getattr(self, name) for name in ("count", "chunk", "stage", "converged")
        }
        out |= {"done": self.trace, "calls": len(self.finished)}
        trees = {"params": self.params, "first": self.moments[0], "second": self.moments[1]}
        trees |= {"average": self.average}
        trees |= {f"averages.{i}": tree for i, tree in enumerate(self.averages)}
        for name, tree in trees.items():
            out |= {f"{name}:{i}": leaf for i, leaf in enumerate(jax.tree.leaves(tree))}
        return {name: np.asarray(array) for name, array in out.items()}


def restore(blank: Climb, arrays: Mapping[str, np.ndarray]) -> Climb:
    """Returns the state that `Climb.arrays` has put down.

    Args:
        blank: a state of the same model, for its shapes.
        arrays: the arrays.

    Raises:
        ValueError: the arrays are not those of this model.
        KeyError: some are missing.
    """
    leaves, tree = jax.tree.flatten(blank.params)

    def read(name: str) -> Any:
        found = [arrays[f"{name}:{i}"] for i in range(len(leaves))]
        if any(
            a.shape != b.shape or a.dtype != b.dtype for a, b in zip(found, leaves, strict=True)
        ):
            raise ValueError(name)
        return jax.tree.unflatten(tree, found)

    calls = np.split(arrays["done"], range(CHUNK, len(arrays["done"]), CHUNK))
    calls = calls if len(arrays["done"]) else []
    finished = int(arrays["calls"])
    kept = sum(name.startswith("averages.") and name.endswith(":0") for name in arrays)
    return Climb(
        read("params"),
        (read("first"), read("second")),
        arrays["count"],
        read("average"),
        int(arrays["chunk"]),
        int(arrays["stage"]),
        calls[:finished],
        calls[finished:],
        [read(f"averages.{i}") for i in range(kept)],
        bool(arrays["converged"]),
    )


def climb(
    state: Climb,
    step: Callable[..., Any],
    step_sizes: Sequence[float],
    max_steps: int,
    seed: int,
    stop: threading.Event,
    bar: Progress,
    look: Callable[[], None],
) -> bool:
    """Goes through the stages, until the last one has ended or `stop` is set.

    Args:
        state: where it is, which moves.
        step: (params, moments, key, count, step size) -> the same after `CHUNK` steps, the mean of the
            parameters, and the ELBO of each step.
        step_sizes: of the stages.
        max_steps: an upper bound, all stages together.
        seed: of the draws from the guide.
        stop: ends the fit early.
        bar: counts the steps.
        look: called after each call of the program, with a state that one can go on from.

    Returns:
        Whether it came to the end.
    """
    while state.stage < len(step_sizes):
        if levelled(state.elbos):
            state.end_stage(True)
        elif (state.chunk + 1) * CHUNK > max_steps:
            state.end_stage(False)
        elif stop.is_set():
            return False
        else:
            chunk = state.chunk + 1
            key = np.random.default_rng([seed, 11, chunk]).integers(0, 2**32, 2, dtype=np.uint32)
            size = np.asarray(step_sizes[state.stage])
            with double_precision():
                out = step(state.params, state.moments, key, state.count, size)
            state.params, state.moments, state.count, mean, elbo = jax.tree.map(np.asarray, out)
            state.chunk = chunk
            state.elbos.append(elbo)
            half = (len(state.elbos) + 1) // 2
            state.averages = [*state.averages, mean][-half:]
            bar.advance(CHUNK)
            look()
    return True


def levelled(stage: Sequence[np.ndarray]) -> bool:
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
