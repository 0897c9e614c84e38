"""Whether fits saw the same rows and responses, and what makes their log densities comparable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import OptionError, listing
from ..fit import Fit
from ..model import Model
from .transformation import Response, log_derivative, read_response

PROBES = np.array([-1.5, 0.25, 0.5, 1.5, 2.5, 7.25])
"""No discrete response takes one of these values; each continuous one takes some."""
COUNTED = {"weights": 1.0, "status": 0.0}
"""What is part of the data, and its value where a formula does not give it."""


@dataclass(frozen=True, eq=False)
class Common:
    """What makes the log densities of several fits comparable.

    Attributes:
        shift: for each fit what is added to the log density of every row, shape (obs,) or (1,).
        notes: what a reader must know of it.
    """

    shift: Mapping[str, np.ndarray]
    notes: tuple[str, ...]


def same_data(fits: Mapping[str, Fit]) -> Common:
    """Refuses fits of different data, and relates responses that are functions of one column.

    Raises:
        OptionError: rows, responses, weights or censoring differ; the message says where.
    """
    models = {name: fit.model for name, fit in fits.items()}
    first, *others = models
    for name in others:
        _same_rows(models, first, name)
        _same_extras(models, first, name)
    shift, notes = _shifts(models)
    return Common(shift, (*notes, *_known_beside(models), *_kinds(models)))


def is_discrete(model: Model) -> bool:
    """Whether the response has a probability, not a density."""
    return not model.spec.family.support.holds(PROBES).any()


def _same_rows(models: Mapping[str, Model], one: str, two: str) -> None:
    a, b = models[one].design, models[two].design
    if models[one].table.rows != models[two].table.rows:
        raise OptionError(
            f"`{one}` and `{two}` were fitted to tables of {models[one].table.rows:,} and "
            f"{models[two].table.rows:,} rows. Fit both to the same table."
        )
    if np.array_equal(a.rows, b.rows):
        if a.neurons != b.neurons:
            raise OptionError(
                f"`{one}` has {max(a.neurons, 1):,} response(s) per row, `{two}` "
                f"{max(b.neurons, 1):,}. Fit both to the same response."
            )
        return
    parts, columns = [], []
    for name, other in ((one, two), (two, one)):
        lacking = np.setdiff1d(models[other].design.rows, models[name].design.rows)
        if lacking.size:
            report = models[name].spec.schema.rows
            columns += [column for column, _, _ in report.missing]
            reasons = [f"`{c}` lacks values" for c, _, _ in report.missing] + list(report.notes)
            why = f", because {listing(reasons, 3)}" if reasons else ""
            parts.append(f"`{name}` lacks {lacking.size:,} (first: row {lacking[0]}){why}")
    remedy = "Fit both to the rows that are complete for both"
    if columns:
        named = listing((f"`{column}`" for column in dict.fromkeys(columns)), 4)
        remedy += f": drop the rows without {named} from the data first"
    raise OptionError(
        f"`{one}` uses {a.size:,} rows and `{two}` {b.size:,}, and not the same ones: "
        f"{'; '.join(parts)}. {remedy}."
    )


def _same_extras(models: Mapping[str, Model], one: str, two: str) -> None:
    """Weights and censoring are data; trials and standard errors must agree where both have them."""
    a, b = models[one].design, models[two].design
    for extra in sorted({*a.response, *b.response} - {"y"}):
        x, y = a.response.get(extra), b.response.get(extra)
        if extra in COUNTED:
            x = np.full(a.size, COUNTED[extra]) if x is None else x
            y = np.full(b.size, COUNTED[extra]) if y is None else y
        elif x is None or y is None or _differ(models[one], models[two]):
            continue
        _equal(models, one, two, x, y, f"the {extra.replace('_', ' ')} of the response")


def _differ(one: Model, two: Model) -> bool:
    """Whether the responses of two models are different expressions."""
    return read_response(one).text != read_response(two).text


def _equal(
    models: Mapping[str, Model], one: str, two: str, x: np.ndarray, y: np.ndarray, what: str
) -> None:
    different = np.flatnonzero((x != y).reshape(len(x), -1).any(axis=1))
    if different.size:
        at = int(different[0])
        row = models[one].design.rows[at]
        raise OptionError(
            f"{what} differ(s) between `{one}` and `{two}` in {different.size:,} of {len(x):,} rows "
            f"(first: row {row}, {np.ravel(x[at])[0]:g} and {np.ravel(y[at])[0]:g}), so that their "
            "predictions cannot be compared. Fit both to the same response."
        )


def _shifts(models: Mapping[str, Model]) -> tuple[dict[str, np.ndarray], list[str]]:
    """log |df/dc| for responses f of one column c, times the weight of the row."""
    responses = {name: read_response(model) for name, model in models.items()}
    first, *others = models
    if len({response.text for response in responses.values()}) == 1:
        levels = {name: model.spec.schema.response_levels for name, model in models.items()}
        for name in others:
            x, y = (models[n].design.response["y"] for n in (first, name))
            _equal(models, first, name, x, y, f"the response `{responses[first].text}`")
            if levels[name] != levels[first]:
                raise OptionError(
                    f"the levels of the response are {levels[first]} in `{first}` and {levels[name]} "
                    f"in `{name}`. Fit both to the same data."
                )
        return {name: np.zeros(1) for name in models}, []
    column = _one_column(models, responses)
    base = models[first].table.numeric(column)[models[first].design.rows]
    shift, notes = {}, []
    for name, model in models.items():
        own = model.table.numeric(column)[model.design.rows]
        _equal(models, first, name, base, own, f"the column `{column}`")
        shift[name] = _jacobian(model, name, responses[name], column)
        if shift[name].any():
            notes.append(
                f"the response of `{name}` is `{responses[name].text}`; its log densities became those "
                f"of `{column}` by adding the log of the slope |d {responses[name].text} / d {column}| "
                "of every row."
            )
    return shift, notes


def _one_column(models: Mapping[str, Model], responses: Mapping[str, Response]) -> str:
    columns = {response.columns for response in responses.values()}
    (only,) = columns if len(columns) == 1 else [()]
    wide = len(only) == 1 and next(iter(models.values())).table.stream(only[0]) is not None
    if len(only) != 1 or wide:
        named = listing(f"`{r.text}` in `{name}`" for name, r in responses.items())
        raise OptionError(
            f"the fits have different responses: {named}. Fits can be compared where the responses are "
            "one, or functions of one column, such as `y`, `log(y)` and `I(1000 * y)`; write the "
            "function in the formula, not into a new column."
        )
    return only[0]


def _jacobian(model: Model, name: str, response: Response, column: str) -> np.ndarray:
    if response.text == column or is_discrete(model):
        return np.zeros(1)
    logs = log_derivative(model, response)
    status = model.design.response.get("status")
    if status is not None:  # a censored row has a probability, the same on every scale
        y, values = model.design.response["y"], model.table.numeric(column)[model.design.rows]
        if np.polyfit(values, y, 1)[0] < 0 and status.any():
            raise OptionError(
                f"`{response.text}` of `{name}` falls as `{column}` rises, so that censoring from the "
                "right becomes censoring from the left. Fit all models to one response."
            )
        logs = np.where(status == 0, logs, 0.0)
    return logs * model.design.response.get("weights", 1.0)


def _known_beside(models: Mapping[str, Model]) -> list[str]:
    """Notes where some models know more of a row than others."""
    out = []
    for extra in ("standard_error", "trials"):
        having = [name for name, model in models.items() if extra in model.design.response]
        if having and len(having) < len(models):
            out.append(
                f"{listing(f'`{name}`' for name in having)} know(s) the {extra.replace('_', ' ')} of "
                "each row, as a predictor is known; the others do not."
            )
    return out


def _kinds(models: Mapping[str, Model]) -> list[str]:
    """A warning where densities are compared with probabilities."""
    discrete = [name for name, model in models.items() if is_discrete(model)]
    if not discrete or len(discrete) == len(models):
        return []
    rest = [name for name in models if name not in discrete]
    return [
        f"{listing(f'`{n}`' for n in rest)} give(s) a density per unit of the response and "
        f"{listing(f'`{n}`' for n in discrete)} a probability. The two are comparable only where the "
        "response moves in steps of 1 and its spread is much wider than that; otherwise the density "
        "can win without predicting better. Compare families of one kind."
    ]
