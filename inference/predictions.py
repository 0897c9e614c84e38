"""Predictions as a table: what is expected of every row, with bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .evaluate import BLOCK, require_squares
from .options import number
from .point import point_values
from .predict import Question, ask, group_effects

if TYPE_CHECKING:
    from .fit import Fit

NOISE = 1000
"""Responses drawn of each row for a predictive interval, where a method gives a single estimate."""


def predictions(
    fit: Fit,
    data: Any = None,
    kind: str = "mean",
    groups: str = "fitted",
    prob: float = 0.95,
    seed: int = 0,
    draws: int | None = None,
) -> pd.DataFrame:
    """Predicts every row, with an interval.

    The interval of `mean` and `linear` is about the expected response or the linear predictor; that of
    `response` is predictive: it holds a new response with the probability.

    Args:
        fit: the fit.
        data: new data in any form that Model takes; None for the training rows.
        kind: `mean`, `response` or `linear`, as in `predict`.
        groups: `fitted`, `population` or `new`, as in `predict`.
        prob: probability of the equal-tailed interval.
        seed: for `response` and for new groups.
        draws: how many draws of each chain to use; None for all.

    Returns:
        One row per row of the data (and neuron): `obs`, the position of the row; `time` (s) where the
        data have a time axis; the neuron where the response has several; `mean`, `sd`, `lower`,
        `upper`. For frequentist fits `mean` is the prediction at the estimates and the spread that of
        the estimator. "map" has no spread but that of the noise, for `response`. Rows of which a
        predictor is missing are NaN.

    Raises:
        OptionError: an unknown kind, or prob is not between 0 and 1.
        LevelError: a group or level was not in training (with `groups="fitted"`).

    Example:
        >>> fit.predictions({"Days": [0, 9], "Subject": [308, 308]})  # doctest: +SKIP
    """
    number("prob", prob, 0.0, 1.0)
    question = ask(fit, data, kind, groups, draws, seed)
    found = [_summary(fit, part, groups, prob, [seed, start]) for start, part in _parts(question)]
    values = np.concatenate(found, axis=1)
    return _table(fit, question, values)


def _parts(question: Question) -> Iterator[tuple[int, Question]]:
    """Cuts the rows into blocks, so that draws times rows never exist as a whole."""
    design = question.design
    samples = max(len(next(iter(question.flat.values()))), NOISE)
    size = max(1, BLOCK // (samples * max(design.neurons, 1)))
    if design.size <= size:
        yield 0, question
        return
    for start in range(0, design.size, size):
        count = min(size, design.size - start)
        yield start, replace(question, design=design.part(start, count))


def _summary(fit: Fit, question: Question, groups: str, prob: float, seed: list[int]) -> np.ndarray:
    """Returns mean, sd, lower and upper, shape (4, obs[, neuron])."""
    flat, response = question.flat, question.kind == "response"
    expected = question.answer(flat, seed, "mean" if response else "")
    what = "the linear predictor" if question.kind == "linear" else "the predicted mean"
    require_squares(what, expected, question.design.rows)
    centre = expected.mean(axis=0)
    unseen = any(g.unseen for p in question.design.predictors.values() for g in p.groups)
    if fit.backend.frequentist and not (unseen and groups == "new"):
        _, point = group_effects(
            question.structure, question.design, point_values(fit), groups, seed[0]
        )
        centre = question.answer(point, seed, "mean" if response else "")[0]
        require_squares(what, centre[None], question.design.rows)
    spread = expected
    if response:
        few = len(expected) if not fit.backend.point else NOISE
        spread = question.answer(
            {n: np.resize(a, (few, *a.shape[1:])) for n, a in flat.items()}, seed
        )
    if len(spread) < 2:
        return np.stack([centre, *[np.full_like(centre, np.nan)] * 3])
    tail = (1 - prob) / 2
    bounds = np.quantile(spread, [tail, 1 - tail], axis=0)
    return np.stack([centre, spread.std(axis=0, ddof=1), *bounds])


def _table(fit: Fit, question: Question, values: np.ndarray) -> pd.DataFrame:
    design, neurons = question.design, fit.model.spec.schema.neurons
    count = 1 if neurons is None else len(neurons.labels)
    columns: dict[str, Any] = {"obs": np.repeat(design.rows, count)}
    if design.time is not None:
        columns["time"] = np.repeat(design.time, count)
    if neurons is not None:
        columns[neurons.dim] = list(neurons.labels) * design.size
    names = ("mean", "sd", "lower", "upper")
    columns |= {n: v.ravel() for n, v in zip(names, values, strict=True)}
    return pd.DataFrame(columns)
