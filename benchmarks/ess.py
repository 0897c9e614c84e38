"""Smallest bulk effective sample size of saved draws, by ArviZ, the same for every contender.

`python benchmarks/ess.py FILE.npz ...` prints a JSON list, one `{"ess_min", "worst"}` per file.
"""

from __future__ import annotations

import json
import sys


def smallest(path: str) -> dict:
    """Compute one file's smallest bulk effective sample size.

    Args:
        path: An npz of arrays `(chain, draw)`, one per main parameter.

    Returns:
        The smallest value and the parameter that has it.
    """
    import arviz as az
    import numpy as np

    with np.load(path) as draws:
        sizes = {name: float(az.ess(draws[name], method="bulk")) for name in draws.files}
    worst = min(sizes, key=sizes.__getitem__)
    return {"ess_min": sizes[worst], "worst": worst}


if __name__ == "__main__":
    print(json.dumps([smallest(path) for path in sys.argv[1:]]))
