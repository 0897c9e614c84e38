"""What a chart is: a function that draws, and one that computes the table it draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Chart:
    """A chart, as one constant.

    Attributes:
        name: its name in `bz.plot`.
        draw: the function that returns an Altair chart.
        compute: the function that returns the tidy table; it does not import Altair.
        story: the question that the chart answers.
    """

    name: str
    draw: Callable[..., Any]
    compute: Callable[..., pd.DataFrame]
    story: str = ""
