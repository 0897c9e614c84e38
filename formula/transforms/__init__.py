"""The functions that formulas may call, one file each."""

from ...registry import discover
from ..values import Transform

TRANSFORMS: dict[str, Transform] = discover(__name__, __path__, Transform)
