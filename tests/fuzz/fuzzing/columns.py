"""Columns of every kind: numbers, labels, dates, objects; and what may be wrong with their values."""

from __future__ import annotations

import datetime
import decimal
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

try:
    import pyarrow  # pyright: ignore[reportMissingImports]

    ARROW = "double float int8 int64 uint8 uint64 string large_string bool dictionary".split()
    ARROW += ["timestamp[ns]", "duration[s]", "date32[day]", "decimal", "null", "list", "binary"]
    ARROW = [f"{name}[pyarrow]" for name in ARROW]
except ImportError:
    ARROW = []


def _needed(name: Any, kind: str, fault: str) -> list[Any]:
    given = [name, kind, fault]
    return given if fault else given[:2] if kind != "good" else given[:1]


@dataclass(frozen=True)
class Column:
    """A column: its name, how its values are stored, and what is wrong with them."""

    name: Any
    kind: str = "good"
    fault: str = ""

    def __repr__(self) -> str:
        return f"Column({', '.join(repr(v) for v in _needed(self.name, self.kind, self.fault))})"


NUMBERS = ["float64", "float32", "float16", "longdouble"]
NUMBERS += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
NULLABLE = ["Int8", "Int64", "UInt16", "Float32", "Float64", "boolean", "string"]
OTHER = (
    "bool object_float object_int object_bool str np_str bytes category category_unused ordered "
    "category_int category_bool category_float category_dates dates dates_utc dates_zone durations "
    "period interval complex decimal date_objects time_objects lists dicts tuples sets objects "
    "mixed mixed_numbers bool_and_text none na sparse big_ints arrays text_numbers long_text "
    "fixed_bytes structured unicode"
).split()
KINDS = [*NUMBERS, *NULLABLE, *OTHER, *ARROW]
FAULTS = (
    "missing all_missing infinite huge tiny constant zeros negative one_differs first_missing masses "
    "subnormal near_largest large_offset"
).split()
GOOD = {"y": "float64", "x": "float64", "z": "float32", "g": "str", "h": "category", "n": "uint8"}
GOOD |= {"k": "small", "m": "trials", "w": "positive", "s": "status", "p": "share", "t": "float64"}


def _base(name: Any, rows: int, rng: np.random.Generator) -> np.ndarray:
    if name in ("k", "n"):
        return rng.integers(0, 4, rows)
    if name == "m":
        return rng.integers(4, 9, rows)
    if name == "p":
        return rng.uniform(0.05, 0.95, rows)
    if name in ("w", "e"):
        return rng.gamma(2.0, 1.0, rows) + 0.1
    return rng.normal(size=rows)


def _labels(name: Any, rows: int, rng: np.random.Generator) -> np.ndarray:
    if name == "s":
        return rng.choice(["none", "right", "left"], rows)
    count = {"g": 5, "h": 2}.get(name, 3) if isinstance(name, str) else 3
    return np.array([f"l{i % count}" for i in range(rows)], dtype=object)


def _spoil(values: np.ndarray, fault: str) -> np.ndarray:
    out = np.array(values, dtype=np.float64)
    some = slice(0, None, 5)
    with np.errstate(all="ignore"):
        match fault:
            case "missing":
                out[some] = np.nan
            case "all_missing":
                out[:] = np.nan
            case "first_missing":
                out[:1] = np.nan
            case "infinite":
                out[some] = np.inf
            case "huge":
                out *= 1e300
            case "near_largest":
                out *= 9e99
            case "tiny":
                out *= 1e-300
            case "subnormal":
                out *= 5e-324
            case "constant":
                out[:] = 1.0
            case "zeros":
                out[:] = 0.0
            case "negative":
                out = -np.abs(out) - 1
            case "one_differs":
                out[:] = 1.0
                out[:1] = 2.0
            case "masses":
                out = np.round(out)
            case "large_offset":
                out += 1e12
    return out


def _spoil_labels(values: np.ndarray, fault: str) -> np.ndarray:
    out = np.array(values, dtype=object)
    if fault in ("missing", "first_missing"):
        out[:: 5 if fault == "missing" else len(out) + 1] = None
    elif fault == "all_missing":
        out[:] = None
    elif fault in ("constant", "zeros"):
        out[:] = "l0"
    elif fault == "one_differs":
        out[:] = "l0"
        out[:1] = "l1"
    elif fault == "masses":
        out = np.array([f"u{i}" for i in range(len(out))], dtype=object)
    return out


