"""Where every contender in Python starts; it imports this module first.

Files that start with `_` are no contenders.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import estimating
from mixed.jobs import JOBS

Fit = estimating.Fit
main = partial(estimating.main, JOBS)
