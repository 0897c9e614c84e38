"""Text and table -> numbers: the formula front end. Knows nothing of probability."""

from .bases import BASES
from .design import Design, apply
from .grammar import Vocabulary, parse
from .learn import learn
from .schema import Schema
from .tables import Table, read
from .terms import Formula
from .transforms import TRANSFORMS

__all__ = [
    "BASES",
    "TRANSFORMS",
    "Design",
    "Formula",
    "Schema",
    "Table",
    "Vocabulary",
    "apply",
    "learn",
    "parse",
    "read",
]
