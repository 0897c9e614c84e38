"""A basis as formulas write it, and its functions on a window of bins or on values in [0, 1]."""

from __future__ import annotations

import inspect
import math
import numbers
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FormulaError, nearest, sentences

MAX_SIZE = 10_000
"""The most functions of a basis."""
MAX_WINDOW = 1_000_000
"""The most bins of a window."""
MAX_VALUES = 100_000_000
"""The most numbers of a kernel (0.8 GB)."""

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
_TIME = re.compile(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*(" + "|".join(UNITS) + r")\s*")


@dataclass(frozen=True)
class Basis:
    """A family of temporal or tuning functions on [0, 1].

    Attributes:
        name: the name in formulas.
        options: checks what a formula wrote and returns it as JSON-able options, without `window`;
            its signature is what a formula may write.
        values: computes the functions from `(x, **options)`, x in [0, 1] of shape (obs,); returns
            shape (obs, basis).
        equation: the functions in mathematics.
        story: when to use it.
        source: a citation.
        aliases: further names.
        periodic: whether x outside [0, 1] wraps; otherwise the functions are missing there.
        on_values: whether the functions may be evaluated on values; some exist only on the grid of
            a window.
        density: whether the functions are per unit of x, so that whoever rescaled x divides them by
            the width of its range.
        size: the number of functions from `(window, **options)`.
    """

    name: str
    options: Callable[..., dict[str, Any]]
    values: Callable[..., np.ndarray]
    equation: str
    story: str
    source: str
    aliases: tuple[str, ...] = ()
    periodic: bool = False
    on_values: bool = True
    density: bool = False
    size: Callable[..., int] = lambda window, n, **_: n

    def recipe(self, *arguments: Any, **options: Any) -> Recipe:
        """Returns the basis with the options that a formula wrote.

        Raises:
            FormulaError: the arguments do not fit the basis, or one is out of range.

        Example:
            >>> BASES["bspline"].recipe(8, "200ms").options
            (('n', 8), ('order', 4))
        """
        signature = inspect.signature(self.options)
        try:
            bound = signature.bind(*arguments, **options)
        except TypeError as problem:
            unknown = [name for name in options if name not in signature.parameters]
            near = nearest(unknown[0], signature.parameters) if unknown else ""
            raise FormulaError(
                sentences(f"{self.name}() takes {_spelled(signature)}: {problem}.", near)
            ) from None
        bound.apply_defaults()
        try:
            window = _window(bound.arguments["window"])
            checked = self.options(**bound.arguments | {"window": window})
        except FormulaError as problem:
            raise FormulaError(f"{self.name}(): {problem}") from None
        return Recipe(self, window, tuple(checked.items()))


@dataclass(frozen=True)
class Recipe:
    """A basis with its options, before any data: what `bspline(8, 200)` in a formula stands for.

    Attributes:
        basis: the member of the registry.
        window: in bins, or as a text such as "200ms"; None where none was written.
        options: the checked options, hashable.
    """

    basis: Basis
    window: int | str | None
    options: tuple[tuple[str, Any], ...]

    def size(self, window: int) -> int:
        """Returns the number of functions on a window of so many bins."""
        return self.basis.size(window, **dict(self.options))

    def kernel(self, window: int) -> np.ndarray:
        """Returns the functions on the bins of a window, `linspace(0, 1, window)`.

        Args:
            window: number of bins, >= 1.

        Returns:
            shape (window, basis).

        Raises:
            FormulaError: the window is too short for the basis, or both are huge.
        """
        size = self.size(window)
        if window * size > MAX_VALUES:
            raise FormulaError(
                f"{self.basis.name}(): {size:,} functions on {window:,} bins are "
                f"{window * size:,} numbers, more than {MAX_VALUES:,}. Take fewer functions, "
                f"or a shorter window."
            )
        return self.basis.values(np.linspace(0.0, 1.0, window), **dict(self.options))

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Returns the functions on values that were rescaled so that their range is [0, 1].

        Args:
            x: shape (obs,). Outside [0, 1] it wraps where the basis is periodic.

        Returns:
            shape (obs, basis); NaN where x is missing, infinite, or outside and not wrapped.

        Raises:
            FormulaError: the basis exists only on a window.
        """
        if not self.basis.on_values:
            raise FormulaError(
                f"{self.basis.name}() exists only on the bins of a window, in conv(); it cannot be "
                f"evaluated on values, as in tuning()."
            )
        x = np.asarray(x, dtype=np.float64)
        inside = (x >= 0) & (x <= 1)
        if self.basis.periodic:
            with np.errstate(invalid="ignore"):  # infinity has no phase: NaN
                x = np.where(inside, x, x - np.floor(x))
            inside = ~np.isnan(x)
        if len(x) and inside.all():
            return self.basis.values(x, **dict(self.options))
        out = np.full((len(x), self.size(0)), np.nan)
        if inside.any():
            out[inside] = self.basis.values(x[inside], **dict(self.options))
        return out

    def labels(self, count: int) -> tuple[int, ...]:
        """Returns the labels of the functions, 0 to count - 1."""
        return tuple(range(count))


def seconds(text: str) -> float:
    """Returns the seconds that a text such as "200ms", "0.2 s", "150us" or "1min" stands for.

    Raises:
        FormulaError: it is no positive number with one of these units.
    """
    match = _TIME.fullmatch(text)
    value = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 0 < value < math.inf:
        raise FormulaError(
            f"{text!r} is no time. A time is a positive number with a unit "
            f'({", ".join(UNITS)}), such as "200ms" or "0.2s".'
        )
    return value


def bins(window: int | str | None, bin_width: float | None) -> int:
    """Returns how many bins a window has.

    Args:
        window: in bins, or a time such as "200ms".
        bin_width: in seconds, > 0; None if the data has no time axis.

    Raises:
        FormulaError: there is no window; a time is given without a time axis; or it is not a whole
            number of bins (within 0.1 % of itself), 1 to 1,000,000.
    """
    if window is None:
        raise FormulaError("a window is missing: its number of bins, or a time such as '200ms'.")
    if not isinstance(window, str):
        return window
    if bin_width is None:
        raise FormulaError(
            f"the window {window!r} is a time, but the data has no time axis. Write the window "
            f"in bins (rows), such as 200."
        )
    count = seconds(window) / bin_width
    if count > MAX_WINDOW:
        raise FormulaError(
            f"the window {window!r} has {count:,.0f} bins of {_time(bin_width)}, more than "
            f"{MAX_WINDOW:,}."
        )
    found = round(count)
    if found < 1 or abs(count - found) > 1e-3 * found:
        around = sorted({max(1, math.floor(count)), math.ceil(count)})
        near = " and ".join(f'"{_time(whole_bins * bin_width)}"' for whole_bins in around)
        raise FormulaError(
            f"the window {window!r} is {count:.6g} bins of {_time(bin_width)}, not a whole number. "
            f"Nearest: {near}."
        )
    return found


def whole(name: str, value: Any, least: int, most: int = MAX_SIZE) -> int:
    """Returns an option that is a whole number from least to most.

    Raises:
        FormulaError: it is not.
    """
    if not (_number(value, numbers.Integral) and least <= value <= most):
        raise FormulaError(
            f"{name} is a whole number from {least:,} to {most:,}, not {_short(value)}."
        )
    return int(value)


def positive(name: str, value: Any) -> float:
    """Returns an option that is a positive number, within bounds that keep arithmetic finite.

    Raises:
        FormulaError: it is not.
    """
    if not (_number(value, numbers.Real) and 1e-9 <= value <= 1e9):
        raise FormulaError(f"{name} is a positive number (1e-9 to 1e9), not {_short(value)}.")
    return float(value)


def switch(name: str, value: Any) -> bool:
    """Returns an option that is True or False.

    Raises:
        FormulaError: it is neither.
    """
    if not isinstance(value, bool):
        raise FormulaError(f"{name} is True or False, not {_short(value)}.")
    return value


def _window(value: Any) -> int | str | None:
    """Checks a window as written; a time is kept as text, since bins are known with the data."""
    if isinstance(value, str):
        seconds(value)
        return value
    if value is None or (_number(value, numbers.Integral) and 1 <= value <= MAX_WINDOW):
        return None if value is None else int(value)
    raise FormulaError(
        f"window is a whole number of bins from 1 to {MAX_WINDOW:,}, or a time such as "
        f'"200ms", not {_short(value)}.'
    )


def _number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a huge number"
    return text if len(text) <= 60 else text[:57] + "..."


def _spelled(signature: inspect.Signature) -> str:
    parameters = (p.replace(annotation=p.empty) for p in signature.parameters.values())
    return f"({', '.join(map(str, parameters))})"


def _time(value: float) -> str:
    """Returns seconds in the largest unit that leaves at least 1."""
    unit = next((unit for unit in ("s", "ms") if value >= UNITS[unit] * (1 - 1e-9)), "us")
    return f"{value / UNITS[unit]:.9g}{unit}"
