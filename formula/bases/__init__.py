"""The temporal bases that formulas may name, one file each."""

from ...registry import discover
from ..basis import Basis

BASES: dict[str, Basis] = discover(__name__, __path__, Basis)
