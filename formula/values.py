"""What an expression of a formula evaluates to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .streams import Stream


@dataclass(frozen=True, eq=False)
class Matrix:
    """Several numeric columns made by one expression, such as a spline basis.

    Attributes:
        values: shape (obs, basis); a stream where it is a column of the data.
        labels: one label per column.
        spans_intercept: whether some combination of the columns is constant; then the first one is
            left out beside an intercept.
    """

    values: np.ndarray | Stream
    labels: tuple[str | int | float, ...]
    spans_intercept: bool = False


@dataclass(frozen=True)
class Contrast:
    """A contrast coding named in a formula: `contr.sum`, `contr.treatment(base="b")`."""

    name: str
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class ResponseValue:
    """A response with what is known about its observation.

    Attributes:
        values: shape (obs,).
        extras: further arrays of shape (obs,): `trials`, `status`, `weights`, `standard_error`.
    """

    values: np.ndarray
    extras: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Transform:
    """A function that formulas may call.

    Attributes:
        name: the name in formulas.
        apply: computes the value from `(state, *arguments)` where `learn` is given, from the
            arguments alone otherwise.
        learn: computes the state (JSON-able) from the arguments on the training rows.
        role: `column`, `offset` or `response`.
        numeric: whether its columns are single columns of numbers, and not levels or bases.
        slots: parameters that are not columns: "basis" (a recipe or a kernel) or "groups" (codes).
        timed: whether `learn` and `apply` take the table's `Timeline` as the argument `timeline`.
        past: whether a call of given arguments reads strictly earlier rows alone, so that the response
            may stand in it; None where no call does.
        bank: (state, second argument) -> the filters, shape (window, basis), of a temporal transform.
        second: the name of that argument.
        aliases: further names.
        story: one sentence for the documentation.
    """

    name: str
    apply: Callable[..., Any]
    learn: Callable[..., dict[str, Any]] | None = None
    role: str = "column"
    numeric: bool = True
    slots: Mapping[str, str] = field(default_factory=dict)
    timed: bool = False
    past: Callable[..., bool] | None = None
    bank: Callable[[dict[str, Any], Any], np.ndarray] | None = None
    second: str = "basis"
    aliases: tuple[str, ...] = ()
    story: str = ""
