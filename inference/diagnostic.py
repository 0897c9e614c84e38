"""What a diagnostic is: one kind of trouble, looked for in a fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .summary import summarize

if TYPE_CHECKING:
    from .fit import Fit


@dataclass(frozen=True, eq=False)
class Evidence:
    """A fit, and what several diagnostics read of it."""

    fit: Fit

    @cached_property
    def table(self) -> pd.DataFrame:
        """The summary of all parameters but the group effects."""
        fit = self.fit
        return summarize(fit.model.spec, fit.backend, fit.draws, 0.95, groups=False)

    @property
    def chains(self) -> int:
        """The number of chains."""
        return np.shape(self.fit.draws.stats["diverging"])[0]


@dataclass(frozen=True)
class Diagnostic:
    """One kind of trouble.

    Attributes:
        name: a short name.
        find: evidence -> findings: full sentences, each with its remedy; none where all is well.
        rank: where its findings stand in the list, the most serious first.
        of_chains: whether it is about Markov chains.
    """

    name: str
    find: Callable[[Evidence], list[str]]
    rank: int
    of_chains: bool = False
