"""Which of many panels and lags are drawn, with a note that says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .fields import levels

ROWS = 4500
"""Rows of one chart's table."""


def keep(frame: Any, name: str, limit: int) -> tuple[pd.DataFrame, str]:
    """Returns the rows of the first values of a column, and a note where some are left out."""
    values = levels(frame[name])
    if len(values) <= limit:
        return frame, ""
    kept = values[:limit]
    return frame[frame[name].isin(kept)], f"{limit} of {len(values)} {name}s drawn"


def fill(frame: Any, row: str, column: str) -> pd.DataFrame:
    """Adds an empty row for every panel of a grid that has none; Vega misplaces panels otherwise."""
    grid: Any = pd.MultiIndex.from_product([levels(frame[row]), levels(frame[column])])
    present = pd.MultiIndex.from_frame(frame[[row, column]])
    lacking = grid[~grid.isin(present)].to_frame(index=False, name=[row, column])
    return pd.concat([frame, lacking], ignore_index=True) if len(lacking) else frame


def keep_lags(frame: Any, limit: int = ROWS) -> tuple[pd.DataFrame, str]:
    """Returns every k-th lag of filters, the last one included, where there are too many rows."""
    if len(frame) <= limit:
        return frame, ""
    lags = np.sort(frame["lag"].unique())
    count = max(2, len(lags) * limit // len(frame))
    kept = lags[np.linspace(0, len(lags) - 1, count).round().astype(int)]
    return frame[frame["lag"].isin(kept)], f"{count} of {len(lags)} lags drawn"


def reach(frame: pd.DataFrame, log: bool = False) -> tuple[Any, str]:
    """Returns the ends of the axis of filters, and a note where bands run beyond them.

    The filters and all but the widest bands are inside, so that one lag of which the data say little
    does not flatten all others.
    """
    neutral = 1.0 if log else 0.0
    lines = [frame[name].to_numpy() for name in ("mean", "truth") if name in frame]
    lines = np.append(np.concatenate(lines), neutral)
    lower, upper = (frame[name].dropna().to_numpy() for name in ("lower", "upper"))
    low, high = np.nanmin(lines), np.nanmax(lines)
    if len(lower):
        margin = 0.25 * (high - low)
        typical = min(low, np.quantile(lower, 0.05)), max(high, np.quantile(upper, 0.95))
        ends = min(low, lower.min()), max(high, upper.max())
        near = typical[0] - margin, typical[1] + margin
        low = max(ends[0], near[0]) if not log else max(ends[0], typical[0] / 1.3)
        high = min(ends[1], near[1]) if not log else min(ends[1], typical[1] * 1.3)
        if ends[0] < low or ends[1] > high:
            return [float(low), float(high)], "wider bands are cut at the axis"
    return [float(low), float(high)] if high > low else [low - 1.0, high + 1.0], ""


def peak(frame: pd.DataFrame) -> tuple[float, str]:
    """Returns the upper end of an axis of rates, and a note where bands run beyond it."""
    lines = np.nanmax(frame[["fitted", "observed"]].to_numpy()) * 1.1
    upper = frame["upper"].dropna().to_numpy()
    if not len(upper):
        return float(lines) or 1.0, ""
    high = min(upper.max(), max(1.6 * lines, float(np.quantile(upper, 0.9))))
    high = max(lines, min(high, 2.5 * lines))
    return float(high) or 1.0, "wider bands are cut at the axis" * bool(upper.max() > high)
