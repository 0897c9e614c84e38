"""What all charts share: colours, sizes and titles. Nothing is set globally."""

from __future__ import annotations

import textwrap
from typing import Any

from ..errors import OptionError, shown

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#222222")
"""Colours that colour-blind readers can tell apart (Okabe and Ito, without yellow)."""
ACCENT, SECOND, INK, GREY, PALE = "#0072B2", "#D55E00", "#222222", "#8C8C8C", "#D0D0D0"
"""Fits; what is set against them; text and population values; data; references such as zero."""
SEQUENTIAL, DIVERGING = "viridis", "blueorange"
WIDTH, HEIGHT = 340, 260
PANEL_WIDTH, PANEL_HEIGHT = 170, 150
"""The size of a chart, and of a panel among several."""
STEP = 22
"""Height of one row of a list, such as a forest."""
LINE = 88
"""Characters of one line of a subtitle."""


def title(text: str, *lines: str, width: int = LINE) -> Any:
    """Returns a title with the lines below it; long ones are wrapped, empty ones left out."""
    import altair as alt

    below = [part for line in lines for one in line.splitlines() for part in _wrapped(one, width)]
    return alt.TitleParams(
        _wrapped(text, max(40, int(0.8 * width))) or text,
        subtitle=below,
        anchor="start",
        frame="group",
        fontSize=14,
        fontWeight=600,
        subtitleFontSize=11,
        subtitleColor="#555555",
        offset=10,
        subtitlePadding=4,
    )


def _wrapped(text: str, width: int) -> list[str]:
    if not isinstance(text, str):
        raise OptionError(f"title= takes a text, not {shown(text)}.")
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def colours(levels: list[Any], places: list[int] | None = None) -> Any:
    """Returns a scale of colours for levels: the palette, or a sequence where there are many.

    With places, levels of the same place share a colour of the palette.
    """
    import altair as alt

    if places is not None:
        shared = [PALETTE[place % len(PALETTE)] for place in places]
        return alt.Scale(domain=levels, range=shared)
    if len(levels) <= len(PALETTE):
        return alt.Scale(domain=levels, range=list(PALETTE[: len(levels)]))
    return alt.Scale(domain=levels, scheme=SEQUENTIAL)


def legend() -> Any:
    """Returns a legend whose symbols are not as pale as the marks."""
    import altair as alt

    return alt.Legend(symbolOpacity=1, symbolStrokeWidth=2)
