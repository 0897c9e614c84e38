"""Where ratios of mean responses make sense, and words where they do not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import numpy as np

from ...errors import OptionError
from ...formula import BASES, TRANSFORMS
from ...formula.safety import parse_expression

if TYPE_CHECKING:
    from ..fit import Fit
    from .cells import Cells

RISK = 0.01
"""A denominator that is 0 or less with more probability than this has no meaningful ratio."""


def check_response(fit: Fit) -> None:
    """Refuses ratios of means of a transformed response.

    Raises:
        OptionError: the formula models a function of the response, such as its logarithm.
    """
    schema = fit.model.spec.schema
    response = schema.formula.response
    if response.lookup:
        return
    names = frozenset((*TRANSFORMS, *BASES, *fit.model.functions))
    tree: ast.expr = parse_expression(response.expression, schema.formula.text, names)
    while isinstance(tree, ast.Call) and _is_plain(tree):
        tree = tree.args[0]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if calls:
        raise OptionError(
            f'scale="ratio": the means are those of `{ast.unparse(tree)}`, whose ratio says nothing '
            'simple. Use scale="difference": of a log response exp(difference) is a ratio of geometric '
            "means. Or model the response itself, with a family such as lognormal or gamma."
        )


def _is_plain(call: ast.Call) -> bool:
    """Whether a call only says how the response was observed, or marks arithmetic."""
    transform = TRANSFORMS.get(ast.unparse(call.func))
    observed = transform is not None and transform.role == "response"
    return bool(call.args) and (observed or ast.unparse(call.func) == "I")


def check_denominators(fit: Fit, cells: Cells, lower: np.ndarray) -> None:
    """Refuses ratios whose denominator may be zero or change its sign.

    Raises:
        OptionError: with the probability that it does.
    """
    if cells.draws is None and cells.gradient is not None:
        from .answers import Answers, tabulate

        table = tabulate(fit, Answers(None, cells.value, cells.gradient), 0.95, "equal", None)
        risk = 1 - table["p_positive"].to_numpy()
    elif cells.draws is not None:
        risk = (cells.draws <= 0).mean(axis=0)
    else:
        assert cells.value is not None
        risk = (cells.value <= 0) * 1.0
    worst = float(np.max(risk[lower], initial=0.0))
    if worst > RISK:
        raise OptionError(
            f'scale="ratio" divides by a mean that is 0 or negative with probability {worst:.2g}, so '
            'that the ratio means little. Use scale="difference", or a family of positive responses '
            "with a log link."
        )
