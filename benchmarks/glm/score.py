"""How good estimates of a Poisson GLM are, by float64 NumPy, the same for every contender.

`python benchmarks/glm/score.py FOLDER < RECORD.json` prints what it adds to the record; the data
lie where `BENCH_DATA` says.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from arrays import kept, load

if TYPE_CHECKING:
    import numpy as np

PASSES = 7


def judge(x: np.ndarray, spikes: np.ndarray, intercept: np.ndarray, coef: np.ndarray) -> dict:
    """Judge one fit.

    Args:
        x: Features, (bin, feature).
        spikes: Counts, (bin, neuron).
        intercept: Estimates, (neuron,).
        coef: Estimates, (feature, neuron).

    Returns:
        `objective`: mean over bins and neurons of mean - count * log mean. `gradient`: largest
        slope of a neuron's mean objective in coordinates where the features are uncorrelated with
        variance 1 and the curvature is about 1 (divided by the root of the mean count).
        `predicted`: mean prediction by mean count, of the neuron where it is furthest from 1.
    """
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        eta = intercept + x @ coef
        mean = np.exp(eta)
        objective = (mean - spikes * eta).mean()
        observed = spikes.mean(axis=0)
        ratio = mean.mean(axis=0) / observed
        residual = (mean - spikes) / np.sqrt(observed) / len(x)
        centred = x - x.mean(axis=0)
        factor = np.linalg.cholesky(centred.T @ centred / len(x))
        slopes = np.linalg.solve(factor, centred.T @ residual)
        steepest = max(np.abs(slopes).max(), np.abs(residual.sum(axis=0)).max())
    furthest = ratio[np.argmax(np.abs(ratio - 1))]
    names = ("objective", "gradient", "predicted")
    numbers = (objective, steepest, furthest)
    return {name: float(number) for name, number in zip(names, numbers, strict=True)}


def pass_seconds(x: np.ndarray, coef: np.ndarray, spikes: np.ndarray) -> float:
    """Time the two matrix products that every gradient needs, `x @ coef` and `x.T @ residual`.

    Args:
        x: Features, (bin, feature).
        coef: Estimates, (feature, neuron).
        spikes: Stands for the residual, (bin, neuron).

    Returns:
        The fastest of some passes.
    """
    times = []
    for _ in range(PASSES):
        start = time.perf_counter()
        _ = x @ coef
        _ = x.T @ spikes
        times.append(time.perf_counter() - start)
    return min(times)


def score(record: dict, saved: str) -> dict:
    """Judge all fits of one run.

    Args:
        record: The run's own record.
        saved: Folder with `a-intercept`, `a-coef` and, for the other data set, the same with `b`.

    Returns:
        What `judge` tells per data set, and `pass`, the seconds of one pass over the data.
    """
    import numpy as np

    told: dict = {"sets": {}}
    estimates = kept(saved)
    names = [name.split("-")[0] for name in estimates if name.endswith("-coef")]
    for name in names:
        x, spikes = load(record["job"], name, "x", "spikes")
        spikes = spikes.reshape(len(spikes), -1)
        coef = estimates[f"{name}-coef"].astype(float).reshape(x.shape[1], -1)
        intercept = estimates[f"{name}-intercept"].astype(float).reshape(-1)
        told["pass"] = min(told.get("pass", np.inf), pass_seconds(x, coef, spikes))
        told["sets"][name] = judge(x, spikes, intercept, coef)
    return told


if __name__ == "__main__":
    print(json.dumps(score(json.load(sys.stdin), sys.argv[1])))
