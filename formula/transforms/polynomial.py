"""`poly(x, 3)`: orthogonal polynomials, as R's `poly`."""

from typing import Any

from formulaic.transforms import poly as formulaic_poly

from ...errors import FormulaError
from ..stateful import stateful
from ..values import Transform

MAX_DEGREE = 20


def _poly(x: Any, degree: int = 1, raw: bool = False, _state: Any = None) -> Any:
    if not isinstance(degree, int) or not 1 <= degree <= MAX_DEGREE:
        raise FormulaError(f"poly() takes a whole degree from 1 to {MAX_DEGREE}, not {degree}.")
    return formulaic_poly(x, degree, raw, _state=_state)


POLY: Transform = stateful("poly", _poly, story="Orthogonal polynomials.")
