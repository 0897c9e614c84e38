"""bayeszoo, one `bz.fit` after the other."""

from __future__ import annotations

from collections.abc import Callable

import _contender

PACKAGES = ("bayeszoo", "jax")


def prepare() -> Callable:
    """Import bayeszoo and return one analysis."""
    import numpy as np

    import bayeszoo as bz

    def analyse(name: str, tables: list) -> np.ndarray:
        formula, family = _contender.FORMULAS[name], _contender.FAMILIES[name]
        options = {"family": family, "method": name, "progress": False}
        fits = (bz.fit(formula, table, **options) for table in tables)
        return np.array([fit.summary().loc["stim", "mean"] for fit in fits])

    return analyse


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES)
