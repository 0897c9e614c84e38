"""What penalties need to know of each term: rows, sizes, sources, filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..formula import Design, Schema
from ..formula.kernels import find_filter
from .penalties import TermFacts


def term_facts(
    schema: Schema, design: Design, functions: Mapping[str, Any]
) -> dict[str, TermFacts]:
    """Returns the facts of every term with coefficients, by printed name."""
    out = {}
    for predictor, formula in zip(schema.predictors, schema.formula.predictors, strict=True):
        for term in (*predictor.terms, *predictor.own):
            found = find_filter(schema, term, functions)
            plain = found is not None and len(term.term.factors) == 1
            out[formula.prefixed(term.name)] = TermFacts(
                rows=design.size,
                size=term.size,
                sources=max(1, len(term.sources)) if plain else 1,
                kernel=found.kernel if plain and found is not None else None,
            )
    return out
