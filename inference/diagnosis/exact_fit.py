"""Responses without noise: all equal, or reproduced by the predictors."""

from __future__ import annotations

from ...errors import listing
from ..diagnostic import Diagnostic, Evidence
from ..noiseless import noiseless


def _find(evidence: Evidence) -> list[str]:
    model = evidence.fit.model
    how = noiseless(model.problem)
    if not how:
        return []
    names = listing(f"`{parameter.name}`" for parameter in model.spec.family.parameters)
    return [
        f"{how}, so there is no noise to measure: {names} cannot be estimated, and standard errors and "
        "intervals mean nothing. Look for a predictor that holds the response."
    ]


EXACT_FIT = Diagnostic("exact_fit", _find, 5)
