"""Does the design identify the model? Constant, collinear and over-rich terms, named."""

from __future__ import annotations

import numpy as np

from ..errors import FormulaError, pointer
from ..formula import Design, Schema
from ..formula.design import PredictorDesign
from ..formula.schema import PredictorSchema, TermSchema
from ..formula.terms import MEAN
from .family import Family, Summary

TOLERANCE = 1e-9


def check_design(schema: Schema, design: Design, family: Family, summary: Summary) -> None:
    """Refuses designs that leave a parameter unidentified.

    Raises:
        FormulaError: a constant column beside an intercept, an exactly collinear one with at least
            as many rows as columns, or as many varying effects as rows where the family has a free
            dispersion.
    """
    for predictor in schema.predictors:
        arrays = design.predictors[predictor.parameter]
        _check_columns(predictor, arrays, schema.formula.text)
        if predictor.parameter == MEAN:
            _check_groups(predictor, design, family, schema)


def _check_columns(predictor: PredictorSchema, arrays: PredictorDesign, source: str) -> None:
    matrix = arrays.matrix
    if not matrix.shape[1]:
        return
    names = predictor.column_names
    owners = [term for term in predictor.terms for _ in range(term.size)]
    deviation = matrix.std(axis=0)
    size = np.abs(matrix).max(axis=0)
    for j in np.flatnonzero(deviation <= TOLERANCE * size):
        if not predictor.intercept and size[j] > 0:
            continue
        value = matrix[0, j]
        raise FormulaError(
            f"`{names[j]}` is constant ({value:g} in every row used), so its effect cannot be told "
            f"from the intercept.{pointer(source, _where(owners[j]))}\nLeave it out."
        )
    if matrix.shape[0] < matrix.shape[1] + predictor.intercept:
        return  # more columns than rows: the priors decide, and diagnose() says so
    scaled = matrix / np.where(size > 0, size, 1.0)
    if predictor.intercept:
        scaled = scaled - scaled.mean(axis=0)
    norms = np.linalg.norm(scaled, axis=0)
    scaled = scaled / np.where(norms > 0, norms, 1.0)
    basis = np.zeros((scaled.shape[0], 0))
    kept: list[int] = []
    for j in range(scaled.shape[1]):
        column = scaled[:, j]
        residual = column - basis @ (basis.T @ column)
        residual = residual - basis @ (basis.T @ residual)
        length = np.linalg.norm(residual)
        if length < 1e-7:
            weights = np.linalg.lstsq(scaled[:, kept], column, rcond=None)[0] if kept else []
            others = [names[k] for k, w in zip(kept, weights, strict=True) if abs(w) > 1e-6]
            which = ", ".join(f"`{name}`" for name in others) or "the intercept"
            raise FormulaError(
                f"`{names[j]}` is collinear: it is an exact linear combination of {which}"
                f"{' and the intercept' if predictor.intercept and others else ''}, so their effects "
                f"cannot be told apart.{pointer(source, _where(owners[j]))}\nLeave one of them out."
            )
        basis = np.column_stack([basis, residual / length])
        kept.append(j)


def _where(term: TermSchema) -> str:
    return term.term.factors[0].expression


def _check_groups(
    predictor: PredictorSchema, design: Design, family: Family, schema: Schema
) -> None:
    free = family.dispersion and not (family.known_scale and "standard_error" in schema.extras)
    modelled = len(schema.predictors) > 1
    for group in predictor.groups:
        effects = group.size * len(group.levels)
        if free and not modelled and effects >= design.size:
            raise FormulaError(
                f"`{group.term}` has {effects:,} effects ({group.size} for each of "
                f"{len(group.levels):,} groups) but there are only {design.size:,} rows, so they "
                "cannot be told from the noise of single rows."
                f"{pointer(schema.formula.text, group.term.by[0].expression)}\n"
                "Let fewer effects vary, or give the known error of each row with measured(y, se)."
            )
