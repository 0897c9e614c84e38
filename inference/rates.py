"""Predicted counts per bin as rates per second: rate = mean / width of a bin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..errors import OptionError
from ..formula import read
from ..formula.time_axis import bin_width
from ..zoo.family import BINARY, COUNT
from .predict import predict
from .temporal import width_of_bins

if TYPE_CHECKING:
    from .fit import Fit


def rates(
    fit: Fit, data: Any = None, groups: str = "fitted", draws: int | None = None, seed: int = 0
) -> xr.DataArray:
    """Predicts the rate of events in Hz.

    Args:
        fit: the fit.
        data: new data in any form that Model takes; None for the training rows.
        groups: `fitted`, `population` or `new`, as in `predict`.
        draws: how many draws of each chain to use; None for all.
        seed: for new groups.

    Returns:
        Events per second, dimensions (chain, draw, obs), and that of neurons where the response has
        one.

    Raises:
        OptionError: the data have no time axis, or the response is no count.
        DataError: the times have no common step.

    Example:
        >>> fit.rates().mean("draw")  # doctest: +SKIP
    """
    width = seconds_per_bin(fit, data)
    mean = predict(fit, data, "mean", groups, draws, seed)
    return (mean / width).rename("rate").assign_attrs(units="Hz")


def counts_events(fit: Fit) -> bool:
    """Whether the response is a number of events, or whether one happened."""
    return fit.model.spec.family.support in (COUNT, BINARY)


def seconds_per_bin(fit: Fit, data: Any = None) -> float:
    """Returns the width of a bin, in seconds.

    Args:
        fit: the fit.
        data: new data in any form that Model takes; None for the training rows.

    Raises:
        OptionError: the data have no time axis, or the response is no count.
        DataError: the times have no common step.
    """
    spec = fit.model.spec
    if not counts_events(fit):
        raise OptionError(
            f"rates() divides counts per bin by the width of a bin, but family `{spec.family.name}` is "
            f"for {spec.family.support.words}. Use predict(), which gives the mean."
        )
    width = width_of_bins(spec.schema)
    table = fit.model.table if data is None else read(data)
    if width is None and table.time is not None:
        restarts = np.diff(table.time.values, prepend=-np.inf) <= 0  # stacked trials
        width = bin_width(table.time, groups=np.cumsum(restarts))
    if width is None:
        raise OptionError(
            "rates() needs the width of a bin, but the data have no time axis. Add a column `time` "
            "with the start of each bin in seconds, or divide predict() by the width yourself."
        )
    return width
