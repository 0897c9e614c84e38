"""scikit-learn's `PoissonRegressor` by Newton's method, without a penalty."""

from __future__ import annotations

import _contender
from _sklearn import MODULES, PACKAGES, prepare_sklearn

if __name__ == "__main__":
    _contender.main(
        lambda: prepare_sklearn("newton-cholesky"), PACKAGES, modules=MODULES, caches=False
    )
