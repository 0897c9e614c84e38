"""A fit repeated without some of its rows: the same model, priors and settings.

Rows that are left out count zero times. Codings, knots, default priors, and the levels of factors and
groups stay those of the whole data, so that the model is the one whose predictions are in question,
and a level or a group without rows is known by its prior alone. All refits share compiled programs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ...errors import LevelError, listing
from ...formula.terms import INTERCEPT
from ..batches import fit_models
from ..fit import Fit
from ..many import derived_seed
from ..model import Model
from ..options import settings
from ..run import Run

AT_ONCE = 8
"""Refits that are held in memory at a time."""


def refits(fit: Fit, left_out: Sequence[np.ndarray], seed: int = 0) -> Iterator[Fit]:
    """Yields, for each set of rows, the fit without them, by the method and settings of the fit.

    Args:
        fit: the fit.
        left_out: boolean arrays of the shape of the response, (obs,) or (obs, neuron).
        seed: of the refits.

    Raises:
        LevelError: what is left does not determine a coefficient that has no prior.
    """
    chosen = settings(fit.backend.settings, fit.method, dict(fit.info["settings"]))
    for start in range(0, len(left_out), AT_ONCE):
        part = left_out[start : start + AT_ONCE]
        models = [without(fit.model, rows) for rows in part]
        for model in models:
            _require_estimable(fit, model)
        seeds = [derived_seed(seed, start + i) for i in range(len(part))]
        for found in fit_models(models, [Run(fit.backend, chosen, each) for each in seeds]):
            if isinstance(found, Exception):
                raise found
            yield found


def without(model: Model, left_out: np.ndarray) -> Model:
    """Returns a model whose left-out rows count zero times; it shares all else."""
    _ = model.numbers  # made once, of all rows
    out = copy.copy(model)
    if left_out.ndim == 2 and not model.spec.structure.groups:  # neurons do not know each other
        left_out = np.asarray(left_out.any(axis=1))
    response = model.design.response
    weights = np.array(np.broadcast_to(response.get("weights", np.ones(1)), left_out.shape))
    weights[left_out] = 0.0
    out.design = replace(model.design, response={**response, "weights": weights})
    return out


def _require_estimable(fit: Fit, model: Model) -> None:
    """Refuses to leave out every row that speaks of a coefficient without a prior."""
    prior, design = model.spec.prior, model.design
    for predictor in model.spec.schema.predictors:
        names = [*(INTERCEPT,) * predictor.intercept, *(t.name for t in predictor.terms)]
        formula = model.spec.predictor(predictor.parameter)[1]
        flat = [prior[formula.prefixed(name)].name == "Flat" for name in names]
        if not fit.backend.frequentist and not any(flat):
            continue
        matrix = design.predictors[predictor.parameter].matrix
        weights = design.response["weights"]
        matrix = np.hstack([np.ones((len(matrix), int(predictor.intercept))), matrix])
        kept = matrix[weights.reshape(len(matrix), -1).any(axis=1)]
        if np.linalg.matrix_rank(kept) < np.linalg.matrix_rank(matrix):
            columns = [*(INTERCEPT,) * predictor.intercept, *predictor.column_names]
            lost = [
                n for n, c in zip(columns, kept.T, strict=True) if not np.ptp(c) and n != INTERCEPT
            ]
            named = listing(f"`{name}`" for name in lost) or "its coefficients"
            raise LevelError(
                f"the rows outside of a fold do not determine {named} of "
                f"`{model.spec.schema.formula.text}`. Use more folds, give these coefficients proper "
                "priors, or leave the rare level out of the data."
            )
