"""The kinds of trouble that a fit is examined for, one file each."""

from ...registry import discover
from ..diagnostic import Diagnostic

DIAGNOSTICS: dict[str, Diagnostic] = discover(__name__, __path__, Diagnostic)
