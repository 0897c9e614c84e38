"""Large tables are thinned or binned before they are drawn, and the chart says so.

Altair refuses tables of more than 5,000 rows, and browsers slow down soon after.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

LIMIT = 3000
"""Rows of raw data that a chart draws; what is fitted takes the rest of Altair's 5,000."""
CELLS = 40
"""Bins along each side of a heat map."""


def thin(
    frame: Any, limit: int = LIMIT, by: list[str] | None = None, seed: int = 0
) -> tuple[pd.DataFrame, str]:
    """Returns at most so many rows in their order, drawn at random, and a note for the subtitle.

    Args:
        frame: any table.
        limit: the largest number of rows.
        by: columns that mark what is kept or left out as a whole, such as the rows of one line.
        seed: the same seed gives the same rows.

    Returns:
        The table, with a new index, and a note that is empty where no row is left out.
    """
    total = len(frame)
    if total <= limit:
        return frame.reset_index(drop=True), ""
    rng = np.random.default_rng(seed)
    if by:
        codes = frame.groupby(by, sort=False, observed=True, dropna=False).ngroup().to_numpy()
        counts = np.bincount(codes)
        order = rng.permutation(len(counts))
        kept = order[np.cumsum(counts[order]) <= limit]
        if len(kept):
            note = f"{len(kept):,} of {len(counts):,} lines drawn, chosen at random"
            return frame[np.isin(codes, kept)].reset_index(drop=True), note
    rows = np.sort(rng.choice(total, limit, replace=False))
    note = f"{limit:,} of {total:,} points drawn, chosen at random"
    return frame.iloc[rows].reset_index(drop=True), note


def grid(
    x: Any, y: Any, cells: int = CELLS, minimum: int = 1
) -> tuple[pd.DataFrame, tuple[float, float]]:
    """Counts points in the cells of a grid, for a heat map.

    Args:
        x: numbers, shape (obs,).
        y: numbers, shape (obs,).
        cells: bins along each side.
        minimum: cells with fewer points are left out.

    Returns:
        Columns `x`, `x_end`, `y`, `y_end`, `count`; and the width and height of a cell.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    counts, xs, ys = np.histogram2d(x[known], y[known], bins=cells)
    i, j = np.nonzero(counts >= minimum)
    frame = pd.DataFrame(
        {
            "x": xs[i],
            "x_end": xs[i + 1],
            "y": ys[j],
            "y_end": ys[j + 1],
            "count": counts[i, j].astype(int),
        }
    )
    return frame, (float(xs[1] - xs[0]), float(ys[1] - ys[0]))


def evenly(frame: Any, limit: int = LIMIT) -> tuple[pd.DataFrame, str]:
    """Returns every k-th row, for one long line; and a note for the subtitle."""
    if len(frame) <= limit:
        return frame.reset_index(drop=True), ""
    step = -(-len(frame) // limit)
    return frame.iloc[::step].reset_index(drop=True), f"every {step:,}th of {len(frame):,} drawn"
