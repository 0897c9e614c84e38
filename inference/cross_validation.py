"""Held-out scores over contiguous blocks of time, and the size of a basis by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError, shown
from ..formula import read
from .folds import fill_in, held_out
from .options import choice, whole
from .score import KINDS, SMALLER_IS_BETTER, score_point


def cross_validate(
    formula: str,
    data: Any,
    *,
    family: object = "normal",
    folds: int | str = 5,
    method: str = "map",
    kind: str = "log_likelihood",
    gap: int | None = None,
    groups: str | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Scores a model on blocks of rows that it was not trained on.

    The rows that the model can use are cut into contiguous blocks, in the order of the table, so that
    neighbouring bins, which resemble each other, do not stand on both sides. Each block is scored by a
    fit of the rows outside of it and of a gap on both sides, so that no window of a training row holds
    a test row. Levels, knots, bounds and default priors are learned from training rows alone; filters
    see the whole series as history.

    Args:
        formula: as for `Model`.
        data: in any form that Model takes; rows in order of time, each series in one piece.
        family: as for `Model`.
        folds: number of blocks; or `"group:mouse"`, and every block is the rows of one mouse.
        method: of fitting.
        kind: the score, as for `Fit.score`: `log_likelihood`, `mcfadden`, `cohen` or `deviance`. The
            null model of a block has the block's own mean.
        gap: rows left out on both sides of a block; by default the reach of the longest window.
        groups: "fitted", or "population", which sets group effects to 0, for blocks whose groups are
            in no other block; by default "fitted", and "population" where blocks are groups.
        **options: further options of `Model` (link, priors, mask, functions) and of `Model.fit`.

    Returns:
        One row per fold (by its number or its group), and the mean of all: `start` and `stop` (first
        and last row of the block), `train_rows`, `test_rows`, `score`, `converged` (False where the
        method says so itself).

    Raises:
        OptionError: an unknown score, or folds or gap out of range.
        DataError: a fold leaves no row to train on, or none to score.
        LevelError: a block holds a level or group that all others lack.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lnp_cell(bins=2000)
        >>> table = bz.cross_validate(truth["formula"], data, family="poisson", folds=3)
        >>> list(table.index)
        [1, 2, 3, 'mean']
    """
    choice("kind", kind, KINDS)
    groups = _groups(groups, folds)
    given = {"family": family, "method": method, "groups": groups, **options}
    table = read(data)
    rows, labels = [], []
    for fold in held_out([formula], table, [given], folds, gap):
        point = fold.points[0]
        labels.append(fold.label)
        rows.append(
            {
                "start": fold.block[0],
                "stop": fold.block[-1],
                "train_rows": fold.train_rows,
                "test_rows": len(point.rows),
                "score": float(score_point(point, kind)),
                "converged": fold.fits[0].draws.converged,
            }
        )
    converged = all(row["converged"] is not False for row in rows)
    out = pd.DataFrame(rows, index=pd.Index(labels, name="fold", dtype=object))
    whole_numbers = ["start", "stop", "train_rows", "test_rows"]
    out[whole_numbers] = out[whole_numbers].astype("Int64")
    out.loc["mean", ["score", "converged"]] = out["score"].mean(), converged
    return out


def choose_basis(
    formula: str,
    data: Any,
    n: Sequence[int],
    *,
    family: object = "normal",
    folds: int | str = 5,
    method: str = "map",
    kind: str = "log_likelihood",
    gap: int | None = None,
    groups: str | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Compares numbers of basis functions by their scores on held-out blocks of the same rows.

    Args:
        formula: with `{n}` where the number stands: `"spikes ~ conv(x, raised_cos_log({n}, 200))"`.
        data: as for `cross_validate`.
        n: the numbers to compare.
        family: as for `Model`.
        folds: as for `cross_validate`.
        method: of fitting.
        kind: the score.
        gap: as for `cross_validate`; by default of the longest window of all.
        groups: as for `cross_validate`.
        **options: as for `cross_validate`; names of priors and of masks may hold `{n}` too.

    Returns:
        One row per number: `score` (mean over folds) and its `standard_error`; `behind`, by how much it
        is worse than the best, and the standard error of that, fold by fold, `behind_error`; whether it
        is the `best`; and whether it is `chosen`: the smallest number that is behind by at most one
        standard error.

    Raises:
        OptionError: no `{n}` in the formula, or numbers that are not different whole numbers.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lnp_cell(bins=2000)
        >>> formula = "spikes ~ conv(stim, bspline({n}, 25), lag=0)"
        >>> table = bz.choose_basis(formula, data, [4, 6], family="poisson", folds=3)
        >>> list(table.index)
        [4, 6]
    """
    choice("kind", kind, KINDS)
    numbers = list(n) if isinstance(n, Sequence | np.ndarray | range) else [n]
    numbers = [whole("n", value, 1) for value in numbers]
    if not numbers or len(set(numbers)) < len(numbers):
        raise OptionError(f"n= takes different whole numbers, such as [4, 6, 8], not {shown(n)}.")
    if "{n}" not in formula:
        raise OptionError(
            f"`{formula}` holds no {{n}}, which stands for the number of basis functions: "
            '"y ~ conv(x, raised_cos_log({n}, 200))".'
        )
    groups = _groups(groups, folds)
    given = {"family": family, "method": method, "groups": groups, **options}
    formulas = [formula.replace("{n}", str(value)) for value in numbers]
    choices = [fill_in(given, value) for value in numbers]
    table = read(data)
    scores = np.array(
        [
            [float(score_point(point, kind)) for point in fold.points]
            for fold in held_out(formulas, table, choices, folds, gap)
        ]
    )
    return _compare(scores, numbers, kind)


def _groups(groups: str | None, folds: int | str) -> str:
    """Returns the default of `groups` where it was not given."""
    if groups is not None:
        return groups
    return "population" if isinstance(folds, str) else "fitted"


def _compare(scores: np.ndarray, numbers: list[int], kind: str) -> pd.DataFrame:
    """Builds the table of `choose_basis` from scores of shape (fold, number)."""
    sign = -1.0 if kind in SMALLER_IS_BETTER else 1.0
    root = np.sqrt(len(scores))
    mean = scores.mean(axis=0)
    best = int(np.argmax(sign * mean))
    behind = sign * (scores[:, [best]] - scores)
    error = behind.std(axis=0, ddof=1) / root
    close = behind.mean(axis=0) <= error
    chosen = min(number for number, good in zip(numbers, close, strict=True) if good)
    return pd.DataFrame(
        {
            "score": mean,
            "standard_error": scores.std(axis=0, ddof=1) / root,
            "behind": behind.mean(axis=0),
            "behind_error": error,
            "best": np.arange(len(numbers)) == best,
            "chosen": np.array(numbers) == chosen,
        },
        index=pd.Index(numbers, name="n"),
    )
