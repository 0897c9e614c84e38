"""The criterion at a contender's estimates: `python benchmarks/glmm/score.py FOLDER < RECORD.json`.

It prints what it adds to the record; the data lie where `BENCH_DATA` says.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from effects import judge, laplace
from glmm.jobs import JOBS

score = partial(judge, laplace, JOBS)

if __name__ == "__main__":
    print(json.dumps(score(json.load(sys.stdin))))
