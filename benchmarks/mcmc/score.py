"""Smallest bulk effective sample size of saved draws, by ArviZ, the same for every contender.

`python benchmarks/mcmc/score.py FOLDER < RECORD.json` prints what it adds to the record.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import kept
from mcmc.jobs import JOBS


def score(record: dict, saved: str) -> dict:
    """Compute the smallest bulk effective sample size of one run.

    Args:
        record: The run's own record; `wall` is seconds from the start of the process.
        saved: Folder of arrays `(chain, draw)`, one per main parameter.

    Returns:
        The smallest value, the parameter that has it, the value per second of `wall`, how many
        parameters were looked at, and mean and sd of the job's slope.
    """
    import arviz as az

    draws = kept(saved)
    sizes = {name: float(az.ess(array, method="bulk")) for name, array in draws.items()}
    worst = min(sizes, key=sizes.__getitem__)
    slope = draws[JOBS[record["job"]].slope]
    return {
        "ess_min": sizes[worst],
        "worst": worst,
        "ess_per_second": sizes[worst] / record["wall"],
        "parameters": len(sizes),
        "slope_mean": float(slope.mean()),
        "slope_sd": float(slope.std(ddof=1)),
    }


if __name__ == "__main__":
    print(json.dumps(score(json.load(sys.stdin), sys.argv[1])))
