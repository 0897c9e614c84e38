"""New responses for the training rows, one for every draw of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from .idata import as_response, row_coordinates, safe_name
from .memory import require
from .options import whole
from .predict import Question, ask

if TYPE_CHECKING:
    from .fit import Fit

PLUG_IN = 1000
"""Data sets drawn at the single estimate of a method that has no draws, unless told otherwise."""


def replicate(fit: Fit, draws: int | None, seed: int) -> Question:
    """Returns the question of new responses at the training rows; a single estimate is repeated.

    Args:
        fit: the fit.
        draws: data sets of each chain, from draws spread over it; None for all draws, or 1,000 where a
            method gives a single estimate.
        seed: of the responses.
    """
    question = ask(fit, None, "response", "fitted", draws, seed)
    if fit.backend.point:
        count = PLUG_IN if draws is None else whole("draws", draws, 1)
        each = sum(array.size for array in question.flat.values())
        require("draws=", 8.0 * count * (each + fit.model.design.response["y"].size))
        for name, array in question.flat.items():
            question.flat[name] = np.repeat(array, count, axis=0)
    return question


def posterior_predictive(fit: Fit, draws: int | None = None, seed: int = 0) -> xr.Dataset:
    """Draws responses for the training rows, and adds them to `fit.idata`.

    Where the formula filters the response itself, each bin is drawn given the observed bins before it.

    Args:
        fit: the fit.
        draws: data sets of each chain, from draws spread over it; None for all draws, or for 1,000
            data sets at the estimate of "map".
        seed: the same seed gives the same responses.

    Returns:
        The group `posterior_predictive`, which replaces an earlier one: the response with dimensions
        (chain, draw, obs), and that of neurons where it has one; whole numbers for families of counts.
        `fit.predict(kind="response")` has the same numbers.

    Example:
        >>> fit.posterior_predictive(draws=100)  # doctest: +SKIP
    """
    question = replicate(fit, draws, seed)
    values = question.answer(question.flat, seed)
    spec = fit.model.spec
    dims, coords = row_coordinates(spec.schema, question.design)
    shape = question.chains, len(values) // question.chains
    counts: dict[str, Any] = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])}
    group = xr.Dataset(
        {
            safe_name(spec.schema.response): (
                ("chain", "draw", *dims),
                as_response(spec.family, values.reshape(*shape, *values.shape[1:])),
            )
        },
        coords=counts | coords,
        attrs=fit.attributes(),
    )
    if "posterior_predictive" in fit.idata.groups():
        del fit.idata["posterior_predictive"]
    fit.idata.add_groups({"posterior_predictive": group})
    return fit.idata["posterior_predictive"]
