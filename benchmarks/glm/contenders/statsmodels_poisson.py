"""statsmodels' GLM by its default, iteratively reweighted least squares.

Its results refer to themselves and hold the design, so that fifty of them fill 10 GiB unless the
garbage collector is called.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

import _contender
from _neurons import each

PACKAGES = ("statsmodels",)


def prepare() -> Callable:
    """Import statsmodels and return its fit."""
    import statsmodels.api as sm

    def fit_one(x, counts) -> tuple:
        design = sm.add_constant(x, has_constant="add")
        result = sm.GLM(counts, design, family=sm.families.Poisson()).fit()
        told = result.params[0], result.params[1:], result.fit_history["iteration"]
        del result
        gc.collect()
        return told

    return each(fit_one)


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES, caches=False)
