"""Energies that change too little from draw to draw, so that the tails are explored slowly.

    E-BFMI = sum_n (E_n - E_{n-1})^2 / sum_n (E_n - mean E)^2, for each chain

Source: Betancourt (2016), arXiv:1604.00695.
"""

from __future__ import annotations

import numpy as np

from ..diagnostic import Diagnostic, Evidence

LOW = 0.3
FEWEST = 50
"""Shorter chains tell nothing."""


def bfmi(energy: np.ndarray) -> np.ndarray:
    """Returns the fraction of missing information of each chain, from energies (chain, draw)."""
    change = np.square(np.diff(energy, axis=1)).sum(axis=1)
    with np.errstate(all="ignore"):
        return change / (energy.shape[1] * energy.var(axis=1))


def _find(evidence: Evidence) -> list[str]:
    energy = np.asarray(evidence.fit.draws.stats["energy"])
    if energy.shape[1] < FEWEST:
        return []
    values = bfmi(energy)
    low = np.flatnonzero(values < LOW)
    if not len(low):
        return []
    return [
        f"the energy of {len(low)} of {len(values)} chains changes too little from draw to draw "
        f"(E-BFMI down to {values.min():.2f}; it should be above {LOW}), so heavy tails are explored "
        "slowly. Run more tune, and give scales (the standard deviations of groups and of the noise) "
        "priors that keep them off zero and off very large values."
    ]


ENERGY = Diagnostic("energy", _find, 35, of_chains=True)
