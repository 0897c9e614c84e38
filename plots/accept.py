"""What charts accept: a fit, a model, a table, or several fits by name; and how they are described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import OptionError, listing, nearest, shown
from ..inference.fit import Fit
from ..inference.model import Model

FIT = "fit"
"""The column that tells several fits apart."""


def fits(given: Any, chart: str) -> dict[str, Fit]:
    """Returns fits by name; a single one is called by its method.

    Args:
        given: a Fit, or a mapping from names to Fits.
        chart: the chart's name, for messages.

    Returns:
        name -> fit.

    Raises:
        OptionError: it is neither, or the mapping is empty.
    """
    if isinstance(given, Fit):
        return {given.method: given}
    if isinstance(given, Mapping) and given and all(isinstance(f, Fit) for f in given.values()):
        return {str(name): fit for name, fit in given.items()}
    found = type(given).__name__
    if isinstance(given, Mapping):
        other = next((v for v in given.values() if not isinstance(v, Fit)), None)
        found = (
            f"a dictionary that holds {type(other).__name__}" if given else "an empty dictionary"
        )
    remedy = " Fit the model first: model.fit()." if isinstance(given, Model) else ""
    raise OptionError(
        f'plot.{chart}() takes a fit, or several by name as {{"nuts": fit, "lme": other}}, '
        f"not {found}.{remedy}"
    )


def one_fit(given: Any, chart: str) -> Fit:
    """Returns a single fit.

    Raises:
        OptionError: it is none, or there are several.
    """
    found = fits(given, chart)
    if len(found) > 1:
        raise OptionError(f"plot.{chart}() draws one fit; choose one of {listing(found)}.")
    return next(iter(found.values()))


def mapping(option: str, value: Any) -> dict[Any, Any]:
    """Returns a dictionary that a user gave, empty for None.

    Raises:
        OptionError: it is none.
    """
    if value is not None and not isinstance(value, Mapping):
        raise OptionError(f"{option}= takes a dictionary by columns, not {shown(value)}.")
    return dict(value or {})


def columns(option: str, value: Any) -> list[Any]:
    """Returns one name or several as a list, empty for None; whether they exist is not asked.

    Raises:
        OptionError: it is neither.
    """
    if value is not None and not isinstance(value, str | list | tuple):
        raise OptionError(
            f"{option}= takes the name of a column, or a list of names, not {shown(value)}."
        )
    return [value] if isinstance(value, str) else list(value or ())


def column(name: Any, allowed: Any, option: str) -> str:
    """Returns the name of a column.

    Raises:
        OptionError: there is no such column.
    """
    names = [str(entry) for entry in allowed]
    if not isinstance(name, str) or name not in names:
        raise OptionError(
            f"{option}= takes the name of a column, not {shown(name)}.{nearest(str(name), names)} "
            f"Columns: {listing(names)}."
        )
    return name


def describe(given: Fit | Model | Mapping[str, Fit]) -> str:
    """Returns the formula, family and method of one or several fits, for a subtitle."""
    if isinstance(given, Model):
        spec = given.spec
        return f"{spec.schema.formula.text}\nfamily {spec.family.name}"
    if isinstance(given, Fit):
        return f"{describe(given.model)}, fitted by {given.method}"
    members = list(given.values())
    if len(members) == 1:
        return describe(members[0])
    formulas = {fit.model.spec.schema.formula.text for fit in members}
    if len(formulas) == 1:
        families = {fit.model.spec.family.name for fit in members}
        if len(families) == 1:
            methods = list(dict.fromkeys(fit.method for fit in members))
            return f"{formulas.pop()}\nfamily {families.pop()}, fitted by {', '.join(methods)}"
        parts = [f"{name}: {fit.model.spec.family.name}" for name, fit in given.items()]
        return f"{formulas.pop()}\n" + "; ".join(parts)
    return "\n".join(
        f"{name}: {fit.model.spec.schema.formula.text} ({fit.model.spec.family.name}, {fit.method})"
        for name, fit in given.items()
    )


def intervals(given: Mapping[str, Fit], prob: float) -> str:
    """Returns what an interval of these fits is, in words; empty where none has one."""
    kinds = set()
    for fit in given.values():
        if not fit.backend.point:
            kinds.add("confidence" if fit.backend.frequentist else "credible")
    if not kinds:
        return ""
    return f"{100 * prob:g}% {' and '.join(sorted(kinds, reverse=True))} intervals"


def groups_note(given: Mapping[str, Fit], by: Sequence[str], groups: str | None) -> str:
    """Returns what the effects of groups are in means or slopes, in words; empty without any."""
    terms = {
        group.term.group: {factor.expression for factor in group.term.by}
        for fit in given.values()
        for group in fit.model.spec.schema.predictors[0].groups
    }
    held = [name for name, factors in terms.items() if not factors <= set(by)]
    if not held or (groups is None and len(held) < len(terms)):
        return ""
    names = listing(held)
    words = {
        "fitted": f"averaged over the groups fitted: {names}",
        "new": f"of a new {names}, averaged over their distribution",
    }
    return words.get(groups or "", f"of a typical {names} (group effects 0)")
