"""What each column of the data is to a formula: a factor, a number, a grouping factor, a series."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError, listing, nearest, sentences, shown
from ...formula import BASES, TRANSFORMS, Schema, Table
from ...formula.feedback import response_column
from ...formula.quoting import names_in
from ...formula.safety import parse_expression
from ...formula.streams import is_wide
from ...formula.tables import Categories
from ...formula.terms import Factor

if TYPE_CHECKING:
    from ..model import Model


@dataclass(frozen=True)
class Column:
    """The part that one column plays in a formula.

    Attributes:
        name: its name.
        factor: whether it has levels, and not numbers.
        ordinary: whether it stands in a term or an offset.
        grouping: whether it stands behind a bar.
        temporal: whether a term reads other rows of it than the present one.
        wide: whether it has two dimensions.
    """

    name: str
    factor: bool
    ordinary: bool
    grouping: bool
    temporal: bool
    wide: bool


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns that the right-hand sides of a model read, at the rows used.

    Attributes:
        schema: the formula with what was learned in training.
        table: the training data.
        rows: positions of the rows used, shape (obs,).
        functions: the user's own functions.
    """

    schema: Schema
    table: Table
    rows: np.ndarray
    functions: Mapping[str, Any]

    @cached_property
    def known(self) -> dict[str, Column]:
        """The columns by name, in the order of the formula."""
        ordinary, temporal, grouping = {}, set(), {}
        for factor in self._ordinary_factors():
            inside, beside = self._names(factor)
            ordinary |= dict.fromkeys((*beside, *inside))
            temporal |= inside
        for predictor in self.schema.formula.predictors:
            for group in predictor.groups:
                grouping |= {f.expression: None for f in group.by if f.expression != self.dim}
        return {
            name: Column(
                name,
                name in self._coded or name in grouping or self._is_boolean(name),
                name in ordinary,
                name in grouping,
                name in temporal,
                is_wide(self.table.columns[name]),
            )
            for name in ordinary | grouping
        }

    @property
    def dim(self) -> str | None:
        """The name of the response's second dimension, where it has one."""
        return None if self.schema.neurons is None else self.schema.neurons.dim

    @cached_property
    def _coded(self) -> dict[str, tuple[Any, ...]]:
        """The levels of each column that the formula codes by levels."""
        out: dict[str, tuple[Any, ...]] = {}
        for key, state in self.schema.learned().items():
            levels = state.get("levels") if isinstance(state, dict) else None
            if levels is None:
                continue
            plain = key.removeprefix("column ")
            names = [plain] if plain in self.table.columns else names_in(key)
            found = [name for name in names if name in self.table.columns]
            if len(found) == 1 and (key != f"column {plain}" or found[0] not in out):
                out[found[0]] = tuple(levels)
        return out

    def _ordinary_factors(self) -> Iterator[Factor]:
        for predictor in self.schema.formula.predictors:
            for term in (*predictor.common, *(t for g in predictor.groups for t in g.effects)):
                yield from term.factors
            yield from predictor.offsets

    def _names(self, factor: Factor) -> tuple[set[str], list[str]]:
        """The columns that a factor reads at other rows, and those at the present one."""
        if factor.lookup:
            return set(), [factor.expression]
        known = frozenset((*TRANSFORMS, *BASES, *self.functions))
        tree = parse_expression(factor.expression, self.schema.formula.text, known)
        inside: set[str] = set()
        for node in ast.walk(tree):
            transform = (
                TRANSFORMS.get(ast.unparse(node.func)) if isinstance(node, ast.Call) else None
            )
            if transform is not None and (transform.timed or transform.past is not None):
                inside |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        inside &= set(self.table.columns)
        beside = [n for n in names_in(factor.expression) if n in self.table.columns]
        return inside, [name for name in beside if name not in inside]

    def _is_boolean(self, name: str) -> bool:
        column = self.table.columns[name]
        if is_wide(column):
            return False
        if column.dtype.kind == "O":
            return pd.api.types.infer_dtype(column, skipna=True) == "boolean"
        return bool(pd.api.types.is_bool_dtype(column))

    @property
    def temporal(self) -> bool:
        """Whether some term reads other rows than the present one."""
        return any(column.temporal for column in self.known.values())

    def find(self, name: Any, option: str) -> Column:
        """Returns a column of the formula's right-hand side that may be set to a value.

        Args:
            name: its name.
            option: the option that names it, for the message.

        Raises:
            OptionError: there is none of that name, or a temporal term reads it.
        """
        if not isinstance(name, str):
            raise OptionError(f"{option} takes names of columns, not {shown(name)}.")
        names = [*self.known, *([] if self.dim is None else [self.dim])]
        if name not in self.known:
            formula, text = self.schema.formula, ""
            if name == response_column(formula, self.functions):
                text = "It is the response, which is what is averaged."
            elif name in self.table.columns:
                text = "The data have it, but the formula does not."
            raise OptionError(
                sentences(
                    f"{option}: `{name}` is not among the predictors of `{formula.text}`.",
                    text,
                    nearest(name, names),
                    f"Predictors and groups: {listing(names) or 'none'}.",
                )
            )
        column = self.known[name]
        if column.temporal:
            raise OptionError(
                f"{option}: `{name}` stands inside a term that reads other bins than the present one, "
                "so there is no answer at one value of it. For filters over time see fit.kernels()."
            )
        if column.wide:
            raise OptionError(
                f"{option}: `{name}` has two dimensions, so it cannot be set to one value."
            )
        return column

    def levels(self, name: str) -> tuple[Any, ...]:
        """Returns the levels of a factor that occur in the rows used, in the model's order."""
        return self.coded(name).levels

    def coded(self, name: str) -> Categories:
        """Returns a factor at the rows used, as codes into `levels`."""
        kept = self._kept
        if name not in kept:
            if self._is_boolean(name):
                found = self.table.numeric(name)[self.rows]
                present = np.unique(found[np.isfinite(found)])
                codes = np.searchsorted(present, found)
                kept[name] = Categories(codes, tuple(bool(value) for value in present))
            else:
                kept[name] = self._code(name)
        return kept[name]

    @cached_property
    def _kept(self) -> dict[str, Categories]:
        return {}

    def _code(self, name: str) -> Categories:
        found = self.table.categorical(name)
        codes = found.codes[self.rows]
        levels = self._coded.get(name)
        if levels is None:
            present = np.unique(codes[codes >= 0])
            levels = tuple(found.levels[i] for i in present)
        place = {str(level): i for i, level in enumerate(levels)}
        lookup = np.array([place.get(str(level), -1) for level in found.levels] + [-1])
        return Categories(lookup[codes], tuple(levels))

    def numbers(self, name: str) -> np.ndarray:
        """Returns a column of numbers at the rows used, shape (obs,) or (obs, k)."""
        return self.table.numeric(name)[self.rows]


def columns_of(model: Model) -> Columns:
    """Returns the columns of a model."""
    return Columns(model.spec.schema, model.table, model.design.rows, model.functions)
