"""Priors as values: compared, printed, stored as text, and turned into NumPyro distributions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpyro.distributions as dist

from ..errors import PriorError, listing, nearest, shown
from .penalties import TermFacts
from .prior_kinds import KINDS

Number = float | tuple[Any, ...]
SHOWN = 12
"""A prior with more numbers than this is printed with the first two and the last."""


@dataclass(frozen=True)
class Prior:
    """A prior: its name and its numbers.

    Attributes:
        name: a name of `KINDS`, or that of a NumPyro distribution given by the user.
        arguments: (name, number or tuple of numbers) in order.
        custom: the user's own NumPyro distribution, where it is none of `KINDS`.
        bound: the numbers of a penalty, once it is known on how many rows and which term it is put.
        static: (parts, size) of the coefficients of such a term.
    """

    name: str
    arguments: tuple[tuple[str, Number], ...] = ()
    custom: Any = field(default=None, compare=False)
    bound: tuple[tuple[str, Number], ...] = field(default=(), compare=False)
    static: tuple[tuple[str, int], ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(_show(value) for _, value in self.arguments)})"

    def distribution(self) -> Any:
        """Returns the NumPyro distribution."""
        return self.form.build(self.numbers())

    def bind(self, facts: TermFacts) -> Prior:
        """Returns the prior with its numbers for a term; only penalties and joint priors change."""
        kind = None if self.custom is not None else KINDS[self.name]
        if kind is None or kind.bind is None:
            return self
        numbers = kind.bind(facts, **dict(self.arguments))
        static = (("parts", facts.sources), ("size", facts.size)) if kind.parts else ()
        bound = tuple((k, _tuples(np.asarray(v).tolist())) for k, v in numbers.items())
        return replace(self, bound=bound, static=static)

    def numbers(self) -> dict[str, np.ndarray]:
        """Returns the arguments as arrays."""
        given = self.bound or self.arguments
        return {name: np.asarray(value, dtype=np.float64) for name, value in given}

    @property
    def penalty(self) -> dict[str, Any] | None:
        """Minus the log density as parts of a penalty (see `Kind`), or None where it is none."""
        kind = None if self.custom is not None else KINDS[self.name]
        return None if kind is None or kind.penalty is None else kind.penalty(**self.numbers())

    @property
    def form(self) -> Form:
        """What a compiled program must know of the prior beside its numbers."""
        bounds = tuple(
            (f"finite_{name}", bool(np.all(np.isfinite(value)))) for name, value in self.arguments
        )
        return Form(self.name, bounds if self.name == "Flat" else self.static, self.custom)

    @property
    def is_correlation(self) -> bool:
        """Whether this is a prior of a correlation matrix."""
        return self.custom is None and KINDS[self.name].of_correlation


@dataclass(frozen=True)
class Form:
    """A prior without its numbers: static under jit, while the numbers are arguments.

    Attributes:
        name: the kind.
        finite: which bounds of an improper prior are finite; how a term falls into parts.
        custom: the user's own NumPyro distribution, numbers included.
    """

    name: str
    finite: tuple[tuple[str, int], ...] = ()
    custom: Any = None

    def build(self, numbers: Mapping[str, Any], unit: Any = None) -> Any:
        """Returns the NumPyro distribution with these numbers.

        Args:
            numbers: the arguments.
            unit: what a penalty is measured in, by default 1; broadcasts against the arguments.
        """
        if self.custom is not None:
            return self.custom
        kind = KINDS[self.name]
        if kind.relative and unit is not None:
            numbers = {**numbers, "unit": unit}
        return kind.build(**numbers, **dict(self.finite))

    @property
    def gaussian(self) -> bool:
        """Whether the prior is normal, or flat on the whole line."""
        known = self.custom is None and KINDS[self.name].normal is not None
        return known and not any(bounded for _, bounded in self.finite)

    def normal(self, numbers: Mapping[str, Any]) -> tuple[Any, Any]:
        """Returns centre and precision of a prior that is normal or flat."""
        kind = KINDS[self.name]
        return kind.normal(**numbers) if kind.normal is not None else (0.0, 0.0)

    @property
    def relative(self) -> bool:
        """Whether the prior is measured in units of the family's loss."""
        return self.custom is None and KINDS[self.name].relative

    @property
    def joint(self) -> bool:
        """Whether the prior is about all coefficients of a term together."""
        return self.custom is None and KINDS[self.name].joint

    @property
    def local(self) -> bool:
        """Whether every coefficient has a scale of its own, which is sampled."""
        return self.custom is None and KINDS[self.name].local

    @property
    def key(self) -> str:
        """A text that is equal for equal forms; a user's own object is named by its identity."""
        own = "" if self.custom is None else f" object {id(self.custom)}"
        return f"{self.name}{self.finite}{own}"


