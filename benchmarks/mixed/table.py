"""Columns of the linear mixed models."""

from __future__ import annotations

from functools import partial

import estimates

BASELINE = "bayeszoo_lme"
MEASURES = estimates.MEASURES
section = partial(estimates.section, baseline=BASELINE)
