"""Groups of one row each beside a noise of single rows: the two cannot be told apart."""

from __future__ import annotations

import numpy as np

from ...formula.terms import INTERCEPT, MEAN
from ..diagnostic import Diagnostic, Evidence

SHARE = 0.9
"""The share of rows alone in their group from which on it is said."""


def _find(evidence: Evidence) -> list[str]:
    model = evidence.fit.model
    spec = model.spec
    family, schema = spec.family, spec.schema.predictors[0]
    known = family.known_scale is not None and "standard_error" in spec.schema.extras
    if not family.dispersion or known or spec.schema.neurons is not None:
        return []
    findings = []
    arrays = model.design.predictors[MEAN].groups
    for group, design in zip(schema.groups, arrays, strict=True):
        if INTERCEPT not in group.effect_names:
            continue
        sizes = np.bincount(design.index[design.index >= 0], minlength=len(group.levels))
        alone = int((sizes == 1).sum())
        if alone >= SHARE * model.design.size:
            findings.append(
                f"{alone:,} of {model.design.size:,} rows are alone in their group of "
                f"`{group.term.group}`, so its spread can hardly be told from the noise of single "
                f"rows. Leave `{group.term}` out, or give more rows of each group."
            )
    return findings


LONE_ROWS = Diagnostic("lone_rows", _find, 75)
