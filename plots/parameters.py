"""Printed names of parameters as users choose them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..errors import OptionError, listing, nearest, shown
from ..inference.fit import Fit
from ..inference.variables import printed_rows, variables

KINDS = {
    "common": "coefficients",
    "scale": "standard deviations of groups",
    "correlation": "correlations",
    "scalar": "parameters of the family",
}


def parameter_kinds(fit: Fit) -> dict[str, str]:
    """Returns printed name -> what it is: intercept, coefficient, effect of a group, ..."""
    found, coords = variables(fit.model.spec)
    out = {}
    for variable in found:
        kind = KINDS.get(variable.kind, variable.name)
        kind = "intercept" if variable.name.endswith("Intercept") else kind
        out |= {name: kind for name, _ in printed_rows(variable, coords)}
    return out


def choose(names: Sequence[str] | str | None, available: list[str]) -> list[str]:
    """Returns the printed names wanted, in the order asked for.

    Args:
        names: printed names, or names of variables (`C(stim)` for `C(stim)[b]`, `C(stim)[c]`); None
            for all.
        available: all printed names.

    Raises:
        OptionError: there is no such parameter.
    """
    if names is None:
        return available
    if not isinstance(names, str | list | tuple | pd.Index):
        raise OptionError(f"names= takes names of parameters, not {shown(names)}.")
    asked = [names] if isinstance(names, str) else list(names)
    out: list[str] = []
    for name in asked:
        found = [entry for entry in available if entry == name]
        found = found or [entry for entry in available if entry.startswith(f"{name}[")]
        if not found:
            raise OptionError(
                f"there is no parameter {shown(name)}.{nearest(str(name), available)} "
                f"Parameters: {listing(available)}."
            )
        out += found
    if not out:
        raise OptionError(f"names= is empty. Parameters: {listing(available)}.")
    return list(dict.fromkeys(out))
