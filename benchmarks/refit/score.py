"""Posterior of the slope in every fit: `python benchmarks/refit/score.py FOLDER < RECORD.json`.

It prints what it adds to the record.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import kept


def score(saved: str) -> dict:
    """Summarise the draws of the slope.

    Args:
        saved: Folder of arrays (chain, draw), one for every fit.

    Returns:
        Smallest bulk effective sample size of the fits, and the posterior means.
    """
    import arviz as az

    draws = kept(saved)
    sizes = [float(az.ess(array, method="bulk")) for array in draws.values()]
    means = {f"{name}_slope": float(array.mean()) for name, array in draws.items()}
    return {"ess_slope": min(sizes)} | means


if __name__ == "__main__":
    print(json.dumps(score(sys.argv[1])))
