"""What is to vary between groups but does not vary within any; levels of which no row counts."""

from __future__ import annotations

import numpy as np

from ...errors import listing
from ...formula.terms import INTERCEPT
from ..diagnostic import Diagnostic, Evidence

LARGEST = 5_000_000
"""Numbers that are looked through, because every fit is diagnosed."""
EQUAL = 1e-10


def _within(evidence: Evidence) -> list[str]:
    model = evidence.fit.model
    findings = []
    for predictor in model.spec.schema.predictors:
        arrays = model.design.predictors[predictor.parameter].groups
        for group, design in zip(predictor.groups, arrays, strict=True):
            names = group.effect_names
            alone = INTERCEPT not in names or len(names) < 2 or design.index.ndim != 1
            if alone or design.effects.size > LARGEST:
                continue
            for k, name in enumerate(names):
                column = design.effects[:, k]
                if name != INTERCEPT and not _varies(column, design.index, len(group.levels)):
                    findings.append(
                        f"`{name}` is the same in all rows of each `{group.term.group}`, so how its "
                        "effect varies between them cannot be told from how the intercept does. Write "
                        f"`(1 | {group.term.group})`, with `{name}` among the common terms."
                    )
    return findings


def _varies(column: np.ndarray, index: np.ndarray, groups: int) -> bool:
    """Whether a column takes two values within any group."""
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(low, index, column)
    np.maximum.at(high, index, column)
    filled = high >= low
    return bool(np.any((high - low)[filled] > EQUAL * np.abs(column).max()))


def _weightless(evidence: Evidence) -> list[str]:
    model = evidence.fit.model
    weights = model.design.response.get("weights")
    if weights is None or (weights > 0).all():
        return []
    counted, empty = np.flatnonzero(weights > 0), []
    for predictor in model.spec.schema.predictors:
        features = model.design.predictors[predictor.parameter].shared
        if not 0 < features.shape[1] * len(counted) <= LARGEST:
            continue
        nothing = np.atleast_1d(~features.take(counted).any(axis=0))
        empty += [f"`{n}`" for n, bare in zip(predictor.column_names, nothing, strict=True) if bare]
    if not empty:
        return []
    return [
        f"{listing(empty, 5)}: all rows have the weight 0, so there are no data and the priors alone "
        "decide. Leave these rows out of the data, or join levels."
    ]


UNVARIED = Diagnostic("unvaried", _within, 58)
WEIGHTLESS = Diagnostic("weightless", _weightless, 59)
