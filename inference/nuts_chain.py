"""A Markov chain while it is sampled: its state, its draws, and both as named arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from .nuts_program import Static, empty_state

Tree = dict[str, dict[str, np.ndarray]]


@dataclass(eq=False)
class Chain:
    """A chain.

    Attributes:
        key: from which it draws.
        raw: where it starts.
        variance: a guess of the variance of every coordinate.
        state: the sampler's state, after `done` iterations.
        done: iterations so far, warm-up among them.
        pieces: `natural` and `stats` of successive draws, each array (draw, ...).
    """

    key: np.ndarray
    raw: Mapping[str, np.ndarray]
    variance: Mapping[str, np.ndarray]
    state: Any
    done: int = 0
    pieces: tuple[Tree, ...] = field(default=())

    def moved(self, state: Any, count: int, piece: Tree | None) -> Chain:
        """Returns the chain after some more iterations."""
        pieces = self.pieces if piece is None else (*self.pieces, piece)
        return Chain(self.key, self.raw, self.variance, state, self.done + count, pieces)

    @property
    def draws(self) -> Tree:
        """All draws, joined; nothing where there are none."""
        if not self.pieces:
            return {}
        return jax.tree.map(lambda *parts: np.concatenate(parts), *self.pieces)

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """Returns the chain as arrays whose names begin with a prefix."""
        out: dict[str, Any] = {f"{prefix}.done": self.done, f"{prefix}.key": self.key}
        trees = {"raw": self.raw, "variance": self.variance, **self.draws}
        for kind, values in trees.items():
            out |= {f"{prefix}.{kind}.{name}": array for name, array in values.items()}
        for i, leaf in enumerate(jax.tree.leaves(self.state)):
            out[f"{prefix}.state.{i}"] = leaf
        return {name: np.asarray(array) for name, array in out.items()}


def start(static: Static, seed: int, index: int, raw: Any, variance: Any) -> Chain:
    """Returns a chain before its first iteration."""
    key = np.random.default_rng([seed, index, 5]).integers(0, 2**32, size=2, dtype=np.uint32)
    return Chain(key, raw, variance, empty_state(static, raw))


def restore(blank: Chain, arrays: Mapping[str, np.ndarray], prefix: str) -> Chain:
    """Returns the chain that `Chain.arrays` has put down.

    Args:
        blank: a chain of the same model, for its shapes.
        arrays: the arrays.
        prefix: as it was given.

    Raises:
        ValueError: the arrays are not those of a chain of this model.
        KeyError: some are missing.
    """

    def alike(name: str, model: Any) -> np.ndarray:
        array = arrays[f"{prefix}.{name}"]
        if array.shape != np.shape(model) or array.dtype != np.asarray(model).dtype:
            raise ValueError(name)
        return array

    raw = {name: alike(f"raw.{name}", model) for name, model in blank.raw.items()}
    variance = {name: alike(f"variance.{name}", model) for name, model in blank.variance.items()}
    leaves, tree = jax.tree.flatten(blank.state)
    state = jax.tree.unflatten(tree, [alike(f"state.{i}", leaf) for i, leaf in enumerate(leaves)])
    draws: Tree = {}
    for kind in ("natural", "stats"):
        start = f"{prefix}.{kind}."
        found = {
            name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)
        }
        draws |= {kind: found} if found else {}
    key = alike("key", blank.key)
    done = int(arrays[f"{prefix}.done"])
    return Chain(key, raw, variance, state, done, (draws,) if draws else ())
