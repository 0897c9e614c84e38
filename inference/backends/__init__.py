"""The ways to fit a model, one file each."""

from ...errors import OptionError, listing, nearest, shown
from ...registry import discover
from ..backend import Backend

BACKENDS: dict[str, Backend] = discover(__name__, __path__, Backend)


def find_backend(method: object) -> Backend:
    """Returns a backend by name.

    Raises:
        OptionError: there is none of that name.
    """
    if isinstance(method, str) and method in BACKENDS:
        return BACKENDS[method]
    raise OptionError(
        f"there is no method {shown(method)}.{nearest(str(method), BACKENDS)} "
        f"Methods: {listing(sorted(BACKENDS))}."
    )
