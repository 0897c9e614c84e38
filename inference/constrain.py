"""Raw draws -> natural parameters, in one compiled program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from ..zoo.density import Raw, natural
from .backend import Problem
from .later import Later
from .programs import double_precision, program

PIECE = 250


def constrain(problem: Problem, raw: Raw, seed: Any = None) -> Mapping[str, np.ndarray]:
    """Returns natural parameters of raw draws.

    Args:
        problem: what there is to fit.
        raw: sites with one leading dimension (sample).
        seed: for drawing what the model integrates out; None puts it at its mode given the rest.

    Returns:
        Generic name -> array with dimensions (1, sample, ...): one chain. Draws of effects that
        Laplace's method integrates out are made when they are first read.
    """
    structure = problem.structure
    if structure.marginal is None or seed is None:
        return _constrain(problem, raw, seed, True)
    how = structure.marginal
    if how.exact:
        return _constrain(problem, raw, seed, True)
    sites = tuple(
        f"{site}.effects"
        for part in (how.order.chain, how.order.dense)
        for sites in part
        for site in sites
    )
    return Later(
        _constrain(problem, raw, seed, False), sites, lambda: _constrain(problem, raw, seed, True)
    )


def _constrain(problem: Problem, raw: Raw, seed: Any, effects: bool) -> dict[str, np.ndarray]:
    structure = problem.structure
    total = len(next(iter(raw.values())))
    generator = np.random.default_rng(seed)
    keys = generator.integers(0, 2**32, size=(total, 2), dtype=np.uint32)

    def function(raw: Any, keys: Any, design: Any, numbers: Any) -> Any:
        def one(given: Any) -> Any:
            site, key = given
            key = key if effects and seed is not None else None
            return natural(structure, site, design, numbers, key, mode=effects and seed is None)

        if effects and structure.marginal is not None and not structure.marginal.exact:
            return jax.lax.map(one, (raw, keys))
        return jax.vmap(one)((raw, keys))

    size = 1 if total == 1 else PIECE if effects else 4 * PIECE
    parts = []
    for start in range(0, total, size):
        picked = np.minimum(np.arange(start, start + size), total - 1)
        piece = {name: np.asarray(array)[picked] for name, array in raw.items()}
        arguments = (piece, keys[picked], problem.design, problem.numbers)
        compiled = program(
            "constrain", f"{structure.key} {seed is None} {effects}", function, arguments
        )
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
