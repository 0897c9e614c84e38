"""What a formula and its training data fix together: names, levels, codings, rows. No arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .coding import Block
from .tables import Level
from .terms import INTERCEPT, Formula, GroupTerm, Term


@dataclass(frozen=True)
class TermSchema:
    """One term with its columns.

    Attributes:
        term: the term.
        labels: a label for each column; empty where the term is one plain column.
        blocks: how its factors are coded.
        sources: the labels of the series that a temporal term filters, where it filters several; of a
            plain column of two dimensions, those of its columns.
    """

    term: Term
    labels: tuple[Level, ...] = ()
    blocks: tuple[Block, ...] = ()
    sources: tuple[Level, ...] = ()

    @property
    def name(self) -> str:
        """The printed name of the term."""
        return self.term.name

    @property
    def size(self) -> int:
        """The number of columns."""
        return max(1, len(self.labels))

    @property
    def column_names(self) -> tuple[str, ...]:
        """The printed name of each column: `x`, or `stim[b]`."""
        return tuple(f"{self.name}[{label}]" for label in self.labels) or (self.name,)


@dataclass(frozen=True)
class Neurons:
    """The second dimension of a response: one column per neuron (or channel, or pixel).

    Attributes:
        dim: the name of the dimension.
        labels: the label of each column.
    """

    dim: str
    labels: tuple[Level, ...]


@dataclass(frozen=True)
class GroupSchema:
    """A group term with its levels.

    Attributes:
        term: the group term.
        effects: the effects that vary, the intercept first where there is one.
        levels: the level of each group; for crossed factors joined by `:`.
        keys: the levels of the single factors of each group.
        over_neurons: whether one of the factors is the second dimension of the response.
    """

    term: GroupTerm
    effects: tuple[TermSchema, ...]
    levels: tuple[Level, ...]
    keys: tuple[tuple[Level, ...], ...]
    over_neurons: bool = False

    @property
    def size(self) -> int:
        """The number of effects per group."""
        return sum(effect.size for effect in self.effects)

    @property
    def effect_names(self) -> tuple[str, ...]:
        """The printed name of each effect: `Intercept`, `stim[b]`."""
        return tuple(name for effect in self.effects for name in effect.column_names)

    def variable(self, effect: TermSchema) -> str:
        """The name of the group effects of one term: `1|mouse`, `stim|mouse`."""
        head = "1" if effect.name == INTERCEPT else effect.name
        return f"{head}|{self.term.group}"


@dataclass(frozen=True)
class PredictorSchema:
    """The predictor of one parameter of the family.

    Attributes:
        parameter: `mu`, or the parameter of a further line.
        intercept: whether there is a common intercept.
        terms: the other common terms.
        groups: the group terms.
        own_intercept: whether every neuron has an intercept of its own.
        own: the terms of which every neuron has coefficients of its own.
    """

    parameter: str
    intercept: bool
    terms: tuple[TermSchema, ...]
    groups: tuple[GroupSchema, ...]
    own_intercept: bool = False
    own: tuple[TermSchema, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The printed name of each column of the common terms, without the intercept."""
        return tuple(name for term in self.terms for name in term.column_names)

    @property
    def own_names(self) -> tuple[str, ...]:
        """The printed name of each column of the neurons' own terms, without the intercept."""
        return tuple(name for term in self.own for name in term.column_names)


@dataclass(frozen=True)
class RowReport:
    """Which rows of the data are used.

    Attributes:
        total: rows given.
        used: rows used.
        missing: (column, rows that lack it, first such row) for every column with missing values.
        notes: remarks of temporal terms: bins without a whole window, short stretches, gaps.
    """

    total: int
    used: int
    missing: tuple[tuple[str, int, int], ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lost = self.total - self.used
        used = (
            f"{self.used:,} of {self.total:,} rows used"
            if lost
            else f"{self.used:,} rows, all used"
        )
        parts = [used]
        if self.missing:
            named = ", ".join(
                f"`{n}` {count:,} (first: row {row})" for n, count, row in self.missing
            )
            lead = "missing values in" if self.notes else f"{lost:,} dropped for missing values in"
            parts.append(f"{lead} {named}")
        return "; ".join([*parts, *self.notes])


@dataclass(frozen=True)
class Schema:
    """A formula bound to its training data; re-applies to any new data.

    Attributes:
        formula: the formula.
        columns: the columns of the training data that the formula reads.
        predictors: the predictors, in the order of the formula.
        extras: what is known beside the response: `trials`, `weights`, ...
        response_levels: the two levels of a response of labels; empty for numbers.
        rows: which rows are used.
        state: what transforms learned, as JSON text.
        neurons: the second dimension of the response; None where it has but one dimension.
    """

    formula: Formula
    columns: tuple[str, ...]
    predictors: tuple[PredictorSchema, ...]
    extras: tuple[str, ...]
    response_levels: tuple[Level, ...]
    rows: RowReport
    state: str
    neurons: Neurons | None = None

    @property
    def response(self) -> str:
        """The printed name of the response."""
        return self.formula.response.expression

    def learned(self) -> dict[str, object]:
        """Returns what transforms learned, as a dictionary."""
        return json.loads(self.state)
