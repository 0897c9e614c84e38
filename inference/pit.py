"""The probability integral transform of every row under what the other rows predict.

    PIT_i = P(y_new < y_i | other rows) + U P(y_new = y_i | other rows),   U uniform on (0, 1)

The other rows' posterior is that of all rows with Pareto-smoothed weights 1 / p(y_i | theta). Where the
model is right, the transforms are uniform; too many near 0 and 1 mean that it expects too little
spread, too many in the middle that it expects too much.

Source: Gelfand, Dey and Chang (1992), Bayesian Statistics 4; Czado, Gneiting and Held (2009),
Biometrics 65:1254; Vehtari, Gelman and Gabry (2017), Stat. Comput. 27:1413.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..errors import OptionError
from .evaluate import BLOCK, log_likelihood_blocks
from .idata import row_coordinates
from .information import efficiency, sample_count
from .options import whole
from .predict import ask
from .psis import smoothed_weights, tail_length

if TYPE_CHECKING:
    from .fit import Fit


def loo_pit(fit: Fit, seed: int = 0, block: int = BLOCK) -> xr.DataArray:
    """Returns the leave-one-out probability integral transform of every row.

    Args:
        fit: a fit with draws.
        seed: of the responses that each draw predicts, those of `posterior_predictive(seed=seed)`, and
            of the uniform numbers that split ties, so that the transforms of counts are uniform too.
        block: numbers (draws x rows) held at a time; rows beyond it have other random numbers.

    Returns:
        Numbers in (0, 1), dimensions (obs[, neuron]).

    Raises:
        OptionError: the method gives a single estimate, there is one draw, or the response is censored.

    Example:
        >>> fit.loo_pit().plot.hist()  # doctest: +SKIP
    """
    whole("seed", seed, 0)
    model = fit.model
    if "status" in model.design.response:
        raise OptionError(
            f"`{model.spec.schema.response}` is censored, so where its values lie among predicted ones "
            "is not known."
        )
    samples = sample_count(fit, "loo_pit")
    tail = tail_length(samples, efficiency(fit))
    question = ask(fit, None, "response", "fitted", None, seed)
    generator = np.random.default_rng([seed, 1])
    parts = []
    pieces = log_likelihood_blocks(model.spec.structure, model.design, fit.draws.natural, block)
    for start, logs in pieces:
        design = model.design
        if len(logs) < design.size:
            design = design.part(start, len(logs))
        new = replace(question, design=design).answer(
            question.flat, [seed, start] if start else seed
        )
        weights = smoothed_weights(logs.reshape(-1, samples), tail)
        new = new.reshape(samples, -1).T
        y = design.response["y"].reshape(-1, 1)
        same = np.sum(weights * (new == y), axis=1)
        below = np.sum(weights * (new < y), axis=1)
        parts.append(below + generator.random(len(below)) * same)
    dims, coords = row_coordinates(model.spec.schema, model.design)
    values = np.concatenate(parts).reshape(model.design.response["y"].shape)
    return xr.DataArray(np.clip(values, 0.0, 1.0), dims=dims, coords=coords, name="loo_pit")