def make(name: str, *values: Any, **named: Any) -> Prior:
    """Builds a prior of a kind from numbers.

    Raises:
        PriorError: unknown arguments, a missing one, or one that is not positive where it must be.
    """
    kind = KINDS[name]
    names = [argument for argument, _ in kind.arguments]
    if len(values) > len(names):
        raise PriorError(f"{name}() takes {len(names)} numbers ({listing(names)}).")
    given = dict(zip(names, values, strict=False))
    for key, value in named.items():
        if key not in names or key in given:
            raise PriorError(
                f"{name}() has no argument `{key}` left.{nearest(key, names)} "
                f"It takes {listing(names)}."
            )
        given[key] = value
    arguments = []
    for argument, default in kind.arguments:
        value = given.get(argument, default)
        if value is None:
            raise PriorError(f"{name}() needs `{argument}`. It takes {listing(names)}.")
        number = _number(value, f"{name}({argument}=)")
        low = np.min(number)
        if not kind.unbounded and not np.isfinite(number).all():
            flat = "Flat(low, high)" if argument in ("low", "high") else "Flat()"
            raise PriorError(f"{name}() needs a finite {argument}; for no prior at all use {flat}.")
        if argument in kind.positive and not low > 0:
            raise PriorError(f"{name}() needs {argument} > 0, not {_show(number)}.")
        arguments.append((argument, number))
    bounds = dict(arguments)
    shapes = [np.shape(value) for value in bounds.values() if np.shape(value)]
    if len(set(shapes)) > 1:
        raise PriorError(f"the numbers of {name}() have different shapes: {listing(shapes)}.")
    if "low" in bounds and not np.all(np.less(bounds["low"], bounds["high"])):
        raise PriorError(f"{name}() needs low < high.")
    return Prior(name, tuple(arguments))


def _number(value: Any, where: str) -> Number:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise PriorError(f"{where} takes a number, not {shown(value)}.") from None
    if np.isnan(array).any():
        raise PriorError(f"{where} is not a number.")
    return float(array) if array.ndim == 0 else _tuples(array.tolist())


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else float(value)


def _show(value: Number) -> str:
    if isinstance(value, tuple) and len(value) > SHOWN:
        return (
            f"[{_show(value[0])}, {_show(value[1])}, ..., {_show(value[-1])}: {len(value)} numbers]"
        )
    if isinstance(value, tuple):
        return "[" + ", ".join(_show(item) for item in value) + "]"
    return f"{value:.4g}"


def as_prior(value: Any, name: str) -> Prior:
    """Reads a prior from a Prior, a NumPyro distribution, or a text such as "normal(0, 1)".

    Args:
        value: what the user gave.
        name: the parameter, for the message.

    Raises:
        PriorError: it is none of these, or the text is no prior.
    """
    if isinstance(value, Prior):
        return value
    if isinstance(value, str):
        return parse_prior(value)
    if isinstance(value, dist.Distribution):
        return _from_numpyro(value)
    raise PriorError(
        f"the prior of `{name}` has the type {type(value).__name__}. Give for example bz.Normal(0, 1), "
        '"normal(0, 1)", or a NumPyro distribution.'
    )


def parse_prior(text: str) -> Prior:
    """Reads a prior from text: `"normal(0, 2.5)"`, `"StudentT(df=4, scale=2)"`. Nothing is run.

    Raises:
        PriorError: the text is not the name of a kind with numbers.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body if len(text) <= 1_000 else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise PriorError(
            f'`{text[:80]}` is not a prior. Write its name and numbers: "normal(0, 1)".'
        )
    kinds = {kind.lower(): kind for kind in KINDS}
    name = kinds.get(call.func.id.lower().replace("_", ""))
    if name is None:
        raise PriorError(
            f"there is no prior `{call.func.id}`.{nearest(call.func.id, KINDS)} "
            f"Known: {listing(KINDS)}."
        )
    values = [_literal(node, text) for node in call.args]
    named = {str(word.arg): _literal(word.value, text) for word in call.keywords}
    return make(name, *values, **named)


def _literal(node: ast.expr, text: str) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        if isinstance(node.value, bool):
            raise PriorError(f"`{text[:80]}`: the arguments of a prior are numbers.")
        return float(node.value) if abs(node.value) < 1e300 else np.nan
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_literal(node.operand, text)
    if isinstance(node, ast.Name) and node.id in ("inf", "Infinity"):
        return np.inf
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item, text) for item in node.elts]
    raise PriorError(f"`{text[:80]}`: the arguments of a prior are numbers.")


def _from_numpyro(value: Any) -> Prior:
    kind = KINDS.get(type(value).__name__)
    if kind is not None and not value.event_shape:
        names = [name for name, _ in kind.arguments]
        found = value.get_args()
        if set(names) <= set(found):
            return make(kind.name, **{name: np.asarray(found[name]) for name in names})
    return Prior(type(value).__name__, (), value)


def _constructor(name: str) -> Callable[..., Prior]:
    def construct(*values: Any, **named: Any) -> Prior:
        return make(name, *values, **named)

    arguments = ", ".join(n if d is None else f"{n}={d:g}" for n, d in KINDS[name].arguments)
    construct.__name__ = construct.__qualname__ = name
    construct.__doc__ = f"The prior {name}({arguments})."
    return construct


CONSTRUCTORS: dict[str, Callable[..., Prior]] = {name: _constructor(name) for name in KINDS}
