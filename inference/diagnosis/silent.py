"""Counts and outcomes that never change: a response, or neurons (columns of it)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import listing
from ...zoo.family import BINARY, COUNT
from ..diagnostic import Diagnostic, Evidence

BOUND = (
    "the data hold only a bound of what is fitted there, and the priors decide the rest. "
    "{}, or read the answer as that bound."
)


def _neurons(evidence: Evidence) -> list[str]:
    spec, y = evidence.fit.model.spec, evidence.fit.model.design.response["y"]
    neurons = spec.schema.neurons
    if neurons is None:
        return []
    constant = np.flatnonzero((y == y[:1]).all(axis=0))
    silent = [neurons.labels[i] for i in constant if y[0, i] == 0]
    stuck = [neurons.labels[i] for i in constant if y[0, i] != 0]
    return [
        f"{neurons.dim} {listing(labels, 5)} of `{spec.schema.response}` {what} in all {len(y):,} "
        f"rows: {BOUND.format(f'Leave {_them(labels)} out')}"
        for labels, what in ((silent, "is 0"), (stuck, "is the same"))
        if labels
    ]


def _them(labels: Sequence[object]) -> str:
    return "it" if len(labels) == 1 else "them"


def _response(evidence: Evidence) -> list[str]:
    spec, response = evidence.fit.model.spec, evidence.fit.model.design.response
    y = response["y"]
    if y.ndim > 1 or spec.family.support not in (BINARY, COUNT) or "status" in response:
        return []
    counted = response["weights"] > 0 if "weights" in response else np.ones(y.size, bool)
    top = response.get("trials", 1.0 if spec.family.support is BINARY else np.inf)
    y, top = y[counted], np.broadcast_to(top, counted.shape)[counted]
    full = bool((y == top).all())
    if y.size == 0 or not (full or (y == 0).all()):
        return []
    what = "0" if not full else "1" if "trials" not in response else "all of its trials"
    return [
        f"`{spec.schema.response}` is {what} in all {y.size:,} rows: "
        f"{BOUND.format('Look for a wrong column or a filter that left nothing')}"
    ]


SILENT = Diagnostic("silent", _neurons, 65)
SILENT_RESPONSE = Diagnostic("silent_response", _response, 66)
