"""What is wrong with a fit, if anything: full sentences, each with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .diagnosis import DIAGNOSTICS
from .diagnostic import Evidence

if TYPE_CHECKING:
    from .fit import Fit


def diagnose(fit: Fit) -> list[str]:
    """Returns findings about a fit, the most serious first; an empty list means that all is well."""
    evidence = Evidence(fit)
    findings = []
    for diagnostic in sorted(DIAGNOSTICS.values(), key=lambda d: d.rank):
        if fit.backend.sampled or not diagnostic.of_chains:
            findings += diagnostic.find(evidence)
    return findings