def make(column: Column, rows: int, rng: np.random.Generator, form: str) -> Any:
    kind = GOOD.get(column.name, "float64") if column.kind == "good" else column.kind  # type: ignore[arg-type]
    numbers = _spoil(_base(column.name, rows, rng), column.fault)
    labels = _spoil_labels(_labels(column.name, rows, rng), column.fault)
    whole = np.where(np.isfinite(numbers), np.clip(np.abs(numbers), 0, 100), 0).astype(int)
    missing = ~np.isfinite(numbers)
    with np.errstate(all="ignore"):
        match kind:
            case "small" | "trials" | "positive" | "share":
                return numbers
            case "status" | "str" | "unicode":
                return (
                    np.array([v if v is None else f"{v}é\u202e" for v in labels], dtype=object)
                    if (kind == "unicode")
                    else labels
                )
            case "np_str":
                return labels.astype(str)
            case "fixed_bytes":
                return labels.astype(str).astype(bytes)
            case "bytes":
                return np.array([str(v).encode() for v in labels], dtype=object)
            case "category":
                return pd.Categorical(labels)
            case "category_unused":
                return pd.Categorical(labels, categories=["zz", "l0", "l1", "l2", "l3", "l4", "q"])
            case "ordered":
                return pd.Categorical(
                    labels, categories=["l2", "l1", "l0", "l3", "l4"], ordered=True
                )
            case "category_int":
                return pd.Categorical(whole)
            case "category_bool":
                return pd.Categorical(whole > 1)
            case "category_float":
                return pd.Categorical(np.round(numbers, 0))
            case "category_dates":
                return pd.Categorical(pd.Timestamp("2020") + pd.to_timedelta(whole, unit="D"))
            case "bool":
                return numbers > 0
            case "object_float":
                return np.array(
                    [None if m else float(v) for v, m in zip(numbers, missing, strict=True)], object
                )
            case "object_int":
                return np.array([int(v) for v in whole], dtype=object)
            case "object_bool" | "bool_and_text":
                out = np.array([bool(v > 0) for v in numbers], dtype=object)
                out[:1] = "yes" if kind == "bool_and_text" else None
                return out
            case "dates" | "dates_utc" | "dates_zone":
                zone = {"dates": None, "dates_utc": "UTC", "dates_zone": "Europe/Berlin"}[kind]
                out = pd.Series(pd.date_range("2020-03-28", periods=rows, freq="h", tz=zone))
                return out.mask(pd.Series(missing))
            case "durations":
                return pd.Series(pd.to_timedelta(np.arange(rows), unit="s")).mask(
                    pd.Series(missing)
                )
            case "period":
                return pd.Series(pd.period_range("2020", periods=rows, freq="D"))
            case "interval":
                return pd.Series(pd.interval_range(0, rows, periods=rows)) if rows else np.zeros(0)
            case "complex":
                return numbers + 1j
            case "decimal":
                return np.array([decimal.Decimal(repr(float(v))) for v in numbers], dtype=object)
            case "date_objects":
                return np.array(
                    [datetime.date(2020, 1, 1 + i % 9) for i in range(rows)], dtype=object
                )
            case "time_objects":
                return np.array([datetime.time(i % 24) for i in range(rows)], dtype=object)
            case "lists" | "dicts" | "tuples" | "sets" | "objects" | "arrays":
                one = {"lists": [1], "dicts": {"a": 1}, "tuples": (1, 2), "sets": {1}}.get(kind)
                one = np.zeros(2) if kind == "arrays" else object() if one is None else one
                out = np.empty(rows, dtype=object)
                for i in range(rows):
                    out[i] = one
                return out
            case "mixed" | "mixed_numbers":
                pool = [1, 2.5, True, None, np.nan] + ["a", b"b", (1,)] * (kind == "mixed")
                out = np.empty(rows, dtype=object)
                for i in range(rows):
                    out[i] = pool[i % len(pool)]
                return out
            case "none" | "na":
                return np.array([None if kind == "none" else pd.NA] * rows, dtype=object)
            case "sparse":
                return pd.arrays.SparseArray(np.where(numbers > 0, numbers, 0.0))
            case "big_ints":
                return np.array([2**70 + int(v) for v in whole], dtype=object)
            case "text_numbers":
                return np.array([f"{v:.2f}" for v in numbers], dtype=object)
            case "long_text":
                return np.array([f"{v}" * 400 for v in labels], dtype=object)
            case "structured":
                out = np.array([(1, 2.0)] * rows, dtype=[("a", int), ("b", float)])
                return out if form == "dict" else labels
            case "string":
                return pd.array(labels, dtype="string")
            case "boolean":
                return pd.array(np.where(missing, None, numbers > 0), dtype="boolean")
    if kind in ARROW:
        return _arrow(kind, numbers, whole, labels, missing)
    if kind in NULLABLE:
        floating = "loat" in kind
        values = [
            None if m else (float(v) if floating else int(w))
            for v, w, m in zip(np.clip(numbers, -1e30, 1e30), whole, missing, strict=True)
        ]
        return pd.array(values, dtype=kind)
    if "int" in kind:
        return whole.astype(kind)
    return numbers.astype(kind)


def _arrow(
    kind: str, numbers: np.ndarray, whole: np.ndarray, labels: np.ndarray, missing: np.ndarray
) -> Any:
    """A column that pyarrow holds, with its own missing values."""
    name = kind.removesuffix("[pyarrow]")
    types: dict[str, Any] = {
        "dictionary": pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
        "decimal": pyarrow.decimal128(38, 6),
        "list": pyarrow.list_(pyarrow.int64()),
    }
    values: list[Any]
    if name in ("string", "large_string", "dictionary", "binary"):
        values = [v.encode() if v is not None and name == "binary" else v for v in labels]
    else:
        given: dict[str, Any] = {
            "double": numbers.tolist(),
            "float": np.clip(numbers, -1e30, 1e30).tolist(),
            "bool": (numbers > 0).tolist(),
            "decimal": [decimal.Decimal(f"{v:.6f}") for v in np.clip(numbers, -1e9, 1e9)],
            "null": [None] * len(whole),
            "list": [[int(v)] for v in whole],
        }
        values = [
            None if m else v for v, m in zip(given.get(name, whole.tolist()), missing, strict=True)
        ]
    array = pyarrow.array(values, types.get(name) or pyarrow.type_for_alias(name))
    return pd.Series(array, dtype=pd.ArrowDtype(array.type))
