"""Transitions of NUTS that diverged."""

from __future__ import annotations

import numpy as np

from ..diagnostic import Diagnostic, Evidence

TARGETS = (0.95, 0.99)


def _find(evidence: Evidence) -> list[str]:
    diverging = np.asarray(evidence.fit.draws.stats["diverging"])
    count = int(diverging.sum())
    if not count:
        return []
    target = evidence.fit.info["settings"].get("target_accept") or 0.9
    better = next((value for value in TARGETS if value > target + 1e-9), None)
    remedy = f"Raise target_accept to {better}, or give" if better else "Give"
    return [
        f"{count:,} of {diverging.size:,} transitions diverged, so parts of the posterior may be "
        f"missed. {remedy} stronger priors to scales: the standard deviations of groups and of the "
        "noise."
    ]


DIVERGENCES = Diagnostic("divergences", _find, 10, of_chains=True)
