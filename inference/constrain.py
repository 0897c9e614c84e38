"""Raw draws -> natural parameters, in one compiled program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ..zoo.density import Raw, natural
from .backend import Problem
from .programs import double_precision, program

PIECE = 250


def constrain(problem: Problem, raw: Raw, seed: Any = None) -> dict[str, np.ndarray]:
    """Returns natural parameters of raw draws.

    Args:
        problem: what there is to fit.
        raw: sites with one leading dimension (sample).
        seed: for drawing what the model integrates out; None puts it at its mode given the rest.

    Returns:
        Generic name -> array with dimensions (1, sample, ...): one chain.
    """
    structure = problem.structure
    total = len(next(iter(raw.values())))
    generator = np.random.default_rng(seed)
    keys = generator.integers(0, 2**32, size=(total, 2), dtype=np.uint32)

    def function(raw: Any, keys: Any, design: Any, numbers: Any) -> Any:
        def one(given: Any) -> Any:
            site, key = given
            key = None if seed is None else key
            return natural(structure, site, design, numbers, key, mode=seed is None)

        if structure.marginal is not None and not structure.marginal.exact:
            return jax.lax.map(one, (raw, keys))
        return jax.vmap(one)((raw, keys))

    size = PIECE if total > 1 else 1
    parts = []
    for start in range(0, total, size):
        picked = np.minimum(np.arange(start, start + size), total - 1)
        piece = {name: np.asarray(array)[picked] for name, array in raw.items()}
        arguments = (piece, keys[picked], problem.design, problem.numbers)
        compiled = program("constrain", f"{structure.key} {seed is None}", function, arguments)
        with double_precision():
            out = compiled(*arguments)
        parts.append(_first(out, min(size, total - start)))
    joined = jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)
    return trim(problem, {name: array[None] for name, array in joined.items()})


def _first(tree: dict[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    return {name: np.asarray(array)[:count] for name, array in tree.items()}


def trim(problem: Problem, drawn: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Cuts group effects (chain, draw, group, effect) to the groups that there are."""
    out = dict(drawn)
    for predictor in problem.spec.schema.predictors:
        for i, group in enumerate(predictor.groups):
            site = f"{predictor.parameter}.group{i}.effects"
            if site in out:
                out[site] = out[site][:, :, : len(group.levels)]
    return out
