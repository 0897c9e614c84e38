"""`bs(x, df=5)`, `cr`, `cc`, `cs`: splines, with knots and bounds kept from training."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from formulaic.transforms import basis_spline, cyclic_cubic_spline, natural_cubic_spline

from ...errors import FormulaError, shown
from ..stateful import stateful

MAX_DF = 500


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuses degrees of freedom that are no moderate whole number, which would take for ever."""

    @wraps(function)
    def spline(x: Any, *arguments: Any, **options: Any) -> Any:
        df = arguments[0] if arguments else options.get("df")
        if df is not None and (type(df) is not int or not 1 <= df <= MAX_DF):
            raise FormulaError(
                f"{name}() takes a whole number of degrees of freedom from 1 to {MAX_DF}, "
                f"not {shown(df)}."
            )
        return function(x, *arguments, **options)

    return spline


def _constant(options: Mapping[str, Any]) -> bool:
    """Natural and cyclic bases sum to 1 unless they are constrained."""
    return options.get("constraints") is None


BS = stateful("bs", _bounded("bs", basis_spline), story="B-spline basis, as R's splines::bs.")
CR = stateful(
    "cr",
    _bounded("cr", natural_cubic_spline),
    aliases=("cs",),
    constant=_constant,
    story="Natural cubic spline basis.",
)
CC = stateful(
    "cc",
    _bounded("cc", cyclic_cubic_spline),
    constant=_constant,
    story="Cyclic cubic spline basis.",
)
