"""Checks of options, with messages of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from inspect import signature
from typing import Any

import numpy as np

from ..errors import OptionError, listing, nearest, shown


def whole(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Returns a whole number within bounds.

    Raises:
        OptionError: it is not whole or out of bounds.
    """
    good = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not good or value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high}"
        raise OptionError(f"{name}= takes a whole number {bounds}, not {shown(value)}.")
    return int(value)


def number(name: str, value: Any, low: float, high: float) -> float:
    """Returns a number strictly within bounds.

    Raises:
        OptionError: it is not a number, or out of bounds.
    """
    good = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not good or not low < value < high:
        raise OptionError(
            f"{name}= takes a number between {low:g} and {high:g}, not {shown(value)}."
        )
    return float(value)


def numbers(name: str, value: Any, what: str) -> np.ndarray:
    """Returns an array of numbers.

    Raises:
        OptionError: it holds something else; `what` says what is expected.
    """
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise OptionError(f"{name}= takes {what}, not {shown(value)}.") from None


def flag(name: str, value: Any) -> bool:
    """Returns a truth value.

    Raises:
        OptionError: it is none.
    """
    if not isinstance(value, bool | np.bool_) and not (type(value) is int and value in (0, 1)):
        raise OptionError(f"{name}= takes True or False, not {shown(value)}.")
    return bool(value)


def choice(name: str, value: Any, allowed: Any) -> str:
    """Returns one of the allowed texts.

    Raises:
        OptionError: it is none of them.
    """
    if not isinstance(value, str) or value not in allowed:
        raise OptionError(
            f"{name}= takes {listing(repr(a) for a in allowed)}, not {shown(value)}."
            f"{nearest(str(value), allowed)}"
        )
    return value


def asked(verb: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """Calls a verb with the options of a user.

    Raises:
        OptionError: it has no such option.
    """
    names = list(signature(verb).parameters)[len(given) :]
    for name in options:
        if name not in names:
            raise OptionError(
                f"{verb.__name__}() has no option `{name}`.{nearest(name, names)} "
                f"Options: {listing(names) or 'none'}."
            )
    return verb(*given, **options)


def settings(kind: type[Any], method: str, options: dict[str, Any]) -> Any:
    """Builds a backend's settings from the user's options.

    Raises:
        OptionError: the method has no such option.
    """
    names = [field.name for field in fields(kind)]
    for name in options:
        if name not in names:
            raise OptionError(
                f'method "{method}" has no option `{name}`.{nearest(name, names)} '
                f"Options: {listing(names) or 'none'}."
            )
    return kind(**options)
