"""What a formula says, before any data: frozen values made by `grammar.parse`."""

from __future__ import annotations

from dataclasses import dataclass

INTERCEPT = "Intercept"
MEAN = "mu"


@dataclass(frozen=True)
class Factor:
    """One factor of a term: a column's name, or an expression over columns.

    Attributes:
        expression: the name of the column, or the canonical text of the expression.
        lookup: whether the expression is the bare name of a column.
    """

    expression: str
    lookup: bool = True


@dataclass(frozen=True)
class Term:
    """A product of factors; the empty product is the intercept."""

    factors: tuple[Factor, ...] = ()

    @property
    def name(self) -> str:
        """The printed name: the factors joined by `:`."""
        return ":".join(factor.expression for factor in self.factors) or INTERCEPT


@dataclass(frozen=True)
class GroupTerm:
    """Effects that vary over the levels of a grouping factor: `(1 + x | g)`.

    Attributes:
        effects: the terms before the bar.
        by: the grouping factors after the bar; several form one crossed factor `g:h`.
        correlated: one bar (correlated) or two (independent).
        distribution: the distribution of the effects: `normal`, or as written before the bracket.
    """

    effects: tuple[Term, ...]
    by: tuple[Factor, ...]
    correlated: bool = True
    distribution: str = "normal"

    @property
    def group(self) -> str:
        """The printed name of the grouping factor."""
        return ":".join(factor.expression for factor in self.by)

    def __str__(self) -> str:
        inside = " + ".join("1" if not t.factors else t.name for t in self.effects)
        inside = inside if any(not t.factors for t in self.effects) else f"0 + {inside}"
        head = "" if self.distribution == "normal" else self.distribution
        return f"{head}({inside} {'|' if self.correlated else '||'} {self.group})"


@dataclass(frozen=True)
class Predictor:
    """The right-hand side for one parameter of the family.

    Attributes:
        parameter: `mu`, or the name before `~` on a further line.
        common: the common ("fixed") terms, the intercept included where there is one.
        groups: the group terms.
        offsets: expressions added with coefficient 1.
    """

    parameter: str
    common: tuple[Term, ...]
    groups: tuple[GroupTerm, ...] = ()
    offsets: tuple[Factor, ...] = ()

    @property
    def intercept(self) -> bool:
        """Whether the predictor has a common intercept."""
        return any(not term.factors for term in self.common)

    def prefixed(self, name: str) -> str:
        """The printed name of one of this predictor's parameters: `x`, or `sigma_x`."""
        return name if self.parameter == MEAN else f"{self.parameter}_{name}"


@dataclass(frozen=True)
class Formula:
    """A parsed formula: hashable, without data.

    Attributes:
        text: the formula as written.
        response: the left-hand side.
        predictors: the predictor of the mean, then those of the further lines.
    """

    text: str
    response: Factor
    predictors: tuple[Predictor, ...]

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Every factor of the right-hand sides, once, in order of appearance."""
        seen: dict[Factor, None] = {}
        for predictor in self.predictors:
            for term in predictor.common:
                seen.update(dict.fromkeys(term.factors))
            for group in predictor.groups:
                for term in group.effects:
                    seen.update(dict.fromkeys(term.factors))
                seen.update(dict.fromkeys(group.by))
            seen.update(dict.fromkeys(predictor.offsets))
        return tuple(seen)
