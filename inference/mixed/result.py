"""Our result of a linear mixed model, for models that statsmodels cannot express."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .effects import Effects
from .optimum import Optimum
from .system import System


@dataclass(frozen=True, eq=False)
class MixedResult:
    """A fitted linear mixed model.

    Attributes:
        params: coefficients by printed name.
        bse: their standard errors at the estimated variances.
        cov: their covariance.
        variances: standard deviations, correlations and sigma by printed name.
        llf: log likelihood, restricted if `reml`, with all constants.
        reml: restricted maximum likelihood, or maximum likelihood.
        converged: whether a further Newton step promises nothing.
        nobs: rows, each as often as it counts.
    """

    params: pd.Series
    bse: pd.Series
    cov: pd.DataFrame
    variances: pd.Series
    llf: float
    reml: bool
    converged: bool
    nobs: float

    def summary(self) -> pd.DataFrame:
        """Returns coefficients and standard errors as a table."""
        return pd.DataFrame({"estimate": self.params, "se": self.bse})


def make_result(
    system: System,
    optimum: Optimum,
    effects: Effects,
    exact: pd.DataFrame,
    names: tuple[str, ...],
) -> MixedResult:
    """Collects what an optimum says."""
    listed = list(names)
    scaled = (exact["scale"] == "log") | (exact["scale"] == "atanh")
    return MixedResult(
        pd.Series(effects.coefficients, listed),
        pd.Series(np.sqrt(np.diag(effects.covariance)), listed),
        pd.DataFrame(effects.covariance, listed, listed),
        exact.loc[scaled, "estimate"],
        -0.5 * optimum.deviance,
        system.reml,
        optimum.converged,
        system.count,
    )
