"""Chains that disagree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..diagnostic import Diagnostic, Evidence

R_HAT = 1.01


def _find(evidence: Evidence) -> list[str]:
    r_hat = pd.Series(evidence.table["r_hat"])
    bad = int(np.sum(r_hat.to_numpy() > R_HAT))
    if not bad:
        return []
    return [
        f"the chains disagree on {bad:,} parameter(s) (R-hat up to {r_hat.max():.3f}, "
        f"`{r_hat.idxmax()}`; it should be below {R_HAT}). Run more tune and draws; if they still "
        "disagree, the posterior has several modes or the model leaves the parameter open."
    ]


AGREEMENT = Diagnostic("agreement", _find, 20, of_chains=True)
