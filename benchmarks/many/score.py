"""Estimates of some data sets: `python benchmarks/many/score.py FOLDER < RECORD.json`.

It prints what it adds to the record.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import kept

EVERY = 15
"""Estimates of every so many data sets go into the record."""


def score(saved: str) -> dict:
    """Count failures and keep some estimates.

    Args:
        saved: Folder of arrays of the estimates of `stim`, `SET-ANALYSIS`, (study,) or a column.

    Returns:
        `failed`, how many estimates are not finite, and `stim`, some estimates by array.
    """
    import numpy as np

    arrays = {name: array.reshape(-1) for name, array in kept(saved).items()}
    some = {name: [round(x, 6) for x in array[::EVERY].tolist()] for name, array in arrays.items()}
    failed = sum(int((~np.isfinite(array)).sum()) for array in arrays.values())
    return {"failed": failed, "stim": some}


if __name__ == "__main__":
    print(json.dumps(score(sys.argv[1])))
