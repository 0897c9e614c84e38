"""The training data of a stored fit: the columns that its formula reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..formula import Table
from ..formula.time_axis import TimeAxis


def column_kinds(table: Table, names: tuple[str, ...]) -> dict[str, Any]:
    """Returns what the header says of each column: levels of factors, and second dimensions."""
    kinds: dict[str, Any] = {}
    for name in names:
        if table.is_categorical(name):
            kinds[name] = {"levels": list(table.categorical(name).levels)}
        elif table.stream(name) is not None:
            dim, labels = table.second_dimension(name)
            kinds[name] = {"dim": dim, "labels": list(labels)}
        else:
            kinds[name] = {}
    return kinds


def training_data(table: Table, names: tuple[str, ...]) -> xr.Dataset:
    """All rows of the columns that the formula reads; factors as codes."""
    arrays: dict[str, Any] = {}
    for i, name in enumerate(names):
        if table.is_categorical(name):
            values: np.ndarray = table.categorical(name).codes
        else:
            values = table.numeric(name)
        dims = ("row",) if values.ndim == 1 else ("row", f"column_{i}_dim")
        arrays[f"column_{i}"] = (dims, values)
    if table.time is not None:
        arrays["time_axis"] = (("row",), table.time.values)
        arrays["time_epochs"] = (("row",), table.time.epochs)
    return xr.Dataset(arrays)


def restore_table(data: xr.Dataset, kinds: dict[str, Any]) -> Table:
    """Returns the table that `training_data` and `column_kinds` have put down."""
    columns: dict[str, Any] = {}
    dims = {}
    for i, (name, kind) in enumerate(kinds.items()):
        if "dim" in kind:
            dims[name] = (kind["dim"], tuple(kind["labels"]))
        values = data[f"column_{i}"].to_numpy()
        if "levels" in kind:
            levels = kind["levels"]
            columns[name] = pd.Series(pd.Categorical.from_codes(values, categories=levels))
        else:
            columns[name] = pd.Series(values) if values.ndim == 1 else values
    rows = len(next(iter(columns.values())))
    time = None
    if "time_axis" in data:
        axis, epochs = data["time_axis"].to_numpy(), data["time_epochs"].to_numpy()
        time = TimeAxis("time", axis, epochs)
    return Table(columns, rows, time, dims)
