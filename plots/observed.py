"""The rows that a model uses as one table, and what its formula says of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError
from ..formula import Table
from ..formula.quoting import names_in
from ..formula.schema import Schema
from ..formula.streams import is_wide
from ..inference.model import Model
from .accept import mapping


@dataclass(frozen=True, eq=False)
class Observed:
    """The rows of a table as they are drawn.

    Attributes:
        frame: one row per response: the columns of one dimension, and the response by its name.
        response: the column that holds the response.
        label: the response in words, for an axis.
        predictors: columns of the mean's common terms, in the formula's order.
        factors: columns that the formula takes as factors.
        groups: the grouping factors that are columns, and the dimension of several responses.
        binary: whether the response is 0 or 1.
        units: column -> its unit, where the data say.
    """

    frame: pd.DataFrame
    response: str
    label: str
    predictors: tuple[str, ...]
    factors: frozenset[str]
    groups: tuple[str, ...]
    binary: bool
    units: Mapping[str, str]

    def title(self, name: str) -> str:
        """Returns the title of a column's axis, with its unit where it is known."""
        text = self.label if name == self.response else name
        unit = self.units.get(name)
        return f"{text} ({unit})" if unit else text


def observe(model: Model, units: Mapping[str, str] | None = None) -> Observed:
    """Returns the rows that a model uses, in the response's own units.

    A response such as `log(y)` stays on the scale on which it is modelled; successes out of trials
    become proportions; several responses become rows of their own.

    Args:
        model: the model.
        units: column -> unit; columns of pandas may carry them as `attrs["units"]`.
    """
    schema, design, table = model.spec.schema, model.design, model.table
    y = np.asarray(design.response["y"], dtype=np.float64)
    name, label = schema.response, schema.response
    if "trials" in design.response:
        y = y / np.asarray(design.response["trials"], dtype=np.float64)
        label = f"proportion, {name}"
    elif schema.response_levels:
        label = f"proportion of {name} = {schema.response_levels[1]}"
    columns = _columns(table, design.rows, skip=name)
    if design.time is not None and "time" not in columns:
        columns["time"] = design.time
    groups = _groupings(schema, columns)
    if schema.neurons is None:
        frame = pd.DataFrame({**columns, name: y})
    else:
        dim, labels = schema.neurons.dim, schema.neurons.labels
        frame = pd.DataFrame(columns, index=range(len(y)))
        frame = frame.loc[np.repeat(np.arange(len(y)), len(labels))].reset_index(drop=True)
        frame[dim] = np.tile(np.asarray(labels, dtype=object), len(y))
        frame[name] = y.ravel()
        groups = (dim, *(group for group in groups if group != dim))
    known = {"time": "s"} if design.time is not None else {}
    known |= _units(table) | mapping("units", units)
    binary = "trials" not in design.response and bool(np.isin(y[np.isfinite(y)], (0, 1)).all())
    if binary and not schema.response_levels:
        label = f"proportion of {name} = 1"
    return Observed(
        frame, name, label, _predictors(schema, columns), _factors(schema, table), groups, binary,
        known,
    )  # fmt: skip


def observe_table(table: Table, y: str, units: Mapping[str, str] | None = None) -> Observed:
    """Returns a table without a model; see `observe`."""
    columns = _columns(table, np.arange(table.rows), skip="")
    frame = pd.DataFrame(columns)
    values = frame[y]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise OptionError(f"y= takes a column of numbers, but `{y}` is not numeric.")
    frame[y] = values.astype(np.float64)
    factors = frozenset(name for name in columns if table.is_categorical(name))
    known = _units(table) | mapping("units", units)
    binary = bool(values.dropna().isin((0, 1)).all())
    label = f"proportion of {y} = 1" if binary else y
    return Observed(frame, y, label, (), factors, (), binary, known)


def _columns(table: Table, rows: np.ndarray, skip: str) -> dict[str, Any]:
    out = {}
    for name, column in table.columns.items():
        if not is_wide(column) and name != skip:
            out[name] = column.iloc[rows].reset_index(drop=True)
    return out


def _units(table: Table) -> dict[str, str]:
    out = {}
    for name, column in table.columns.items():
        found = getattr(column, "attrs", {}).get("units")
        found = found.get(name) if isinstance(found, Mapping) else found
        if isinstance(found, str) and found:
            out[name] = found
    return out


def _predictors(schema: Schema, columns: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of the mean's terms, those of single factors first."""
    common = sorted(schema.formula.predictors[0].common, key=lambda term: len(term.factors))
    found = [
        name
        for term in common
        for factor in term.factors
        for name in ([factor.expression] if factor.lookup else names_in(factor.expression))
    ]
    return tuple(dict.fromkeys(name for name in found if name in columns))


def _factors(schema: Schema, table: Table) -> frozenset[str]:
    """Columns of labels, and those within C()."""
    found = set()
    for predictor in schema.formula.predictors:
        for term in predictor.common:
            for factor in term.factors:
                if not factor.lookup and factor.expression.startswith("C("):
                    found.update(names_in(factor.expression))
    found.update(name for name in table.columns if table.is_categorical(name))
    return frozenset(found)


def _groupings(schema: Schema, columns: Mapping[str, Any]) -> tuple[str, ...]:
    found = [
        factor.expression
        for predictor in schema.formula.predictors
        for group in predictor.groups
        for factor in group.by
    ]
    return tuple(dict.fromkeys(name for name in found if name in columns))
