"""statsmodels, one fit after the other: MixedLM and OLS; it has no gamma mixed model."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import _contender

PACKAGES = ("statsmodels",)


def prepare() -> Callable:
    """Import statsmodels and return one analysis."""
    import numpy as np
    from statsmodels.regression.linear_model import OLS
    from statsmodels.regression.mixed_linear_model import MixedLM

    fits = {
        "lme": lambda table: MixedLM.from_formula("log_power ~ stim", table, groups="mouse").fit(),
        "ols": lambda table: OLS.from_formula("log_power ~ stim", table).fit(),
    }

    def analyse(name: str, tables: list) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.array([fits[name](table).params["stim"] for table in tables])

    return analyse


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES, names=("lme", "ols"), caches=False)
