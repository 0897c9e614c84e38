"""Tables of every kind: a recipe is a plain value that prints as the Python that makes it again."""

from __future__ import annotations

import datetime
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from fuzzing.columns import FAULTS, GOOD, KINDS, Column, make


@dataclass(frozen=True)
class Recipe:
    """A table: its columns, number of rows, index, outer form, and a seed."""

    columns: tuple[Column, ...]
    rows: int = 24
    index: str = ""
    form: str = "pandas"
    seed: int = 0


INDEXES = (
    "duplicate text dates dates_utc reversed multi named_time float_nan durations constant".split()
)
FORMS = "polars dict lists xarray tuples mapping".split()
NAMES = [
    "a b",
    "a`b",
    "",
    " ",
    "y ~ x",
    "é",
    "__class__",
    "import",
    "x\ny",
    "`",
    "1",
    "x.y",
    "'",
    "|",
]
NAMES += [
    "time",
    "Intercept",
    "sigma",
    "mu",
    "(1|g)",
    "a" * 300,
    "\x00",
    "None",
    "neuron",
    "x:z",
    "/",
]
ODD = [0, 1.5, None, ("a", "b"), True, np.nan, 10**20, datetime.date(2020, 1, 1), b"x", frozenset()]


def _index(kind: str, rows: int) -> Any:
    match kind:
        case "duplicate":
            return [0, *range(rows - 1)][:rows]
        case "constant":
            return [3] * rows
        case "text":
            return [f"r{i}" for i in range(rows)]
        case "dates" | "dates_utc":
            return pd.date_range(
                "2020-01-01", periods=rows, freq="s", tz="UTC" if "_" in kind else None
            )
        case "durations":
            return pd.to_timedelta(np.arange(rows), unit="s")
        case "reversed":
            return list(range(rows))[::-1]
        case "multi":
            return pd.MultiIndex.from_arrays([range(rows), ["a"] * rows], names=["i", "j"])
        case "named_time":
            return pd.Index(np.arange(rows) * 0.1, name="time")
        case "float_nan":
            return [np.nan, *np.arange(rows - 1.0)][:rows]
    return None


def build(recipe: Recipe) -> Any:
    """Makes the table of a recipe."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return _build(recipe)


def _build(recipe: Recipe) -> Any:
    rng = np.random.default_rng(recipe.seed)
    rows = recipe.rows
    parts = [(c.name, make(c, rows, rng, recipe.form)) for c in recipe.columns]
    if recipe.form in ("dict", "lists", "tuples"):
        as_form = {"dict": lambda v: v, "lists": list, "tuples": tuple}[recipe.form]
        return {name: as_form(values) for name, values in parts}
    frame = (
        pd.concat([pd.Series(v).reset_index(drop=True) for _, v in parts], axis=1)
        if parts
        else (pd.DataFrame(index=range(rows)))
    )
    names = [name for name, _ in parts]
    if recipe.index == "multi_columns" and names:
        frame.columns = pd.MultiIndex.from_tuples([("top", str(n)) for n in names])
        return frame
    index = _index(recipe.index, rows)
    if index is not None:
        frame.index = index if isinstance(index, pd.Index) else pd.Index(index)
    array = np.empty(len(names), dtype=object)
    for i, name in enumerate(names):
        array[i] = name
    frame.columns = pd.Index(array, tupleize_cols=False)
    if recipe.form == "polars":
        import polars as pl

        try:
            return pl.DataFrame({str(n): frame.iloc[:, i].to_list() for i, n in enumerate(names)})
        except Exception:  # polars cannot hold it: not our case
            return frame
    if recipe.form == "xarray":
        import xarray as xr

        try:
            return xr.Dataset({str(n): ("obs", np.asarray(v)) for n, v in parts})
        except Exception:
            return frame
    return frame


def fingerprint(data: Any) -> Any:
    """A value that differs after any change of a table: names, types, index, values."""
    if isinstance(data, pd.DataFrame):
        parts = [_values(data.iloc[:, i]) for i in range(data.shape[1])]
        return [
            repr(list(data.columns)),
            repr(data.columns.names),
            _values(data.index),
            parts,
            repr(data.attrs),
        ]
    if isinstance(data, dict):
        return [(repr(key), _values(values)) for key, values in data.items()]
    if hasattr(data, "get_columns"):
        return [(s.name, str(s.dtype), repr(s.to_list())) for s in data.get_columns()]
    if hasattr(data, "data_vars"):
        return [(name, _values(array.values)) for name, array in data.variables.items()]
    return repr(data)


def _values(values: Any) -> tuple[str, str]:
    kind = f"{type(values).__name__} {getattr(values, 'dtype', '')} {getattr(values, 'name', '')}"
    if isinstance(values, np.ndarray) and values.dtype != object:
        return kind, repr(values.tobytes())
    if (
        isinstance(values, pd.Series)
        and isinstance(values.dtype, np.dtype)
        and values.dtype != object
    ):
        return kind, repr(values.to_numpy().tobytes())
    return kind, repr(list(values))


@st.composite
def recipes(draw: Any, names: tuple[str, ...] = tuple(GOOD), forms: bool = True) -> Recipe:
    """Tables with the columns that formulas name, of which a few are spoilt."""
    columns = [Column(name, "good") for name in names]
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 4]))):
        i = draw(st.integers(0, len(columns) - 1))
        kind = draw(st.one_of(st.just("good"), st.sampled_from(KINDS)))
        fault = draw(st.one_of(st.just(""), st.sampled_from(FAULTS)))
        columns[i] = Column(columns[i].name, kind, fault)
    odd = draw(st.integers(0, 19))
    if odd == 0:
        columns.append(columns[draw(st.integers(0, len(columns) - 1))])
    elif odd in (1, 2):
        columns.append(Column(draw(st.sampled_from(NAMES)), draw(st.sampled_from(KINDS))))
    elif odd == 3:
        columns.append(Column(draw(st.sampled_from(ODD)), "float64"))
    elif odd == 4:
        columns = columns[: draw(st.integers(0, len(columns)))]
    rows = draw(st.sampled_from([24] * 12 + [0, 1, 2, 3, 5, 40, 60]))
    index = draw(st.sampled_from([""] * 6 + [*INDEXES, "multi_columns"]))
    form = draw(st.sampled_from(["pandas"] * 8 + FORMS * forms))
    return Recipe(tuple(columns), rows, index, form, draw(st.integers(0, 99)))
