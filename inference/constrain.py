"""Raw draws -> natural parameters, in one compiled program."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ..zoo.density import Raw, natural
from .backend import Problem
from .programs import double_precision, program

PIECE = 250


def constrain(problem: Problem, raw: Raw) -> dict[str, np.ndarray]:
    """Returns natural parameters of raw draws.

    Args:
        problem: what there is to fit.
        raw: sites with one leading dimension (sample).

    Returns:
        Generic name -> array with dimensions (1, sample, ...): one chain.
    """
    structure = problem.structure
    total = len(next(iter(raw.values())))

    def function(raw: Any, design: Any, numbers: Any) -> Any:
        return jax.vmap(lambda one: natural(structure, one, design, numbers))(raw)

    size = PIECE if total > 1 else 1
    parts = []
    for start in range(0, total, size):
        picked = np.minimum(np.arange(start, start + size), total - 1)
        piece = {name: np.asarray(array)[picked] for name, array in raw.items()}
        arguments = (piece, problem.design, problem.numbers)
        compiled = program("constrain", structure.key, function, arguments)
        with double_precision():
            out = compiled(*arguments)
        parts.append(_first(out, min(size, total - start)))
    joined = jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)
    return {name: array[None] for name, array in joined.items()}


def _first(tree: dict[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    return {name: np.asarray(array)[:count] for name, array in tree.items()}
