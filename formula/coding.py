"""How the factors of a term become columns: contrasts, and which levels are left out.

A term is coded against the terms before it, so that the columns of all terms together are linearly
independent whatever the order and whichever main effects are present (the rule of S and R, in the
general form of the patsy documentation).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from formulaic.transforms import ContrastsRegistry

from ..errors import FormulaError
from .convolution import Filtered
from .tables import Categories
from .values import Matrix

Block = tuple[tuple[int, bool], ...]
"""One block of a term's columns: (position of the factor in the term, whether coded in full)."""


def plan(terms: Sequence[tuple[tuple[str, bool], ...]]) -> list[tuple[Block, ...]]:
    """Decides for each term which factors are coded in full and which leave out a level.

    Args:
        terms: for each term its factors as (name, whether it spans the intercept).

    Returns:
        For each term its blocks of columns.
    """
    used: dict[frozenset[str], set[frozenset[str]]] = {}
    plans = []
    for term in terms:
        numeric = frozenset(name for name, spans in term if not spans)
        categorical = [name for name, spans in term if spans]
        seen = used.setdefault(numeric, set())
        fresh: list[dict[str, bool]] = []
        for size in range(len(categorical) + 1):
            for subset in itertools.combinations(categorical, size):
                if frozenset(subset) not in seen:
                    seen.add(frozenset(subset))
                    fresh.append(dict.fromkeys(subset, False))
        while _absorb(fresh):
            pass
        positions = {name: i for i, (name, _) in enumerate(term)}
        always = [(positions[name], True) for name in sorted(numeric, key=positions.__getitem__)]
        plans.append(
            tuple(
                tuple(sorted([*always, *((positions[n], full) for n, full in block.items())]))
                for block in fresh
            )
        )
    return plans


def _absorb(blocks: list[dict[str, bool]]) -> bool:
    """Joins one pair `a`, `a:b-` to `a:b` with b in full; returns whether a pair was found."""
    for i, short in enumerate(blocks):
        for j in range(i + 1, len(blocks)):
            long = blocks[j]
            extra = [name for name in long if name not in short]
            same = all(long.get(name) == full for name, full in short.items())
            if len(extra) == 1 and len(long) == len(short) + 1 and same and not long[extra[0]]:
                long[extra[0]] = True
                del blocks[i]
                return True
    return False


def columns(value: Any, full: bool, rows: np.ndarray) -> np.ndarray:
    """Returns the columns (len(rows), k) of one factor at some rows."""
    if isinstance(value, Categories):
        matrix, _ = _contrast_matrix(value, full)
        padded = np.vstack([matrix, np.full((1, matrix.shape[1]), np.nan)])
        return padded[value.codes[rows]]
    if isinstance(value, Filtered):
        taken = value.take(rows)
    elif isinstance(value, Matrix):
        held = value.values
        whole = isinstance(held, np.ndarray) and len(rows) == len(held)
        taken = np.asarray(held) if whole else held[rows]
    else:
        return value[rows][:, None]
    return taken if full or not value.spans_intercept else taken[:, 1:]


def labels(value: Any, full: bool) -> tuple[Any, ...]:
    """Returns the labels of the columns of one factor; a plain number has none."""
    if isinstance(value, Categories):
        return _contrast_matrix(value, full)[1]
    if isinstance(value, Matrix | Filtered):
        return value.labels[0 if full else 1 :]
    return ("",)


def product(values: Sequence[Any], block: Block, rows: np.ndarray) -> np.ndarray:
    """Multiplies the columns of the factors of one block, the first factor varying fastest (as R)."""
    parts = [columns(values[position], full, rows) for position, full in block]
    matrix = parts[0]
    for other in parts[1:]:
        matrix = (other[:, :, None] * matrix[:, None, :]).reshape(len(matrix), -1)
    return matrix


def product_labels(values: Sequence[Any], block: Block) -> tuple[Any, ...]:
    """Returns the labels of the columns that `product` makes."""
    parts = [labels(values[position], full) for position, full in block]
    joined = parts[0]
    for more in parts[1:]:
        joined = tuple(_join(a, b) for b in more for a in joined)
    return joined


def _join(a: Any, b: Any) -> Any:
    if a == "" or b == "":
        return b if a == "" else a
    return f"{a}, {b}"


def _contrast_matrix(value: Categories, full: bool) -> tuple[np.ndarray, tuple[Any, ...]]:
    levels = list(value.levels)
    name = value.contrast or "treatment"
    if full and name != "poly":
        return np.eye(len(levels)), tuple(levels)
    arguments, options = value.arguments or ((), ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            contrast = getattr(ContrastsRegistry, name)(*arguments, **dict(options))
            matrix = np.asarray(contrast.get_coding_matrix(levels, reduced_rank=not full))
            labels = contrast.get_coding_column_names(levels, reduced_rank=not full)
        except Exception as error:
            wrong = "one of its arguments is of another kind than it takes"
            reason = str(error).rstrip(".") if isinstance(error, ValueError) else wrong
            raise FormulaError(
                f"the contrast contr.{name} cannot be used here: {reason}."
            ) from None
    return matrix.astype(np.float64), tuple(labels)
