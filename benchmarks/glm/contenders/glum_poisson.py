"""glum's regression without a penalty, by its default solver for that (iterated least squares)."""

from __future__ import annotations

from collections.abc import Callable

import _contender
from _neurons import each

PACKAGES = ("glum",)


def prepare() -> Callable:
    """Import glum and return its fit."""
    from glum import GeneralizedLinearRegressor

    def fit_one(x, counts) -> tuple:
        model = GeneralizedLinearRegressor(family="poisson", alpha=0, gradient_tol=1e-8)
        model.fit(x, counts)
        return model.intercept_, model.coef_, model.n_iter_

    return each(fit_one)


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES, caches=False)
