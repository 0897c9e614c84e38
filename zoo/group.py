"""What a distribution of group effects is: a spherical density of standardised effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .family import Parameter


@dataclass(frozen=True)
class GroupDistribution:
    """A distribution of group effects u = L z, by the density of the standardised vector z.

    Attributes:
        name: its name before the bracket in a formula.
        log_density: (|z|^2, size, parameters) -> log density of z.
        sample: (key, shape (groups, size), parameters) -> z; parameters are numbers, or (groups, 1).
        parameters: its parameters beside the scales and correlations.
        equation: for printing.
        gaussian: whether the effects are jointly normal.
        story: when to use it.
    """

    name: str
    log_density: Callable[[Any, int, Mapping[str, Any]], Any]
    sample: Callable[[Any, tuple[int, int], Mapping[str, Any]], Any]
    equation: str
    parameters: tuple[Parameter, ...] = ()
    gaussian: bool = False
    story: str = ""
