"""A part of the run: which cases it draws, and what it does with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fuzzing.guard import Wrong
from fuzzing.tables import fingerprint


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        name: its name in the table of counts.
        share: of all cases, in per cent.
        cases: draws a case, a plain value that prints as Python.
        run: does what the case says; raises `Wrong` where an answer breaks an invariant.
    """

    name: str
    share: float
    cases: st.SearchStrategy[Any]
    run: Callable[[Any], None]


class Unchanged:
    """Checks at its end that a user's data are as they were."""

    def __init__(self, *data: Any) -> None:
        self.data = data
        self.before = [fingerprint(d) for d in data]

    def __enter__(self) -> Unchanged:
        return self

    def __exit__(self, *_: object) -> None:
        if [fingerprint(d) for d in self.data] != self.before:
            raise Wrong("the user's data were changed")


def check_finite(what: str, values: Any) -> None:
    """Raises where numbers of a tree of arrays are not finite."""
    if isinstance(values, dict):
        for name, value in values.items():
            check_finite(f"{what}.{name}", value)
    elif isinstance(values, tuple | list):
        for i, value in enumerate(values):
            check_finite(f"{what}[{i}]", value)
    elif not np.isfinite(np.asarray(values, dtype=np.float64)).all():
        raise Wrong(f"{what} holds numbers that are not finite")
