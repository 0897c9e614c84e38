"""`I(x + z)`: arithmetic on columns as one term."""

from typing import Any

from ..values import Transform


def apply(value: Any) -> Any:
    """Returns the value as it is."""
    return value


IDENTITY = Transform("I", apply, numeric=False, story="Arithmetic on columns as one term.")
