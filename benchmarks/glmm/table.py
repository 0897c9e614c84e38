"""Columns of the generalized linear mixed models."""

from __future__ import annotations

from functools import partial

import estimates

BASELINE = "bayeszoo_glmm"
MEASURES = estimates.MEASURES
section = partial(estimates.section, baseline=BASELINE)
