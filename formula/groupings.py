"""Crossed grouping factors: the combinations of levels that occur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .tables import Categories


def combine(parts: Sequence[Categories]) -> tuple[list[tuple], np.ndarray]:
    """Returns the combinations of levels that occur, and the code of each row, -1 if missing."""
    combined = np.zeros(len(parts[0].codes), dtype=np.int64)
    missing = np.zeros(len(combined), dtype=bool)
    for part in parts:
        combined = combined * (len(part.levels) + 1) + part.codes
        missing |= part.codes < 0
    present, codes = np.unique(combined[~missing], return_inverse=True)
    keys = []
    for value in present.tolist():
        key = []
        for part in reversed(parts):
            value, code = divmod(value, len(part.levels) + 1)
            key.append(part.levels[code])
        keys.append(tuple(reversed(key)))
    out = np.full(len(combined), -1)
    out[~missing] = codes
    return keys, out


def crossed(parts: Sequence[Categories]) -> Categories:
    """Returns several grouping columns as one, its levels joined by `:`."""
    keys, codes = combine(parts)
    return Categories(codes, tuple(":".join(map(str, key)) for key in keys))
