"""NUTS: NumPyro's sampler as one compiled program per model structure, chains as threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import jax
import numpy as np

from ...errors import OptionError, shown
from ...zoo.structure import Structure
from .. import interrupt
from ..backend import Backend, Draws, Problem
from ..checkpoint import damaged
from ..constrain import trim
from ..escape import refuse_improper
from ..launch import blind, launch
from ..layout import lay_out
from ..marginalise import marginalise
from ..nuts_chain import Chain, restore, start
from ..nuts_program import CHUNK, Static, programs
from ..options import number, whole
from ..programs import double_precision
from ..progress import Progress


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

    Raises:
        Interrupted: Ctrl-C came after warm-up; it carries the draws until then.
        FitError: the posterior is improper.
    """
    refuse_improper(problem, "nuts")
    problem = marginalise(problem, settings.marginalize, coefficients=True)
    if problem.structure.marginal is None:
        problem = lay_out(problem)
    settings = _with_target(settings, problem.structure)
    static = (settings.tune, settings.target_accept, settings.max_tree_depth, settings.dense_mass)
    with ThreadPoolExecutor(1) as pool:  # compiles while the starting points are sought
        compiled = pool.submit(programs, static, problem)
        chains = _chains(settings, static, problem, seed)
        step, convert = compiled.result()
    total = settings.tune + settings.draws
    saved = problem.checkpoint
    bar = Progress("sampling", sum(max(total - chain.done, 1) for chain in chains), progress)

    def snapshot() -> dict[str, np.ndarray]:
        found = [chain.arrays(str(i)) for i, chain in enumerate(chains)]
        return {name: array for arrays in found for name, array in arrays.items()}

    def sample(index: int, stop: threading.Event) -> None:
        pace = interrupt.Pace(CHUNK)
        while (chain := chains[index]).done < total and not stop.is_set():
            warm = chain.done >= settings.tune
            count = pace.next((total if warm else settings.tune) - chain.done)
            rest = (problem.design, problem.numbers, np.asarray(count))
            with double_precision():
                fresh = np.asarray(chain.done == 0)
                state, (states, stats) = step(
                    fresh, chain.key, chain.raw, chain.variance, chain.state, *rest
                )
                drawn = {"natural": convert(states, *rest), "stats": stats} if warm else None
            piece = jax.tree.map(lambda a, n=count: np.asarray(a)[:n], drawn)
            chains[index] = chain.moved(jax.tree.map(np.asarray, state), count, piece)
            pace.done()
            bar.advance(count)
            if saved is not None:
                saved.offer(snapshot)

    if saved is not None:
        saved.start(snapshot)
    workers = min(settings.chains, os.cpu_count() or 1)
    tasks = [partial(sample, i) for i in range(settings.chains)]
    _, early = interrupt.together(tasks, workers)
    bar.close()
    if saved is not None:
        saved.offer(snapshot, force=True)
    return _early(settings, problem, chains) if early else _gather(settings, problem, chains)


def _chains(settings: Settings, static: Static, problem: Problem, seed: int) -> list[Chain]:
    """Returns the chains as a check-point left them, or before their first iteration."""
    arrays = None if problem.checkpoint is None else problem.checkpoint.arrays
    begun = (blind if arrays else launch)(problem, seed, settings.chains)
    fresh = [start(static, seed, i, raw, begun.variance) for i, raw in enumerate(begun.raw)]
    if not arrays:
        return fresh
    try:
        return [restore(chain, arrays, str(i)) for i, chain in enumerate(fresh)]
    except (KeyError, ValueError):
        raise damaged(problem.checkpoint) from None


def _gather(settings: Settings, problem: Problem, chains: Sequence[Chain]) -> Draws:
    """Returns the draws of all chains, as many as are asked for."""
    each = [jax.tree.map(lambda a: a[: settings.draws], chain.draws) for chain in chains]
    stacked = jax.tree.map(lambda *parts: np.stack(parts), *each)
    notes = () if problem.checkpoint is None else problem.checkpoint.notes
    return Draws(trim(problem, stacked["natural"]), stacked["stats"], notes=notes)


def _early(settings: Settings, problem: Problem, chains: Sequence[Chain]) -> Draws:
    """Raises what was drawn until Ctrl-C came; returns it where that is all."""
    lengths = [min(max(chain.done - settings.tune, 0), settings.draws) for chain in chains]
    chosen, draws = interrupt.rectangle(lengths)
    if not chosen:
        raise KeyboardInterrupt
    kept = _gather(replace(settings, draws=draws), problem, [chains[i] for i in chosen])
    if len(chosen) == settings.chains and draws == settings.draws:
        return kept
    extent = f"{draws:,} of {settings.draws:,} draws of {len(chosen)} of {settings.chains} chains"
    note = interrupt.sentence(extent, problem.checkpoint and problem.checkpoint.path)
    raise interrupt.Interrupted(replace(kept, notes=(note, *kept.notes)))


def _with_target(settings: Settings, structure: Structure) -> Settings:
    """Chooses a careful step size where scales and effects of groups are sampled together."""
    if settings.target_accept is not None:
        return settings
    sampled = bool(structure.groups) and structure.marginal is None
    return replace(settings, target_accept=0.9 if sampled else 0.8)


NUTS = Backend(
    "nuts",
    Settings,
    run,
    sampled=True,
    story="Hamiltonian Monte Carlo, NumPyro's NUTS.",
    lengths=("draws",),
)
