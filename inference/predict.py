"""Predictions for training rows, new rows, fitted groups, new groups, or the population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ..errors import LevelError, OptionError, listing, shown
from ..formula import Design, Table, apply, read
from ..formula.quoting import observed_names
from ..formula.terms import MEAN
from ..zoo.structure import Structure
from .evaluate import flatten, linear_predictors, means, samples
from .idata import row_coordinates
from .memory import require
from .new_groups import draw_effects
from .options import choice, whole

if TYPE_CHECKING:
    from .fit import Fit

KINDS = ("mean", "response", "linear")
GROUPS = ("fitted", "population", "new")


def predict(
    fit: Fit,
    data: Any = None,
    kind: str = "mean",
    groups: str = "fitted",
    draws: int | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Predicts the response.

    Args:
        fit: the fit.
        data: new data in any form that Model takes; None for the training rows.
        kind: `mean` (of the response), `response` (new values with noise), or `linear` (the linear
            predictor of the mean).
        groups: `fitted` uses the effects of fitted groups, `population` sets group effects to 0,
            `new` draws an independent effect for every group that was not in training. Rows of one new
            group share its effects; fitted groups keep theirs, so that a new neuron of a fitted mouse
            has the mouse's effect.
        draws: how many draws of each chain to use; None for all.
        seed: for `response` and for new groups.

    Returns:
        Dimensions (chain, draw, obs), and that of neurons where the response has one; rows with
        missing predictors, such as bins without a whole window, are NaN, and means beyond 1.8e308
        are infinite. Where the data have a time axis, `time` (s) is a coordinate of obs. "map" has
        one draw. Draws of frequentist fits follow the estimator's normal distribution and have its
        mean exactly: over draws, the mean of the linear predictor is its estimate. With a curved
        link the mean response is not; see `predictions`, whose `mean` is the prediction at the
        estimates.

    Raises:
        FormulaError: the data lack a column of the formula.
        LevelError: a group or level was not in training (with `groups="fitted"`).
        OptionError: an unknown kind.

    Example:
        >>> fit.predict({"Days": [0, 9], "Subject": [308, 308]})  # doctest: +SKIP
    """
    question = ask(fit, data, kind, groups, draws, seed)
    values = question.answer(question.flat, seed)
    dims, coords = row_coordinates(fit.model.spec.schema, question.design)
    shape = question.chains, len(values) // question.chains
    return xr.DataArray(
        values.reshape(*shape, *values.shape[1:]),
        dims=("chain", "draw", *dims),
        coords={"chain": np.arange(shape[0]), "draw": np.arange(shape[1]), **coords},
        name=fit.model.spec.schema.response,
    )


@dataclass(frozen=True, eq=False)
class Question:
    """A prediction to be made: rows and parameters, groups settled.

    Attributes:
        structure: the model's structure.
        design: the rows.
        flat: natural parameters with one leading dimension (sample), chains one after the other.
        chains: the number of chains.
        kind: `mean`, `response` or `linear`.
    """

    structure: Structure
    design: Design
    flat: dict[str, np.ndarray]
    chains: int
    kind: str

    def answer(self, flat: Mapping[str, np.ndarray], seed: Any, kind: str = "") -> np.ndarray:
        """Returns what is predicted, shape (sample, obs[, neuron])."""
        count = len(next(iter(flat.values())))
        require("the prediction", 16.0 * count * self.design.size)
        etas = linear_predictors(self.structure, self.design, flat)
        kind = kind or self.kind
        if kind == "linear":
            return etas[MEAN]
        if kind == "mean":
            return means(self.structure, etas, flat, self.design)
        return samples(self.structure, etas, flat, self.design, seed)


def ask(fit: Fit, data: Any, kind: str, groups: str, draws: int | None, seed: int) -> Question:
    """Reads the rows of a prediction and settles the effects of their groups; see `predict`."""
    choice("kind", kind, KINDS)
    choice("groups", groups, GROUPS)
    whole("seed", seed, 0)
    model = fit.model
    natural = _thin(fit.draws.natural, draws)
    if data is None:
        design = model.design
    else:
        needs = tuple(f"{name}" for name in model.spec.family.required)
        table = read(data)
        design = apply(model.spec.schema, table, model.functions)
        design = _with_extras(design, table, fit, kind, needs)
    structure = model.spec.structure
    chains = np.shape(next(iter(natural.values())))[0]
    design, flat = group_effects(structure, design, flatten(natural), groups, seed)
    return Question(structure, design, flat, chains, kind)


def _with_extras(
    design: Design, table: Table, fit: Fit, kind: str, needs: tuple[str, ...]
) -> Design:
    """Reads trials and standard errors of new data where the family's mean or noise needs them."""
    schema = fit.model.spec.schema
    wanted = tuple(e for e in schema.extras if e in needs or e == "standard_error")
    if not wanted or kind == "linear":
        return design
    observed = observed_names(schema.formula.response.expression)
    unknown = {
        name: pd.Series(np.ones(table.rows)) for name in observed if name not in table.columns
    }
    table = replace(table, columns={**table.columns, **unknown})
    try:
        full = apply(schema, table, fit.model.functions, response=True)
    except Exception as error:
        if kind == "mean" and not needs:
            return design
        raise OptionError(
            f"to predict kind={shown(kind)}, the new data need the columns of `{schema.response}` too, "
            f"because the answer depends on {listing(wanted)}: {error}"
        ) from None
    return replace(design, response={name: full.response[name] for name in wanted})


def _thin(natural: Mapping[str, Any], draws: int | None) -> dict[str, np.ndarray]:
    available = np.shape(next(iter(natural.values())))[1]
    if draws is None or whole("draws", draws, 1) >= available:
        return {name: np.asarray(array) for name, array in natural.items()}
    kept = np.linspace(0, available - 1, draws).round().astype(int)
    return {name: np.asarray(array)[:, kept] for name, array in natural.items()}


def group_effects(
    structure: Structure, design: Design, flat: dict[str, np.ndarray], groups: str, seed: int
) -> tuple[Design, dict[str, np.ndarray]]:
    """Zeroes, extends or checks the group effects for the groups of a design."""
    out = dict(flat)
    position = 0
    for predictor in structure.predictors:
        name = predictor.parameter
        for i, (shape, arrays) in enumerate(
            zip(predictor.groups, design.predictors[name].groups, strict=True)
        ):
            site = f"{name}.group{i}"
            position += 1
            if groups == "population":
                fitted = flat[f"{site}.effects"]
                extended = fitted.shape[1] + len(arrays.unseen)
                out[f"{site}.effects"] = np.zeros((len(fitted), extended, fitted.shape[2]))
            elif arrays.unseen and groups == "fitted":
                raise LevelError(
                    f"the data hold groups that were not in training: {listing(arrays.unseen, 5)}. "
                    'Use groups="new" to draw an effect for each of them, or groups="population" to '
                    "predict without group effects."
                )
            elif arrays.unseen:
                fresh = draw_effects(shape, flat, site, arrays.unseen, [seed, position])
                out[f"{site}.effects"] = np.concatenate([flat[f"{site}.effects"], fresh], axis=1)
    return design, out
