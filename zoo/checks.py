"""Does the design identify the model? Constant, collinear and over-rich terms, named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import FamilyError, FormulaError, listing, pointer
from ..formula import Design, Schema
from ..formula.features import Dense, Features, Moments, moments
from ..formula.schema import PredictorSchema, TermSchema
from ..formula.terms import INTERCEPT, MEAN
from .family import Family, Summary
from .links import Link
from .priors import Prior

TOLERANCE = 1e-9
SUSPECT = 1e-10
"""Cross products are exact to about 1e-14 of their size; a column of which less is left is looked at
again."""


def check_design(schema: Schema, design: Design, family: Family, summary: Summary) -> None:
    """Refuses designs that leave a parameter unidentified.

    Raises:
        FormulaError: a constant column beside an intercept, an exactly collinear one with at least
            as many rows as columns, or as many varying effects as rows where the family has a free
            dispersion.
    """
    for predictor in schema.predictors:
        arrays = design.predictors[predictor.parameter]
        source = schema.formula.text
        shared, own = arrays.shared, arrays.own
        _check_columns(predictor.terms, shared, predictor.intercept, source)
        _check_columns(predictor.own, own, predictor.own_intercept, source)
        if predictor.parameter == MEAN:
            _check_groups(predictor, design, family, schema)


def _check_columns(
    terms: Sequence[TermSchema], features: Features, intercept: bool, source: str
) -> None:
    if not features.shape[1]:
        return
    names = [name for term in terms for name in term.column_names]
    owners = [term for term in terms for _ in range(term.size)]
    found = moments(features)
    for j in np.flatnonzero(found.deviation <= TOLERANCE * found.size):
        if not intercept and found.size[j] > 0:
            continue
        value = features.block(0, 1)[0, j]
        if value == 0 and len(owners[j].term.factors) > 1:
            raise FormulaError(
                f"`{names[j]}` is constant (0 in every row used): no row has this combination, so "
                f"there are no data on it.{pointer(source, _where(owners[j]))}\nLeave the interaction "
                "out, or join the factors into one column of the combinations that occur."
            )
        raise FormulaError(
            f"`{names[j]}` is constant ({value:g} in every row used), so its effect cannot be told "
            f"from the intercept.{pointer(source, _where(owners[j]))}\nLeave it out."
        )
    if features.shape[0] < features.shape[1] + intercept:
        return  # more columns than rows: the priors decide, and diagnose() says so
    suspects = _suspects(found, intercept)
    if suspects.size:
        _check_exactly(features, suspects, names, owners, intercept, source)


def _suspects(found: Moments, intercept: bool) -> np.ndarray:
    """Columns of which almost nothing is left beside those before them, by Cholesky's pivots."""
    cross = found.covariance + (0.0 if intercept else np.outer(found.means, found.means))
    size = np.sqrt(np.maximum(np.diag(cross), 0.0))
    size = np.where(size > 0, size, 1.0)
    rest = cross / np.outer(size, size)
    out = []
    for j in range(len(rest)):
        pivot = rest[j, j]
        if pivot < SUSPECT:
            out.append(j)
            rest[j:, j] = 0.0
            continue
        column = rest[j + 1 :, j] / np.sqrt(pivot)
        rest[j + 1 :, j + 1 :] -= np.outer(column, column)
    return np.array(out, dtype=int)


def _check_exactly(
    features: Features,
    suspects: np.ndarray,
    names: Sequence[str],
    owners: Sequence[TermSchema],
    intercept: bool,
    source: str,
) -> None:
    """Decides by orthogonal projections, which see seven digits more than products do."""
    if not isinstance(features, Dense):
        return  # too large to hold; the priors, or the solver's verdict, have the last word
    matrix = features.matrix
    scaled = matrix / np.abs(matrix).max(axis=0)
    if intercept:
        scaled = scaled - scaled.mean(axis=0)
    scaled = scaled / np.linalg.norm(scaled, axis=0)
    kept = [j for j in range(scaled.shape[1]) if j not in set(suspects.tolist())]
    basis = np.linalg.qr(scaled[:, kept])[0]
    for j in suspects:
        column = scaled[:, j]
        residual = column - basis @ (basis.T @ column)
        residual = residual - basis @ (basis.T @ residual)
        length = np.linalg.norm(residual)
        if length < 1e-7:
            weights = np.linalg.lstsq(scaled[:, kept], column, rcond=None)[0] if kept else []
            others = [names[k] for k, w in zip(kept, weights, strict=True) if abs(w) > 1e-6]
            which = ", ".join(f"`{name}`" for name in others[:20]) or "the intercept"
            raise FormulaError(
                f"`{names[j]}` is collinear: it is an exact linear combination of {which}"
                f"{' and the intercept' if intercept and others else ''}, so their effects "
                f"cannot be told apart.{pointer(source, _where(owners[j]))}\nLeave one of them out."
            )
        basis = np.column_stack([basis, residual / length])
        kept.append(j)


def check_silent(
    schema: Schema, design: Design, family: Family, link: Link, priors: Mapping[str, Prior]
) -> None:
    """Refuses flat priors for neurons that never fire: their likelihood has no maximum.

    Raises:
        FamilyError: naming the neurons.
    """
    y = design.response["y"]
    if schema.neurons is None or link.bounds[0] != 0.0 or INTERCEPT not in priors:
        return
    silent = [n for n, s in zip(schema.neurons.labels, (y == 0).all(axis=0), strict=True) if s]
    if silent and priors[INTERCEPT].name == "Flat":
        raise FamilyError(
            f"{schema.neurons.dim} {listing(silent, 5)} of `{schema.response}` is 0 in "
            f"all {len(y):,} rows used, so with the prior Flat() of `{INTERCEPT}` the likelihood of "
            f"family `{family.name}` has no maximum. Give it a proper prior (as the default is)."
        )


def _where(term: TermSchema) -> str:
    return term.term.factors[0].expression


def _check_groups(
    predictor: PredictorSchema, design: Design, family: Family, schema: Schema
) -> None:
    free = family.dispersion and not (family.known_scale and "standard_error" in schema.extras)
    modelled = len(schema.predictors) > 1
    for group in predictor.groups:
        effects = group.size * len(group.levels)
        rows = design.size * (1 if schema.neurons is None else len(schema.neurons.labels))
        if free and not modelled and effects >= rows:
            raise FormulaError(
                f"`{group.term}` has {effects:,} effects ({group.size} for each of "
                f"{len(group.levels):,} groups) but there are only {rows:,} rows, so they "
                "cannot be told from the noise of single rows."
                f"{pointer(schema.formula.text, group.term.by[0].expression)}\n"
                "Let fewer effects vary, or give the known error of each row with measured(y, se)."
            )
