"""Largest error of sampled rows of a convolution, against sums written out in float64.

`python benchmarks/convolution/score.py FOLDER < RECORD.json` prints what it adds to the record;
the data lie where `BENCH_DATA` says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import kept, load
from convolution.jobs import STEP


def score(record: dict, saved: str) -> dict:
    """Compare the sampled rows with `sum_j kernel[j] series[t - 1 - j]`.

    Args:
        record: The run's own record.
        saved: Folder with `a-rows`, `b-rows` or both: the rows `window, window + STEP, ...`.

    Returns:
        `largest_error`: the largest absolute difference.
    """
    import numpy as np

    errors = []
    for key, rows in kept(saved).items():
        series, kernel = load(record["job"], key.split("-")[0], "series", "kernel")
        times = np.arange(len(kernel), len(series), STEP)
        pasts = np.stack([series[now - len(kernel) : now][::-1] for now in times])
        right = np.einsum("tws,wk->tsk", pasts, kernel, optimize=True)
        errors.append(np.abs(rows - right.reshape(len(times), -1)).max())
    return {"largest_error": float(max(errors))}


if __name__ == "__main__":
    print(json.dumps(score(json.load(sys.stdin), sys.argv[1])))
