"""Smallest bulk effective sample size of saved draws, by ArviZ, the same for every contender.

`python benchmarks/mcmc/score.py FILE.npz < RECORD.json` prints what it adds to the record.
"""

from __future__ import annotations

import json
import sys


def score(record: dict, saved: str) -> dict:
    """Compute the smallest bulk effective sample size of one run.

    Args:
        record: The run's own record; `wall` is seconds from the start of the process.
        saved: An npz of arrays `(chain, draw)`, one per main parameter.

    Returns:
        The smallest value, the parameter that has it, and the value per second of `wall`.
    """
    import arviz as az
    import numpy as np

    with np.load(saved) as draws:
        sizes = {name: float(az.ess(draws[name], method="bulk")) for name in draws.files}
    worst = min(sizes, key=sizes.__getitem__)
    return {
        "ess_min": sizes[worst],
        "worst": worst,
        "ess_per_second": sizes[worst] / record["wall"],
    }


if __name__ == "__main__":
    print(json.dumps(score(json.load(sys.stdin), sys.argv[1])))
