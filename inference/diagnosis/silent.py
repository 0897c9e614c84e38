"""Neurons (columns of the response) that never change."""

from __future__ import annotations

import numpy as np

from ...errors import listing
from ..diagnostic import Diagnostic, Evidence


def _find(evidence: Evidence) -> list[str]:
    spec, y = evidence.fit.model.spec, evidence.fit.model.design.response["y"]
    neurons = spec.schema.neurons
    if neurons is None:
        return []
    constant = np.flatnonzero((y == y[:1]).all(axis=0))
    silent = [neurons.labels[i] for i in constant if y[0, i] == 0]
    stuck = [neurons.labels[i] for i in constant if y[0, i] != 0]
    return [
        f"{neurons.dim} {listing(labels, 5)} of `{spec.schema.response}` {what} in all {len(y):,} "
        "rows: the data hold only a bound of what is fitted there, and the priors decide the rest. "
        f"Leave {'it' if len(labels) == 1 else 'them'} out, or read the answer as that bound."
        for labels, what in ((silent, "is 0"), (stuck, "is the same"))
        if labels
    ]


SILENT = Diagnostic("silent", _find, 65)
