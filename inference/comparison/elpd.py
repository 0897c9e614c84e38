"""Expected log predictive densities of several fits, as a table in the layout of ArviZ."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ...errors import FitError
from ..idata import load_arviz
from ..information import SCALES

LARGEST = 500.0
"""Log densities beyond this are shifted, row by row, before weights take their exponentials."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """How well one fit predicts what it has not seen.

    Attributes:
        each: log predictive density of every row, cell or group, on the log scale.
        penalty: by how much all of it falls short of what the fit predicts of rows that it knows.
        warning: whether it is not to be trusted.
        samples: draws of the fit.
    """

    each: np.ndarray
    penalty: float
    warning: bool
    samples: int


def elpd_table(
    found: Mapping[str, Predicted], criterion: str, scale: str, method: str, seed: int
) -> pd.DataFrame:
    """Compares fits as `arviz.compare` does.

    Args:
        found: the predictions of every fit, of the same rows or groups.
        criterion: what stands in the names of columns: `elpd_loo`, `p_loo`.
        scale: `log`, `negative_log` or `deviance`.
        method: of weighing the fits.
        seed: of Bayesian bootstrap.

    Raises:
        FitError: a row is impossible under a fit.
    """
    for name, predicted in found.items():
        bad = np.flatnonzero(~np.isfinite(predicted.each.ravel()))
        if bad.size:
            raise FitError(
                f"`{name}` gives {bad.size:,} of {predicted.each.size:,} left-out observations no "
                f"density at all (first: number {bad[0]}), so that its elpd is not finite. Look at "
                "these rows, or use a family that allows them."
            )
    arviz = load_arviz()
    factor = SCALES[scale]
    shift = 0.0
    all_ = np.stack([predicted.each.ravel() for predicted in found.values()])
    if np.abs(all_).max() > LARGEST and method == "stacking":
        shift = all_.max(axis=0)  # stacked weights do not depend on it, nor do differences
    results = {
        name: _result(arviz, predicted, factor, scale, shift) for name, predicted in found.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ArviZ sorts in a way that pandas will give up
        table = arviz.compare(results, method=_spell(method), seed=seed, scale=scale)
    return table.rename(columns={"elpd_loo": f"elpd_{criterion}", "p_loo": f"p_{criterion}"})


def _spell(method: str) -> str:
    return method.replace("bb-pseudo-bma", "BB-pseudo-BMA").replace("pseudo-bma", "pseudo-BMA")


def _result(arviz: Any, predicted: Predicted, factor: int, scale: str, shift: Any) -> Any:
    values = factor * predicted.each.ravel()
    entries = {
        "elpd_loo": values.sum(),
        "se": np.sqrt(values.size * values.var()),
        "p_loo": predicted.penalty,
        "n_samples": predicted.samples,
        "n_data_points": values.size,
        "warning": predicted.warning,
        "loo_i": xr.DataArray(values - factor * shift),
        "scale": scale,
    }
    return arviz.ELPDData(data=list(entries.values()), index=list(entries))
