"""Trajectories of NUTS that were cut at their longest."""

from __future__ import annotations

import numpy as np

from ..diagnostic import Diagnostic, Evidence

DEEP = 0.05
"""The share of such transitions that is worth a word."""


def _find(evidence: Evidence) -> list[str]:
    fit = evidence.fit
    deepest = fit.info["settings"].get("max_tree_depth", 10)
    share = float(np.mean(np.asarray(fit.draws.stats["n_steps"]) >= 2**deepest - 1))
    if share <= DEEP:
        return []
    return [
        f"{share:.0%} of transitions reached the longest trajectory (max_tree_depth={deepest}), so "
        "sampling is slow and effective draws are few. Look for nearly collinear terms, or raise "
        "max_tree_depth."
    ]


TRAJECTORIES = Diagnostic("trajectories", _find, 40, of_chains=True)
