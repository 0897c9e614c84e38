"""Standard deviations of groups that an optimiser put at zero."""

from __future__ import annotations

import numpy as np

from ..diagnostic import Diagnostic, Evidence
from ..summary import draws_by_name

SMALL = 1e-2
"""A standard deviation this small beside a plausible one is zero."""


def _find(evidence: Evidence) -> list[str]:
    fit = evidence.fit
    if not (fit.backend.point or fit.backend.frequentist):
        return []
    named = draws_by_name(fit.model.spec, fit.draws.natural)
    guesses = fit.model.guesses()
    zero = [
        f"`{name}`"
        for name, guess in guesses.items()
        if name in named and np.nanmax(named[name]) < SMALL * guess
    ]
    if not zero:
        return []
    where = "is at its" if len(zero) == 1 else "are at their"
    return [
        f"{', '.join(zero)} {where} boundary of zero (a singular fit): the data show no spread there "
        'beyond noise. Leave the effect out, or use "nuts", which averages over its uncertainty.'
    ]


BOUNDARY = Diagnostic("boundary", _find, 50)
