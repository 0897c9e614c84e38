"""Responses drawn from a fit or from the prior, beside the observed ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import OptionError, shown
from ..inference.fit import Fit
from ..inference.model import Model

LARGEST = 40_000_000
"""Numbers drawn at most."""
POSTERIOR, PRIOR = "posterior", "prior"


def replicates(
    given: Any, kind: str | None, draws: int, seed: int
) -> tuple[Model, np.ndarray, str]:
    """Returns the model, draws of its response of shape (draw, rows), and of which kind they are.

    Rows are those of `observe`: several responses are rows of their own, and successes out of trials
    are proportions.

    Raises:
        OptionError: neither a fit nor a model, or a posterior without a fit.
        PriorError: the prior is improper.
    """
    fit = given if isinstance(given, Fit) else None
    model = given.model if isinstance(given, Fit) else given
    if not isinstance(model, Model):
        raise OptionError(f"plot.predictive() takes a fit or a model, not {type(given).__name__}.")
    kind = kind or (PRIOR if fit is None else POSTERIOR)
    if kind not in (POSTERIOR, PRIOR):
        raise OptionError(f"kind= takes 'posterior' or 'prior', not {shown(kind)}.")
    count = max(10, min(draws, LARGEST // model.design.response["y"].size))
    if kind == PRIOR:
        group = model.prior_predictive(count, seed)["prior_predictive"]
        drawn = group[next(iter(group.data_vars))].values
    elif fit is None:
        raise OptionError(
            "kind='posterior' needs a fit; a model alone has the prior: kind='prior'."
        )
    else:
        drawn = _from_fit(fit, count, seed)
    drawn = drawn.reshape(-1, *model.design.response["y"].shape)[:count]
    trials = model.design.response.get("trials")
    if trials is not None:
        drawn = drawn / trials
    return model, drawn.reshape(len(drawn), -1), kind


def _from_fit(fit: Fit, count: int, seed: int) -> np.ndarray:
    """Draws (draw, ...) of the response; a single estimate is repeated with new noise."""
    chains, available = np.shape(next(iter(fit.draws.natural.values())))[:2]
    if chains * available >= count:
        found = fit.predict(kind="response", draws=-(-count // chains), seed=seed).values
        return np.swapaxes(found, 0, 1).reshape(-1, *found.shape[2:])
    times = -(-count // (chains * available))
    parts = [fit.predict(kind="response", seed=seed + i).values for i in range(times)]
    return np.concatenate([part.reshape(-1, *part.shape[2:]) for part in parts])
