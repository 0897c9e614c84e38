"""bayeszoo's filter bank, as `conv(...)` in a formula calls it."""

from __future__ import annotations

from collections.abc import Callable

import _contender

PACKAGES = ("bayeszoo", "numpy")
MODULES = ("bayeszoo.formula.convolution",)


def prepare() -> Callable:
    """Import the filter bank."""
    from bayeszoo.formula.convolution import convolve

    return convolve


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES, caches=False, modules=MODULES)
