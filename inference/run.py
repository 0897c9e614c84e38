"""A chosen method: a backend with its settings and a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import OptionError, listing
from .backend import Backend
from .backends import BACKENDS, find_backend
from .options import settings, whole


@dataclass(frozen=True)
class Run:
    """What is known of a fit before there is a model.

    Attributes:
        backend: the method.
        settings: its settings.
        seed: of whatever it draws.
    """

    backend: Backend
    settings: Any
    seed: int


def choose(
    method: str,
    *,
    seed: int = 0,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    **options: Any,
) -> Run:
    """Returns a backend with its settings, from the arguments of `Model.fit`.

    Args:
        method: the backend's name.
        seed: of whatever it draws.
        draws: draws kept, for methods that draw.
        tune: warm-up iterations, for methods that have them.
        chains: number of chains, for methods that have them.
        **options: options of the method.

    Raises:
        OptionError: unknown method or option, or one that is out of range.
    """
    backend = find_backend(method)
    whole("seed", seed, 0, 2**63 - 1)
    lengths = {
        "draws": whole("draws", draws, 1),
        "tune": whole("tune", tune, 0),
        "chains": whole("chains", chains, 1),
    }
    known = backend.settings.__dataclass_fields__
    lengths = {name: value for name, value in lengths.items() if name in known}
    return Run(backend, settings(backend.settings, method, {**options, **lengths}), seed)


def check_resumable(run: Run) -> None:
    """Raises where a method cannot go on from a check-point.

    Raises:
        OptionError: with the methods that can.
    """
    if run.backend.lengths is None:
        able = sorted({b.name for b in BACKENDS.values() if b.lengths is not None})
        raise OptionError(
            f'method "{run.backend.name}" takes no checkpoint=; methods that do: {listing(able)}.'
        )
