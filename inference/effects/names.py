"""Printed names in the text of a hypothesis: where each stands, and its draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...formula.terms import MEAN
from ..variables import Variable, printed_rows, variables

if TYPE_CHECKING:
    from ..fit import Fit


@dataclass(frozen=True, eq=False)
class Place:
    """Where a printed number is held.

    Attributes:
        variable: the variable that it is a part of.
        position: its position there.
    """

    variable: Variable
    position: tuple[int, ...]

    def pick(self, natural: Mapping[str, Any]) -> np.ndarray:
        """Returns its draws, shape (sample,)."""
        array = self.variable.pick(natural)
        return array[(..., *self.position)].reshape(-1)

    @property
    def coefficient(self) -> int | None:
        """Its position among the common coefficients of the mean, or None if it is none."""
        index = self.variable.index
        if self.variable.source != f"{MEAN}.coefficients" or index is None:
            return None
        return index if isinstance(index, int) else index.start + self.position[0]


def places(fit: Fit) -> dict[str, Place]:
    """Returns every printed number of a fit, those of groups too, by name."""
    found, coords = variables(fit.model.spec)
    return {
        name: Place(variable, position)
        for variable in found
        if variable.source in fit.draws.natural
        for name, position in printed_rows(variable, coords)
    }


def match_name(text: str, start: int, names: Mapping[str, Any]) -> tuple[str, int] | None:
    """Returns the longest name that stands at a place of a text, and where it ends.

    Blanks do not matter. A name that ends in a letter or digit must end there in the text too.

    Example:
        >>> match_name("x2 > x", 0, {"x": 1, "x2": 2})
        ('x2', 2)
    """
    best: tuple[str, int] | None = None
    for name in names:
        end = _end(text, start, name)
        if end is None or (best is not None and end <= best[1]):
            continue
        wordy = _is_word(name[-1]) and end < len(text) and _is_word(text[end])
        if not wordy:
            best = (name, end)
    return best


def _end(text: str, start: int, name: str) -> int | None:
    at = start
    for character in name:
        if character == " ":
            continue
        while at < len(text) and text[at] == " " and at > start:
            at += 1
        if at >= len(text) or text[at] != character:
            return None
        at += 1
    return at


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
