"""`tuning(x, bspline(10))`: the functions of a basis at a value, such as a position or a direction."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DataError, DataTypeError, FormulaError, shown
from ..basis import Recipe
from ..tables import Categories
from ..values import Matrix, Transform

GRID = 201
"""Points at which it is asked whether the functions add up to a constant."""


def learn(x: Any, basis: Any, bounds: Any = None) -> dict[str, Any]:
    """Keeps the bounds: those given, or the smallest and largest value of the training rows."""
    columns, recipes = _pairs(x, basis)
    given = _given(bounds, len(columns))
    found = []
    for i, column in enumerate(columns):
        if given is not None:
            found.append(given[i])
            continue
        low, high = float(np.nanmin(column)), float(np.nanmax(column))
        if not low < high:
            raise DataError(
                f"tuning() needs values that differ, but all are {low:g}. Give bounds=(low, high)."
            )
        found.append((low, high))
    spans = all(_spans_constant(recipe) for recipe in recipes)
    return {"bounds": [list(pair) for pair in found], "spans": spans}


def apply(state: dict[str, Any], x: Any, basis: Any, bounds: Any = None) -> Matrix:
    """Evaluates a basis on values rescaled from their bounds to 0 to 1.

    Args:
        state: what was learned.
        x: a column, shape (obs,), or several in brackets.
        basis: a basis, or a product of as many as there are columns: `bspline(8) * fourier(3)`.
        bounds: (low, high) of the values, for periodic bases one period; a pair for each column. By
            default the smallest and largest value in training. Values outside are missing, or come
            round again where the basis is periodic.

    Raises:
        FormulaError: the basis and the columns do not fit.
    """
    columns, recipes = _pairs(x, basis)
    out, labels = np.ones((len(columns[0]), 1)), [""]
    for column, recipe, (low, high) in zip(columns, recipes, state["bounds"], strict=True):
        values = recipe.evaluate((column - low) / (high - low))
        if recipe.basis.density:
            values = values / (high - low)
        names = recipe.labels(values.shape[1])
        out = (out[:, :, None] * values[:, None, :]).reshape(len(out), -1)
        labels = [f"{a}, {b}" if a else str(b) for a in labels for b in names]
    flat: tuple[Any, ...] = tuple(labels) if len(recipes) > 1 else tuple(map(int, labels))
    return Matrix(out, flat, spans_intercept=bool(state["spans"]))


def _pairs(x: Any, basis: Any) -> tuple[list[np.ndarray], list[Recipe]]:
    columns = list(x) if isinstance(x, tuple) else [x]
    recipes = list(basis) if isinstance(basis, tuple) else [basis]
    for column in columns:
        if isinstance(column, Categories):
            raise DataTypeError("tuning() takes numbers, not a column of levels.")
        if not isinstance(column, np.ndarray) or column.ndim != 1:
            raise FormulaError(
                "tuning() takes a column, or several in brackets: tuning((x, y), ...)."
            )
    for recipe in recipes:
        if not isinstance(recipe, Recipe):
            raise FormulaError(
                "tuning() takes a basis such as bspline(10), not an array of its own."
            )
        if recipe.window is not None:
            raise FormulaError(
                f"in tuning() the basis {recipe.basis.name} has no window; give bounds=(low, high)."
            )
    if len(columns) != len(recipes):
        raise FormulaError(
            f"tuning() got {len(columns)} column(s) and {len(recipes)} basis(es); write one basis for "
            "each column, such as tuning((x, y), bspline(8) * bspline(8))."
        )
    return columns, recipes


def _given(bounds: Any, count: int) -> list[tuple[float, float]] | None:
    if bounds is None:
        return None
    pairs = bounds if count > 1 else (bounds,)
    good = isinstance(pairs, tuple) and len(pairs) == count
    good = good and all(
        isinstance(p, tuple)
        and len(p) == 2
        and all(isinstance(v, int | float) for v in p)
        and p[0] < p[1]
        for p in pairs
    )
    if not good:
        raise FormulaError(
            f"bounds= of tuning() is (low, high) with low < high, one pair for each column, not "
            f"{shown(bounds)}."
        )
    return [(float(low), float(high)) for low, high in pairs]


def _spans_constant(recipe: Recipe) -> bool:
    values = recipe.evaluate(np.linspace(0, 1, GRID))
    ones = np.ones(GRID)
    fitted = values @ np.linalg.lstsq(values, ones, rcond=None)[0]
    return bool(np.abs(fitted - ones).max() < 1e-9)


TUNING = Transform(
    "tuning",
    apply,
    learn,
    numeric=False,
    slots={"basis": "basis"},
    story="The functions of a basis at a value.",
)
