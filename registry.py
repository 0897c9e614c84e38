"""One file per member: a folder's files are found and collected by the kind of constant they hold."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import TypeVar

Member = TypeVar("Member")


def discover(package: str, path: Iterable[str], kind: type[Member]) -> dict[str, Member]:
    """Imports every module of a package and collects its constants of a kind by their names.

    Args:
        package: the package's dotted name (`__name__`).
        path: the package's `__path__`.
        kind: the class of the members; each has a `name` and may have `aliases`.

    Returns:
        name -> member, sorted by file; aliases are names too.

    Raises:
        RuntimeError: two members share a name (a fault of the package, not of a user).
    """
    members: dict[str, Member] = {}
    for module_name in sorted(info.name for info in pkgutil.iter_modules(path)):
        module = importlib.import_module(f"{package}.{module_name}")
        found = {id(value): value for value in vars(module).values() if isinstance(value, kind)}
        for member in found.values():
            for name in (member.name, *getattr(member, "aliases", ())):  # type: ignore[attr-defined]
                if members.setdefault(name, member) is not member:
                    raise RuntimeError(f"two members of {package} are called {name!r}")
    return members
