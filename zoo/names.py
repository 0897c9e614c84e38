"""Printed names of parameters that are not terms: `sd(1|mouse)`, `corr(mouse)`, `nu(mouse)`."""

from __future__ import annotations

from collections.abc import Callable

from ..formula.schema import GroupSchema, PredictorSchema


def scale_name(variable: str) -> str:
    """The standard deviation of a group effect."""
    return f"sd({variable})"


def _distinct(head: str, predictor: PredictorSchema, group: GroupSchema, prefixed: Callable) -> str:
    """`corr(mouse)`; a second term of the same factor is named by its effects as well."""
    rivals = [
        other
        for other in predictor.groups
        if other.term.group == group.term.group
        and other.size > 1
        and other.term.correlated == group.term.correlated
        and other.term.distribution == group.term.distribution
    ]
    name = group.term.group
    if rivals and rivals[0] != group:
        name = f"{','.join(effect.name for effect in group.effects)}|{name}"
    return f"{head}({prefixed(name)})"


def correlation_name(predictor: PredictorSchema, group: GroupSchema, prefixed: Callable) -> str:
    """The correlations of the effects of a grouping factor."""
    return _distinct("corr", predictor, group, prefixed)


def shape_name(
    parameter: str, predictor: PredictorSchema, group: GroupSchema, prefixed: Callable
) -> str:
    """A parameter of the distribution of group effects, such as `nu(mouse)`."""
    return _distinct(parameter, predictor, group, prefixed)
