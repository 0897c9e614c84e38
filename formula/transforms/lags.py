"""`lags(x, 25)`: the present and the 24 bins before, one column each; zeros before the start."""

from __future__ import annotations

from typing import Any

from ..bases import BASES
from ..convolution import Filtered
from ..tables import Categories
from ..timeline import Timeline
from ..values import Transform
from . import conv

HISTORY = BASES["history"]


def learn(
    x: Any, count: Any, by: Categories | None = None, *, timeline: Timeline
) -> dict[str, Any]:
    """Keeps the number of bins and their width."""
    return conv.learn(x, HISTORY.recipe(count), by, 0, "zero", timeline=timeline)


def apply(
    state: dict[str, Any], x: Any, count: Any, by: Categories | None = None, *, timeline: Timeline
) -> Filtered:
    """Lays the last `count` bins side by side: conv(x, history(count), lag=0, pad="zero")."""
    return conv.apply(state, x, HISTORY.recipe(count), by, 0, "zero", timeline=timeline)


def bank(state: dict[str, Any], count: Any) -> Any:
    """One filter for each lag."""
    return conv.bank(state, HISTORY.recipe(count))


def past(*arguments: Any, **options: Any) -> bool:
    """Its first column is the present bin."""
    return False


LAGS = Transform(
    "lags",
    apply,
    learn,
    numeric=False,
    slots={"by": "groups"},
    timed=True,
    past=past,
    bank=bank,
    second="count",
    story="The present bin and those before it, one column each.",
)
