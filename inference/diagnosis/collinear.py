"""Terms that are nearly combinations of others (exact ones are refused before the fit).

With P the inverse of the correlation matrix of the columns, P_jj is what the variance of coefficient j
is multiplied by because of the other columns, and -P_jk / P_jj are the weights of column j's regression
on them. Columns of one term, such as a basis, may overlap as they like.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...formula.features import Features, moments
from ...formula.schema import TermSchema
from ..diagnostic import Diagnostic, Evidence

INFLATION = 1000.0
"""Variances that are so many times larger than without the other columns are worth a word."""
WIDEST = 500
"""More columns than this are not looked at, because every fit is diagnosed."""
SHOWN = 4
SMALL = 0.05
"""Columns of a smaller weight, in standard deviations and beside the largest one, are not named."""


def _find(evidence: Evidence) -> list[str]:
    model = evidence.fit.model
    findings = []
    for predictor in model.spec.schema.predictors:
        arrays = model.design.predictors[predictor.parameter]
        for terms, features, intercept in (
            (predictor.terms, arrays.shared, predictor.intercept),
            (predictor.own, arrays.own, predictor.own_intercept),
        ):
            columns = features.shape[1]
            if 1 < columns <= WIDEST and columns + intercept <= features.shape[0]:
                findings += _combinations(terms, features, intercept)
    return findings


def _combinations(terms: Sequence[TermSchema], features: Features, intercept: bool) -> list[str]:
    names = [name for term in terms for name in term.column_names]
    owners = np.repeat(np.arange(len(terms)), [term.size for term in terms])
    found = moments(features)
    cross = found.covariance + (0.0 if intercept else np.outer(found.means, found.means))
    size = np.sqrt(np.maximum(np.diag(cross), 1e-300))
    inverse = _inverse(cross / np.outer(size, size))
    findings = []
    while True:
        inflation = np.diag(inverse).copy()
        j = int(np.argmax(inflation))
        if not inflation[j] > INFLATION:
            return findings
        weights = -inverse[j] / inflation[j]
        weights[j] = 0.0
        if np.any((owners != owners[j]) & (abs(weights) > SMALL * abs(weights).max())):
            findings.append(_sentence(names, j, weights, size, inflation[j]))
        inverse = inverse - np.outer(inverse[:, j], inverse[j]) / inflation[j]  # without column j
        inverse[j] = inverse[:, j] = 0.0


def _inverse(correlation: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(correlation)
    return (vectors / np.maximum(values, 1e-15)) @ vectors.T


def _sentence(
    names: Sequence[str], j: int, weights: np.ndarray, size: np.ndarray, inflation: float
) -> str:
    order = np.argsort(-abs(weights))
    strong = [k for k in order if abs(weights[k]) > SMALL * abs(weights[order[0]])]
    parts = [f"{weights[k] * size[j] / size[k]:.3g} `{names[k]}`" for k in strong[:SHOWN]]
    parts += [f"{len(strong) - SHOWN} more"] if len(strong) > SHOWN else []
    return (
        f"`{names[j]}` is nearly a combination of other columns ({' + '.join(parts)}, apart from a "
        f"constant; R2 = {1 - 1 / inflation:.9g}), so their separate effects are known "
        f"{np.sqrt(inflation):.0f} times less well than one of them alone. Leave one out, join them, "
        "or, where it is a product or a power, centre its parts: center(x)."
    )


COLLINEAR = Diagnostic("collinear", _find, 57)
