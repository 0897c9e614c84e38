"""`bs(x, df=5)`, `cr`, `cc`, `cs`: splines, with knots and bounds kept from training."""

from collections.abc import Mapping
from typing import Any

from formulaic.transforms import basis_spline, cyclic_cubic_spline, natural_cubic_spline

from ..stateful import stateful


def _constant(options: Mapping[str, Any]) -> bool:
    """Natural and cyclic bases sum to 1 unless they are constrained."""
    return options.get("constraints") is None


BS = stateful("bs", basis_spline, story="B-spline basis, as R's splines::bs.")
CR = stateful(
    "cr",
    natural_cubic_spline,
    aliases=("cs",),
    constant=_constant,
    story="Natural cubic spline basis.",
)
CC = stateful("cc", cyclic_cubic_spline, constant=_constant, story="Cyclic cubic spline basis.")
