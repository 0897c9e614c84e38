"""Tables that set observed responses beside drawn ones: densities, bars, quantiles along a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .densities import density_at
from .fields import is_number

BINS = 30
"""Bars of a wide range of counts, and bins of a column of numbers."""
REACH = 3.0
"""Curves end at so many ranges of the observed responses beyond them."""
OBSERVED, DRAWN = "observed", "drawn"
Split = Iterator[tuple[dict[str, Any], np.ndarray]]


def split(frame: Any, by: list[str]) -> Split:
    """Yields the value of each column and the rows of every group."""
    if not by:
        yield {}, np.arange(len(frame))
        return
    for key, rows in frame.groupby(by, observed=True, sort=False).indices.items():
        values = key if isinstance(key, tuple) else (key,)
        yield dict(zip(by, values, strict=True)), np.asarray(rows)


@dataclass(frozen=True)
class Curve:
    """How responses become a curve.

    Attributes:
        style: `density`, or `ecdf` for the share of responses up to each value.
        low: the lower end of the family's support; None for none.
        high: the upper end.
    """

    style: str
    low: float | None = None
    high: float | None = None

    def __call__(self, values: np.ndarray, grid: np.ndarray) -> np.ndarray:
        """Returns the curve of responses on a grid."""
        values = values[np.isfinite(values)]
        if self.style == "ecdf":
            return np.searchsorted(np.sort(values), grid, side="right") / max(len(values), 1)
        return density_at(grid, values, self.low, self.high)

    def span(self, y: np.ndarray, drawn: np.ndarray, points: int) -> tuple[np.ndarray, float]:
        """Returns a grid, and the share of drawn responses beyond it.

        It holds the observed numbers and 99% of the drawn ones, unless those reach much farther.
        """
        least, most = np.nanmin(y), np.nanmax(y)
        reach = REACH * (most - least) or abs(most) or 1.0
        held = drawn[np.isfinite(drawn)]
        bulk = (least, most)
        if held.size:
            bulk = np.quantile(held[:: max(1, held.size // 100_000)], [0.005, 0.995])
        low, high = min(least, max(bulk[0], least - reach)), max(most, min(bulk[1], most + reach))
        margin = 0.04 * (high - low) or 1.0
        low = low - margin if self.low is None else max(low - margin, self.low)
        high = high + margin if self.high is None else min(high + margin, self.high)
        outside = 1 - ((held >= low) & (held <= high)).sum() / max(drawn.size, 1)
        return np.linspace(low, high, points), float(outside)


def overlays(y: np.ndarray, drawn: np.ndarray, curve: Curve, grid: np.ndarray) -> pd.DataFrame:
    """One curve for the observed responses and one for each draw; columns kind draw value density."""
    parts = [
        pd.DataFrame({"kind": DRAWN, "draw": i, "value": grid, curve.style: curve(row, grid)})
        for i, row in enumerate(drawn)
    ]
    top = pd.DataFrame({"kind": OBSERVED, "draw": -1, "value": grid, curve.style: curve(y, grid)})
    return pd.concat([*parts, top], ignore_index=True)


def bands(
    y: np.ndarray, drawn: np.ndarray, summary: Callable[[np.ndarray], np.ndarray], prob: float
) -> dict[str, np.ndarray]:
    """A summary of the observed responses, and mean and interval of the same of each draw."""
    found = np.array([summary(row) for row in drawn])
    tail = (1 - prob) / 2
    low, high = np.nanquantile(found, [tail, 1 - tail], axis=0)
    return {
        "observed": summary(y),
        "mean": np.nanmean(found, axis=0),
        "lower": low,
        "upper": high,
    }


def bars(y: np.ndarray, drawn: np.ndarray, prob: float) -> pd.DataFrame:
    """Shares of rows by value, or by bins of values where counts reach far."""
    held = drawn[np.isfinite(drawn)]
    bulk = np.quantile(held[:: max(1, held.size // 100_000)], 0.995) if held.size else 0
    top = int(max(np.nanmax(y), bulk))
    low = int(np.nanmin(y)) if np.nanmin(y) < 0 else 0
    width = max(1, -(-(top - low + 1) // BINS))
    edges = np.arange(low, top + 1 + width, width) - 0.5
    shares = lambda values: np.histogram(values, edges)[0] / max(np.isfinite(values).sum(), 1)
    start = (edges[:-1] + 0.5).astype(int)
    return pd.DataFrame({"value": start, "end": start + width, **bands(y, drawn, shares, prob)})


def along(
    frame: Any, x: str, y: np.ndarray, drawn: np.ndarray, binary: bool, prob: float
) -> pd.DataFrame:
    """Quantiles of drawn responses at each value of a column (or in bins of equally many rows).

    Returns:
        Columns: the column, `observed` (mean), `mean`, `lower`, `upper`; and `q25`, `median`, `q75`
        where the response is not 0 or 1. Of a response of 0 and 1, they are about its share of ones.
    """
    column = frame[x]
    place = column
    if is_number(column) and column.nunique() > BINS:
        cuts = np.unique(np.quantile(column.dropna(), np.linspace(0, 1, BINS + 1)))
        codes = np.clip(np.searchsorted(cuts, column, side="right") - 1, 0, len(cuts) - 2)
        centres = column.groupby(codes).mean()
        place = pd.Series(centres.reindex(codes).to_numpy(), index=column.index)
    tail = (1 - prob) / 2
    rows = []
    for value, index in pd.Series(range(len(place))).groupby(place.to_numpy(), observed=True):
        at = index.to_numpy()
        row: dict[str, Any] = {x: value, "observed": float(np.nanmean(y[at]))}
        if binary:
            shares = drawn[:, at].mean(axis=1)
            low, high = np.nanquantile(shares, [tail, 1 - tail])
            rows.append({**row, "mean": shares.mean(), "lower": low, "upper": high})
            continue
        points = np.nanquantile(drawn[:, at], [tail, 0.25, 0.5, 0.75, 1 - tail])
        names = ("lower", "q25", "median", "q75", "upper")
        rows.append(
            {**row, "mean": np.nanmean(drawn[:, at]), **dict(zip(names, points, strict=True))}
        )
    return pd.DataFrame(rows)
