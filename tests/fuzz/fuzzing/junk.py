"""Values that no argument expects, by the Python text that makes them; and ordinary ones beside."""

from __future__ import annotations

import datetime
import decimal
import fractions
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import bayeszoo as bz

_KNOWN = {
    "np": np,
    "pd": pd,
    "bz": bz,
    "datetime": datetime,
    "decimal": decimal,
    "fractions": fractions,
}


def lines(name: str) -> list[str]:
    """Returns the entries of a list in `lists/`: one a line, escapes as in Python."""
    text = Path(__file__).with_name("lists").joinpath(f"{name}.txt").read_text("ascii")
    return [line.encode().decode("unicode_escape") for line in text.splitlines()[1:]]


VALUES: dict[str, Any] = {text: eval(text, _KNOWN) for text in [*lines("junk"), '"a" * 5000']}


def value(text: str) -> Any:
    """Returns what a text stands for; ordinary values beside junk are texts of their own."""
    if text not in VALUES:
        VALUES[text] = eval(text, _KNOWN)
    return VALUES[text]


def arguments(given: dict[str, str]) -> dict[str, Any]:
    """Returns arguments by name, each from its text."""
    return {name: value(text) for name, text in given.items()}


junk = st.sampled_from(sorted(VALUES))


def mostly(*ordinary: str, share: int = 4) -> st.SearchStrategy[str]:
    """Ordinary values, and junk once in so many times."""
    return st.integers(0, share - 1).flatmap(
        lambda i: junk if i == 0 else st.sampled_from(ordinary)
    )


def some(**options: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """Up to three of some arguments, each from its own strategy."""
    names = st.lists(st.sampled_from(sorted(options)), max_size=3, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({n: options[n] for n in chosen}))
