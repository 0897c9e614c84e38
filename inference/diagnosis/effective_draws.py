"""Too few effective draws of the middle or of the tails."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..diagnostic import Diagnostic, Evidence

PER_CHAIN = 100
PLACES = {"ess_bulk": "", "ess_tail": " of their tails, which intervals need,"}


def _find(evidence: Evidence) -> list[str]:
    least = PER_CHAIN * evidence.chains
    for column, where in PLACES.items():  # the tails only where the bulk is well
        sizes = pd.Series(evidence.table[column])
        few = int(np.sum(sizes.to_numpy() < least))
        if few:
            return [
                f"{few:,} parameter(s) have fewer than {least:,} effective draws{where} (lowest: "
                f"`{sizes.idxmin()}`, {sizes.min():.0f}). Run more draws."
            ]
    return []


EFFECTIVE_DRAWS = Diagnostic("effective_draws", _find, 30, of_chains=True)
