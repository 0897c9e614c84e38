"""Average mean responses, or their derivatives, of every cell of a plan, draw by draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from ...errors import DataError, OptionError, listing
from ...formula import Design
from ...formula.terms import MEAN
from ...zoo.links import LINKS
from ...zoo.structure import Structure
from ..evaluate import (
    BLOCK,
    linear_predictors,
    means,
    parameters,
    require_squares,
    response_rows,
)
from ..programs import double_precision
from .derivatives import derivative, still
from .designs import applied, take
from .grid import Part, Plan
from .new_groups import integrated, shifts
from .request import Request

if TYPE_CHECKING:
    from ..fit import Fit


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of new data as arrays.

    Attributes:
        design: the rows.
        moved: their derivatives by a predictor, where those are wanted.
        part: their cells and weights.
    """

    design: Design
    moved: Design | None
    part: Part


def rows_of(fit: Fit, part: Part, variable: str | None) -> Rows:
    """Builds the arrays of new data, and of their derivatives by a variable.

    Raises:
        DataError: a predictor is undefined there, as outside of the range of a spline.
    """
    model = fit.model
    design = model.design
    if part.changed:
        design = applied(model, part.table, part.rows)
    elif len(part.rows) != design.size or (part.rows != design.rows).any():
        design = take(design, np.searchsorted(design.rows, part.rows))
    known = {name: np.ones(design.size) for name in model.spec.family.required}
    design = replace(design, response=known)
    moved = None if variable is None else derivative(fit, part, variable)
    for arrays in (design, moved):
        if arrays is not None and not _is_defined(arrays):
            raise DataError(
                "a term is undefined at some of the values asked for: they lie outside of what was "
                "seen in training, or of what a function of the formula takes. Give others by at=."
            )
    return Rows(design, moved, part)


def _is_defined(design: Design) -> bool:
    for arrays in design.predictors.values():
        held = [arrays.offset, *(group.effects for group in arrays.groups)]
        held += [arrays.shared.take(np.arange(min(design.size, 100_000)))]
        held += [arrays.own.take(np.arange(min(design.size, 100_000)))]
        if not all(np.isfinite(array).all() for array in held):
            return False
    return True


def fitted_sites(request: Request) -> frozenset[str]:
    """The group terms that enter with the effects of fitted groups, by site."""
    return frozenset(
        f"{predictor.parameter}.group{i}"
        for predictor in request.columns.schema.predictors
        for i, group in enumerate(predictor.groups)
        if request.is_fitted(group)
    )


def without_groups(
    structure: Structure, flat: Mapping[str, np.ndarray], design: Design, fitted: frozenset[str]
) -> dict[str, np.ndarray]:
    """Sets the effects of all other group terms than the fitted ones to 0."""
    out = dict(flat)
    for predictor in structure.predictors:
        for i, arrays in enumerate(design.predictors[predictor.parameter].groups):
            site = f"{predictor.parameter}.group{i}"
            if site not in fitted:
                samples, groups, effects = flat[f"{site}.effects"].shape
                shape = (samples, groups + len(arrays.unseen), effects)
                out[f"{site}.effects"] = np.broadcast_to(np.zeros(1), shape)
    return out


def cell_values(
    fit: Fit,
    request: Request,
    plan: Plan,
    flat: Mapping[str, np.ndarray],
    variable: str | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Averages the mean response over the rows of each cell.

    Args:
        fit: the fit.
        request: the question.
        plan: cells and rows.
        flat: natural parameters, (sample, ...).
        variable: the derivative by this predictor is averaged instead, where one is named.
        seed: of effects that are sampled.

    Returns:
        Shape (sample, cell[, neuron]).
    """
    structure = fit.model.spec.structure
    fitted = fitted_sites(request)
    others = frozenset(structure.groups) - fitted if request.groups == "new" else frozenset()
    sites = integrated(structure, others)
    _require_finite_means(structure, sites)
    samples = len(next(iter(flat.values())))
    neurons = fit.model.design.neurons
    out = np.zeros((samples, len(plan.codes), *([neurons] if neurons else [])))
    for part in plan.parts:
        rows = rows_of(fit, part, variable)
        values = without_groups(structure, flat, rows.design, fitted)
        size = max(1, BLOCK // (samples * max(neurons, 1)))
        for start in range(0, rows.design.size, size):
            count = min(size, rows.design.size - start)
            block = rows.design.part(start, count)
            moved = None if rows.moved is None else rows.moved.part(start, count)
            found = _mean(structure, block, moved, values, sites, seed)
            require_squares("the mean response", found)
            cells = part.cells[start : start + count]
            weights = part.weights[start : start + count]
            weights = weights[:, None] if neurons else weights
            first = np.flatnonzero(np.r_[True, np.diff(cells) > 0])
            out[:, cells[first]] += np.add.reduceat(found * weights, first, axis=1)
    return out


def _mean(
    structure: Structure,
    design: Design,
    moved: Design | None,
    flat: Mapping[str, np.ndarray],
    sites: Mapping[str, list[str]],
    seed: int,
) -> np.ndarray:
    """The mean response of some rows, or its derivative, (sample, obs[, neuron])."""
    etas = linear_predictors(structure, design, flat)
    slopes = None if moved is None else linear_predictors(structure, moved, still(structure, flat))
    total = np.zeros_like(etas[MEAN])
    for shift in shifts(structure, flat, (design, moved), sites, seed):
        here = {n: eta + shift.etas[n] if n in shift.etas else eta for n, eta in etas.items()}
        if slopes is None:
            total += shift.weight * means(structure, here, flat, design)
        else:
            along = {n: s + shift.moves[n] if n in shift.moves else s for n, s in slopes.items()}
            total += shift.weight * directional(structure, here, along, flat, design)
    return total


def directional(
    structure: Structure,
    etas: Mapping[str, np.ndarray],
    along: Mapping[str, np.ndarray],
    flat: Mapping[str, np.ndarray],
    design: Design,
) -> np.ndarray:
    """Returns sum_p dmean/deta_p along_p over the modelled parameters, by automatic derivatives."""

    def mean(etas: Any) -> Any:
        values = parameters(structure, etas, flat)
        return structure.family.mean(
            values[MEAN], values, response_rows(structure, design.response)
        )

    with double_precision():
        _, slope = jax.jvp(mean, (dict(etas),), (dict(along),))
        return np.broadcast_to(np.asarray(slope), etas[MEAN].shape)


def _require_finite_means(structure: Structure, sites: Mapping[str, list[str]]) -> None:
    """Refuses means that do not exist: the exponential of heavy-tailed effects has none."""
    for predictor in structure.predictors:
        heavy = [
            site
            for site in sites.get(predictor.parameter, [])
            if not structure.groups[site].member.gaussian
        ]
        if heavy and not np.isfinite(LINKS[predictor.link].bounds[1]):
            named = sorted({structure.groups[site].member.name for site in heavy})
            raise OptionError(
                f'groups="new": with link `{predictor.link}` the mean over new groups is infinite, '
                f"because {listing(named)} group effects have heavy tails. Ask for the population "
                '(groups="population"), or model normal group effects.'
            )
