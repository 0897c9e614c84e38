"""Names that results are looked up by: no two parameters share one, and none is a dimension's."""

from __future__ import annotations

from ..errors import FormulaError, pointer
from ..formula.schema import Schema
from ..formula.terms import INTERCEPT
from .family import Family
from .names import scale_name

DIMENSIONS = ("chain", "draw")
"""What every posterior is indexed by."""


def check_distinct(schema: Schema, family: Family) -> None:
    """Refuses columns whose names results could not tell from other parameters or dimensions.

    Raises:
        FormulaError: two parameters of one name, or a term or factor named like a dimension.
    """
    source = schema.formula.text
    for _, column in _names(schema):
        if column in DIMENSIONS:
            raise FormulaError(
                f"`{column}` is a dimension of every posterior, so nothing else may have that name."
                f"{pointer(source, column)}\nRename the column."
            )
    modelled = {predictor.parameter for predictor in schema.predictors}
    seen = {p.name for p in family.parameters if p.name not in modelled}
    if family.known_scale and "standard_error" in schema.extras:
        seen.discard(family.known_scale)
    for name, column in _names(schema):
        if name in seen:
            raise FormulaError(
                f"the model would have two parameters named `{name}`.{pointer(source, column)}\n"
                f"Rename the column, or write I({column}), or C({column}) for a factor."
            )
        seen.add(name)


def _names(schema: Schema) -> list[tuple[str, str]]:
    """The name of every variable of the formula, with the term or factor that it comes from."""
    out = []
    for predictor, formula in zip(schema.predictors, schema.formula.predictors, strict=True):
        if predictor.intercept or predictor.own_intercept:
            out.append((formula.prefixed(INTERCEPT), INTERCEPT))
        out += [(formula.prefixed(t.name), t.name) for t in (*predictor.terms, *predictor.own)]
        for group in predictor.groups:
            for effect in group.effects:
                variable = formula.prefixed(group.variable(effect))
                out += [(variable, group.term.group), (scale_name(variable), group.term.group)]
    return out
