"""`C(x, contr.sum)`: a column as a factor, with a choice of contrasts and levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import FormulaError, LevelError, listing, shown
from ..tables import Categories, categorize
from ..values import Contrast, Matrix, Transform


def _categories(x: Any, levels: Any) -> Categories:
    if isinstance(x, Matrix):
        raise FormulaError("C() takes one column, not several.")
    if not isinstance(x, Categories | np.ndarray):
        raise FormulaError(f"C() takes a column, not {shown(x)}.")
    found = x if isinstance(x, Categories) else categorize(x)
    if levels is None:
        return found
    if not isinstance(levels, tuple | list):
        raise FormulaError(f"levels= of C() is a list such as ['a', 'b'], not {shown(levels)}.")
    wanted = list(levels)
    unknown = [level for level in found.levels if level not in wanted]
    if unknown:
        raise LevelError(
            f"C() got levels {listing(wanted)}, but the data also hold {listing(unknown)}."
        )
    order = np.array([wanted.index(level) for level in found.levels] + [-1])
    return Categories(order[found.codes], tuple(wanted))


def learn(x: Any, contrast: Any = None, levels: Any = None) -> dict[str, Any]:
    """Keeps the levels found in training."""
    return {"levels": list(_categories(x, levels).levels)}


def apply(state: dict[str, Any], x: Any, contrast: Any = None, levels: Any = None) -> Categories:
    """Codes a column by the training levels.

    Args:
        state: the training levels.
        x: a column of any kind, shape (obs,).
        contrast: `contr.sum`, `contr.treatment(base="b")`, ...
        levels: the levels in the order wanted; default sorted.

    Raises:
        LevelError: a value is not among the levels.
    """
    coded = recode(_categories(x, levels), tuple(state["levels"]), "C()")
    if contrast is None:
        return coded
    if not isinstance(contrast, Contrast):
        raise FormulaError("the second argument of C() is a contrast such as contr.sum.")
    return replace(coded, contrast=contrast.name, arguments=(contrast.arguments, contrast.options))


def recode(found: Categories, levels: tuple[Any, ...], name: str) -> Categories:
    """Codes categories by other levels.

    Raises:
        LevelError: a level that occurs is not among them.
    """
    if found.levels == levels:
        return replace(found, levels=levels)
    position = {level: i for i, level in enumerate(levels)}
    position.update({str(level): i for i, level in enumerate(levels)})
    lookup = [position.get(level, position.get(str(level), -2)) for level in found.levels]
    codes = np.array([*lookup, -1])[found.codes]
    if (codes == -2).any():
        new = [level for level, i in zip(found.levels, lookup, strict=True) if i == -2]
        raise LevelError(
            f"`{name}` holds levels that the model never saw: {listing(new)}. "
            f"Levels in training: {listing(levels)}."
        )
    return replace(found, codes=codes, levels=levels)


C = Transform(
    "C", apply, learn, numeric=False, story="A column as a factor, with a choice of contrasts."
)
