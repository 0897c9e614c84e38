"""The filters of temporal terms, found again from what was learned."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .bases import BASES
from .expressions import Evaluator
from .safety import parse_expression
from .schema import Schema, TermSchema
from .tables import Table
from .transforms import TRANSFORMS


@dataclass(frozen=True, eq=False)
class Filter:
    """The filters of one factor of a term.

    Attributes:
        position: which factor of the term it is.
        expression: the factor, as printed.
        kernel: shape (window, basis).
        lags: how many bins back each row of the kernel reaches; negative ones lie ahead.
        bin_width: seconds, or None where the data had no time axis.
    """

    position: int
    expression: str
    kernel: np.ndarray
    lags: np.ndarray
    bin_width: float | None


def find_filter(schema: Schema, term: TermSchema, functions: Mapping[str, Any]) -> Filter | None:
    """Returns the filter of the first temporal factor of a term, or None.

    Args:
        schema: the formula bound to data.
        term: the term.
        functions: the user's own functions and kernels.
    """
    learned: dict[str, Any] = schema.learned()
    names = frozenset((*TRANSFORMS, *BASES, *functions))
    for position, factor in enumerate(term.term.factors):
        if factor.lookup or factor.expression not in learned:
            continue
        node = parse_expression(factor.expression, schema.formula.text, names)
        transform = TRANSFORMS.get(ast.unparse(node.func)) if isinstance(node, ast.Call) else None
        if transform is None or transform.bank is None or not isinstance(node, ast.Call):
            continue
        state = learned[factor.expression]
        evaluator = Evaluator(
            Table({"": pd.Series(dtype=float)}, 0), schema.formula.text, {}, None, functions
        )
        words = {str(word.arg): word.value for word in node.keywords}
        basis = node.args[1] if len(node.args) > 1 else words[transform.second]
        kernel = transform.bank(state, evaluator.argument(basis, transform.slots.get("basis")))
        lags = state["lag"] + np.arange(len(kernel))
        return Filter(position, factor.expression, kernel, lags, state["bin_width"])
    return None
