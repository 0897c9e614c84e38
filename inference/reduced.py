"""What is kept of each of many fits, and the table of all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError, shown
from .fit import Fit
from .options import choice

NAMED: dict[str, Callable[[Fit], pd.DataFrame]] = {
    "summary": lambda fit: fit.summary().rename_axis("parameter")
}
"""Reductions by name."""


def reduction(reduce: Any) -> Callable[[Fit], Any]:
    """Returns the function that reduces a fit.

    Raises:
        OptionError: it is neither a function nor the name of one.
    """
    if callable(reduce):
        return reduce
    if isinstance(reduce, str):
        return NAMED[choice("reduce", reduce, tuple(NAMED))]
    raise OptionError(f'reduce= takes a function of a fit, or "summary", not {shown(reduce)}.')


def as_frame(value: Any) -> pd.DataFrame:
    """Returns what a reduction gave as a table: one row, unless it is a table already.

    Raises:
        OptionError: it is none of a number, a mapping, a Series and a DataFrame.
    """
    if isinstance(value, pd.DataFrame):
        return value
    if isinstance(value, Mapping | pd.Series):
        return pd.DataFrame([dict(value)])
    if np.ndim(value) == 0 and isinstance(
        value, int | float | str | bool | np.generic | np.ndarray
    ):
        return pd.DataFrame({"value": [np.asarray(value).item()]})
    raise OptionError(
        f"reduce= must return a number, a mapping, a Series or a DataFrame, not {type(value).__name__}."
    )


def join(names: Sequence[Hashable], values: Sequence[Any]) -> pd.DataFrame:
    """Joins the tables of all data sets.

    Args:
        names: of the data sets.
        values: for each the value of the reduction, or an error.

    Returns:
        A table with the index level `dataset`, then the levels of tables that had several rows; errors
        are left out, and listed in `attrs["errors"]`.
    """
    pairs = [(n, v) for n, v in zip(names, values, strict=True) if not isinstance(v, Exception)]
    frames = [as_frame(value) for _, value in pairs]
    known = [name for name, _ in pairs]
    if any(isinstance(value, pd.DataFrame) for _, value in pairs):
        out = pd.concat(frames, keys=known, names=["dataset"])
    else:
        out = pd.concat(frames, ignore_index=True)
        out.index = pd.Index(known, name="dataset")
    failed = {n: str(v) for n, v in zip(names, values, strict=True) if isinstance(v, Exception)}
    out.attrs["errors"] = failed
    return out
