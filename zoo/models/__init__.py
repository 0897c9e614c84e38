"""The entries of the zoo, one file each."""

from ...registry import discover
from ..entry import Entry

MODELS: dict[str, Entry] = discover(__name__, __path__, Entry)
