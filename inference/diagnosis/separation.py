"""Fitted probabilities or rates that are 0 or 1 to within rounding."""

from __future__ import annotations

import numpy as np

from ...errors import listing
from ...zoo.family import BINARY, COUNT
from ..diagnostic import Diagnostic, Evidence
from ..escape import escaping

LIMITS = {"logit": 15.0, "probit": 6.0, "cloglog": 15.0, "log": 18.0}
"""Linear predictors beyond these, by link, say 0 or 1 (for counts: below minus this, 0)."""
LARGE = 20_000_000
"""Responses that a further pass would take too long over."""


def _find(evidence: Evidence) -> list[str]:
    fit = evidence.fit
    spec = fit.model.spec
    if fit.backend.frequentist:  # these name the coefficients themselves
        return []
    parameters = [predictor.parameter for predictor in spec.schema.predictors]
    names = [n for p in parameters for n in (*spec.coefficient_names(p)[0], *spec.own_names(p)[0])]
    prior = spec.prior
    escaped = escaping(fit.model.problem)
    if escaped:
        return [
            f"{listing([f'`{n}`' for n in escaped], 5)} run to infinity: they separate the outcomes, "
            "so the likelihood has no maximum, and flat priors do not hold them. Give proper priors "
            "(the default ones are) or join levels."
        ]
    if all(prior[name].name != "Flat" for name in names):
        return []  # proper priors say how far, which is sound
    link = dict(spec.links)["mu"]
    limit = LIMITS.get(link)
    if limit is None or spec.family.support not in (BINARY, COUNT):
        return []
    if fit.model.design.response["y"].size > LARGE:
        return []
    eta = fit.mean_linear_predictor()
    low, high = np.nanmin(eta), np.nanmax(eta)
    extreme = eta < -limit if spec.family.support is COUNT and link == "log" else abs(eta) > limit
    if not extreme.any() or high - low < limit:
        return []
    return [
        f"some predictors separate the outcomes: the linear predictor runs to {low:.0f} or "
        f"{high:.0f}, where the likelihood is flat, so the estimate is set by rounding and not by data "
        f"({int(extreme.sum()):,} rows). Give proper priors (the default ones are) or join levels."
    ]


SEPARATION = Diagnostic("separation", _find, 60)
