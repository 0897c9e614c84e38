"""Rows that leave-one-out weights cannot stand for, where LOO was computed."""

from __future__ import annotations

import numpy as np

from ...errors import listing
from ..diagnostic import Diagnostic, Evidence


def _find(evidence: Evidence) -> list[str]:
    fit = evidence.fit
    if fit.pareto is None:
        return []
    k, good = fit.pareto
    bad = np.argwhere(~(k <= good))
    if not len(bad):
        return []
    rows = listing(dict.fromkeys(fit.model.design.rows[bad[:, 0]].tolist()), 5)
    worst = float(np.max(k))
    return [
        f"Pareto k is above {good:.2f} for {len(bad):,} of {k.size:,} responses (rows {rows}; up to "
        f"{worst:.2f}), so LOO is not reliable there: these rows move the posterior much. Use "
        "loo(moment_match=True) or loo(refit=True), and look whether they are outliers that a family "
        "with heavier tails would bear."
    ]


PARETO = Diagnostic("pareto", _find, 90)
