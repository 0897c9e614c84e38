"""Names and kinds of columns as Vega-Lite can address them.

Vega-Lite reads `a.b` and `a[b]` as paths into nested values, so that such columns are renamed in the
table of a chart; titles and tooltips keep the user's names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

LAYER = "_layer"
"""The column that says by which layer of a chart a row is drawn."""


def plain(name: object) -> str:
    """Returns a name that Vega-Lite can address: letters, digits, blanks and underscores are kept.

    Example:
        >>> plain("a.b"), plain("C(stim)[b]"), plain("mouse")
        ('a_b', 'C_stim__b_', 'mouse')
    """
    return re.sub(r"[^\w ]", "_", str(name))


def rename(frame: Any) -> tuple[pd.DataFrame, dict[str, str]]:
    """Returns a table with plain names, and the plain name of each column.

    Categories stay ordered. Numbers keep six digits that say something, infinite ones are missing,
    and values of other types become texts, so that the chart's JSON is small and valid.
    """
    names: dict[str, str] = {}
    columns: dict[str, Any] = {}
    for position, name in enumerate(frame.columns):
        short = plain(name)
        while short in columns:
            short += "_"
        names[str(name)] = short
        column = frame.iloc[:, position]
        columns[short] = _values(column)
        if isinstance(column.dtype, pd.CategoricalDtype):
            order = [_entry(value) for value in levels(column)]
            columns[short] = pd.Categorical(columns[short], order)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame))), names


def _values(column: Any) -> Any:
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(str).to_numpy(dtype=object)
    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        return column.to_numpy()
    if pd.api.types.is_numeric_dtype(column.dtype):
        return rounded(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.to_numpy()
    values = column.to_numpy(dtype=object)
    return np.array([_entry(value) for value in values], dtype=object)


def _entry(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return None if value is None or value is pd.NA or value is pd.NaT else str(value)


def rounded(values: np.ndarray, digits: int = 6) -> np.ndarray:
    """Rounds numbers to so many significant digits; infinite ones become NaN."""
    out = np.where(np.isfinite(values), values, np.nan)
    with np.errstate(all="ignore"):
        size = np.where(out == 0, 0.0, np.floor(np.log10(np.abs(out))))
        size = np.where(np.isfinite(size), size, 0.0)
        powers = 10.0 ** np.clip(digits - 1 - size, -300, 300)
        scaled = np.round(out * powers) / powers
    return np.where(np.isfinite(scaled), scaled, out)


def is_number(column: Any) -> bool:
    """Whether a column is drawn along an axis of numbers."""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(
        column.dtype
    )


def kind(column: Any) -> Literal["quantitative", "nominal", "temporal"]:
    """Returns Vega-Lite's type of a column."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "temporal"
    return "quantitative" if is_number(column) else "nominal"


def levels(column: Any) -> list[Any]:
    """Returns the values of a column in reading order: categories as ordered, m2 before m10."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(column.dropna().unique())
        return [value for value in column.cat.categories if value in present]
    values = column.dropna().unique().tolist()
    return sorted(values, key=natural_key)


def natural_key(value: Any) -> tuple[Any, ...]:
    """A key that sorts numbers before texts, and numbers within texts by their size."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return (0, float(value))
    parts = re.split(r"(\d+)", str(value))
    return (1, *((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts if p))


def tooltips(frame: Any, titles: Mapping[str, str] | Iterable[str]) -> list[Any]:
    """Returns tooltips of plain columns, with titles and numbers rounded to four digits."""
    import altair as alt

    named = titles if isinstance(titles, Mapping) else {name: name for name in titles}
    out = []
    for field, shown in named.items():
        options: dict[str, Any] = {"format": ".4~g"} if kind(frame[field]) == "quantitative" else {}
        out.append(alt.Tooltip(field=field, type=kind(frame[field]), title=shown, **options))
    return out
