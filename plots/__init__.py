"""Charts: `bz.plot.NAME(...)` draws, `bz.plot.NAME_data(...)` is the table that is drawn.

One file per chart in `charts/`. Charts are Altair's, so they compose with `|`, `&`, `+` and `.facet`,
and `chart.save("name.png")` (or `.svg`, `.html`) needs no browser.
"""

from __future__ import annotations

from typing import Any

SUFFIX = "_data"
"""What turns the name of a chart into the name of its table."""


def __getattr__(name: str) -> Any:
    """Returns a chart's function, or that of its table."""
    if name.startswith("_"):
        raise AttributeError(name)
    from .charts import CHARTS

    if name in CHARTS:
        return CHARTS[name].draw
    if name.removesuffix(SUFFIX) in CHARTS:
        return CHARTS[name.removesuffix(SUFFIX)].compute
    from ..errors import listing, nearest

    raise AttributeError(
        f"there is no chart `{name}`.{nearest(name, CHARTS)} Charts: {listing(CHARTS)}."
    )


def __dir__() -> list[str]:
    from .charts import CHARTS

    return sorted(f"{name}{suffix}" for name in CHARTS for suffix in ("", SUFFIX))
