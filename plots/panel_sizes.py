"""Sizes of panels: many are small, and few levels need little width."""

from __future__ import annotations

from .theme import HEIGHT, PANEL_HEIGHT, PANEL_WIDTH, WIDTH


def panel_size(panels: int, levels: int | None = None) -> tuple[int, int]:
    """Returns width and height of each of so many panels.

    Args:
        panels: how many there are.
        levels: how many levels stand along the horizontal axis; None for numbers.
    """
    width, height = (WIDTH, HEIGHT) if panels == 1 else (PANEL_WIDTH, PANEL_HEIGHT)
    if panels > 12:
        width, height = 120, 110
    if levels is None:
        return width, height
    needed = (90 if panels == 1 else 45) * max(levels, 1) + 20
    return max(min(needed, 2 * width), 100), height
