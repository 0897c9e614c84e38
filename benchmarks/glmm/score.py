"""The criterion at a contender's estimates: `python benchmarks/glmm/score.py FOLDER < RECORD.json`.

It prints what it adds to the record; the data lie where `BENCH_DATA` says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from effects import laplace
from glmm.jobs import JOBS


def score(record: dict) -> dict:
    """Judge the estimates of both data sets.

    Args:
        record: The run's own record, with `estimates` by data set.

    Returns:
        `criteria` by data set.
    """
    job = JOBS[record["job"]]
    told = record["estimates"].items()
    return {
        "criteria": {name: laplace(job, job.frame(name), own)["criterion"] for name, own in told}
    }


if __name__ == "__main__":
    print(json.dumps(score(json.load(sys.stdin))))
