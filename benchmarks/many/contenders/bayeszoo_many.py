"""bayeszoo's `bz.fit_many`: all data sets in one call per analysis."""

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
        options = {"family": family, "method": name, "reduce": "summary", "progress": False}
        summaries = bz.fit_many(formula, tables, **options)
        means = summaries.xs("stim", level=-1)["mean"]  # without data sets that failed
        return means.reindex(range(len(tables))).to_numpy()

    return analyse


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES)
