"""The parts of the run, one file each."""

from importlib import import_module
from pkgutil import iter_modules

PARTS = {
    part.name: part
    for part in (import_module(f"{__name__}.{m.name}").PART for m in iter_modules(__path__))
}
