"""Fits of several models by one method: problems that look alike share a program."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .backend import Backend, Draws, Problem
from .fit import Fit
from .model import Model
from .padding import padded
from .run import Run

Answer = tuple[Draws | Exception, float]
"""What a backend returned for one problem, or the error, and the seconds that it took."""


def fit_models(models: Sequence[Model], runs: Sequence[Run]) -> list[Fit | Exception]:
    """Fits models by one method, in array shapes of which there are few.

    Args:
        models: the models.
        runs: for each of them the method; backend and settings are those of the first.

    Returns:
        For each model its fit, or the error that it met.
    """
    if not models:
        return []
    problems = [padded(model.problem) for model in models]
    answers = _answers(runs[0].backend, runs[0].settings, problems, [run.seed for run in runs])
    return [
        found if isinstance(found, Exception) else model.fitted(run, found, seconds)
        for model, run, (found, seconds) in zip(models, runs, answers, strict=True)
    ]


def _answers(
    backend: Backend, settings: Any, problems: Sequence[Problem], seeds: Sequence[int]
) -> list[Answer]:
    def one(position: int) -> Answer:
        started = time.perf_counter()
        found = _attempt(lambda: backend.run(settings, problems[position], seeds[position], False))
        return found, time.perf_counter() - started

    every = range(len(problems))
    if backend.many is not None:
        return _in_lock_step(backend, settings, problems, seeds, one)
    if not backend.sampled:  # libraries that are not safe in threads, and hardly quicker for them
        return [one(i) for i in every]
    processors = os.cpu_count() or 1
    workers = max(1, processors // settings.chains)
    with ThreadPoolExecutor(min(workers, len(problems))) as pool:
        return list(pool.map(one, every))


def _in_lock_step(
    backend: Backend, settings: Any, problems: Any, seeds: Any, one: Any
) -> list[Answer]:
    """Runs problems of one structure together, without refused ones; one by one where that fails."""
    many, refuse = backend.many, backend.refuse
    assert many is not None
    groups: dict[str, list[int]] = {}
    answers: dict[int, Answer] = {}
    for i, problem in enumerate(problems):
        refusal = refuse and _attempt(lambda p=problem: refuse(p))
        if refusal is None:
            groups.setdefault(problem.structure.key, []).append(i)
        else:
            answers[i] = (refusal, 0.0)
    for places in groups.values():
        started = time.perf_counter()
        chosen, given = [problems[i] for i in places], [seeds[i] for i in places]
        drawn = _attempt(lambda p=chosen, s=given: many(settings, p, s, False))
        seconds = (time.perf_counter() - started) / len(places)
        if isinstance(drawn, Exception):
            answers |= {i: one(i) for i in places}
        else:
            answers |= {i: (each, seconds) for i, each in zip(places, drawn, strict=True)}
    return [answers[i] for i in range(len(problems))]


def _attempt(action: Any) -> Any:
    """Returns what an action returns, or the error that it raises."""
    try:
        return action()
    except Exception as error:
        return error
