"""Masks: which neuron uses which term, and, after a fit, with what sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError
from ...inference.fit import Fit
from ...inference.model import Model
from ...inference.temporal import coefficients
from ..accept import describe
from ..chart import Chart
from ..fields import levels, rename, tooltips
from ..filters import short_names
from ..theme import DIVERGING, INK, PALE
from ..theme import title as heading

if TYPE_CHECKING:
    import altair as alt

CELL, SMALL = 26, 10
"""The side of a cell, and of one where there are many."""


def masks_data(model: Model | Fit) -> pd.DataFrame:
    """Returns which neuron uses which term, and the effects where the model is fitted.

    Args:
        model: a Model or a Fit of a response of two dimensions.

    Returns:
        One row per term, source (of several series) and neuron: `term`, `source`, `neuron`, `used`
        (whether any coefficient is free), `coefficients` (free ones); of a fit also `effect`, the
        summed filter of a temporal term, the coefficient of a plain one, and the root mean square of
        several, which has no sign.

    Raises:
        OptionError: the response has one dimension, or no term is the neurons' own.

    Example:
        >>> bz.plot.masks_data(model)  # doctest: +SKIP
    """
    fit = model if isinstance(model, Fit) else None
    if fit is not None:
        bound = fit.model
    elif isinstance(model, Model):
        bound = model
    else:
        raise OptionError(f"plot.masks() takes a model or a fit, not {type(model).__name__}.")
    spec = bound.spec
    neurons, predictor = spec.schema.neurons, spec.schema.predictors[0]
    if neurons is None or not predictor.own:
        raise OptionError(
            "plot.masks() shows which neuron uses which term, so it takes a model of a response of two "
            "dimensions with terms of the neurons' own; "
            f"`{spec.schema.formula.text}` has none."
        )
    count = len(neurons.labels)
    rows, start = [], 0
    for term in predictor.own:
        sources = term.sources or (None,)
        if term.size % len(sources):
            sources = (None,)
        free = np.ones((term.size, count), bool)
        if spec.mask is not None:
            free = np.asarray(spec.mask, dtype=bool)[start : start + term.size]
        start += term.size
        each = free.reshape(len(sources), -1, count).sum(axis=1)
        for s, source in enumerate(sources):
            for n, neuron in enumerate(neurons.labels):
                rows.append((term.name, source, neuron, bool(each[s, n]), int(each[s, n])))
    table: Any = pd.DataFrame(rows, columns=["term", "source", "neuron", "used", "coefficients"])
    if fit is not None:
        table["effect"] = _effects(fit, table)
    return table.drop(columns="source") if table["source"].isna().all() else table


def _effects(fit: Fit, table: Any) -> np.ndarray:
    """Returns what a term does in sum, one number per row of the table; NaN where it is masked."""
    from ...inference.point import point_values

    predictor = fit.model.spec.schema.predictors[0]
    try:
        filters = fit.kernels()
    except OptionError:  # no temporal term
        filters = pd.DataFrame({"term": [], "neuron": [], "lag": [], "mean": []})
    filters = filters.assign(source=filters.get("source"), level=filters.get("level"))
    filters = filters[filters["level"].isna()]
    summed = filters.groupby(["term", "source", "neuron"], dropna=False)["mean"].sum()
    found = {
        (term, None if pd.isna(source) else source, neuron): value
        for (term, source, neuron), value in summed.items()  # type: ignore[misc]
    }
    labels = fit.model.spec.schema.neurons.labels  # type: ignore[union-attr]
    for part in coefficients(fit.model.spec, predictor, point_values(fit)):
        if not part.own or (table["term"] == part.term.name).sum() == 0:
            continue
        values = part.values[0]
        single = values[0] if len(values) == 1 else np.sqrt(np.mean(values**2, axis=0))
        for label, value in zip(labels, single, strict=True):
            found.setdefault((part.term.name, None, label), float(value))
    keys = zip(table["term"], table["source"], table["neuron"], strict=True)
    values = [found.get((t, None if pd.isna(s) else s, n), np.nan) for t, s, n in keys]
    return np.where(table["used"], values, np.nan)


def masks(model: Model | Fit, *, title: str | None = None) -> alt.LayerChart | alt.HConcatChart:
    """Draws which neuron uses which term; of a fit, with the sign and size of its effect.

    Args:
        model: a Model or a Fit of a response of two dimensions.
        title: by default "Which neuron uses which term".

    Returns:
        A heat map of terms and neurons, and beside it one of sources and neurons for every term that
        couples several series; cells that a mask sets to 0 are crossed out.

    Raises:
        OptionError: as `masks_data`.

    Example:
        >>> bz.plot.masks(fit)  # doctest: +SKIP
    """
    import altair as alt

    frame: Any = masks_data(model)
    bound = model.model if isinstance(model, Fit) else model
    dimension = bound.spec.schema.neurons.dim  # type: ignore[union-attr]
    short = short_names(frame["term"].unique().tolist())
    coupled = (
        frame.loc[frame["source"].notna(), "term"].unique().tolist() if "source" in frame else []
    )
    plain = frame[~frame["term"].isin(coupled)]
    about = describe(model).splitlines()
    charts = []
    if len(plain):
        part = plain.assign(row=plain["term"].map(short))
        text = title or "Which neuron uses which term"
        charts.append(_matrix(part, "term", dimension, text, about))
    for term in coupled:
        part = frame[frame["term"] == term]
        text = title or f"Which {short[term]} act on which {dimension}"
        below = about if not charts else []
        charts.append(_matrix(part.assign(row=part["source"]), "source", dimension, text, below))
    if len(charts) == 1:
        return charts[0]
    return alt.hconcat(*charts).resolve_scale(color="independent")


def _matrix(frame: Any, row: str, dimension: str, text: str, lines: list[str]) -> Any:
    import altair as alt

    table: Any
    table, names = rename(frame.assign(used=frame["used"].map({True: "used", False: "masked (0)"})))
    rows, columns = levels(table["row"]), levels(table["neuron"])
    if row == "term":
        rows = list(dict.fromkeys(table["row"]))
    many = max(len(rows), len(columns)) > 30
    side = SMALL if many else CELL
    x = alt.X(field="neuron", type="nominal", title=dimension, sort=columns)
    y = alt.Y(field="row", type="nominal", title=row, sort=rows)
    shown = ["term", "source", "neuron", "used", "coefficients", "effect"]
    tips = tooltips(table, {names[n]: n for n in shown if n in frame and frame[n].notna().any()})
    used = alt.Chart().transform_filter("datum.used === 'used'")
    masked = alt.Chart().transform_filter("datum.used !== 'used'")
    if "effect" in frame:
        reach = float(frame["effect"].abs().max()) or 1.0
        colour = alt.Color(
            field="effect",
            type="quantitative",
            title=["summed", "effect"],
            scale=alt.Scale(scheme=DIVERGING, domain=[-reach, reach], reverse=True),
        )
        key = "blue: excites, orange: suppresses; crosses: 0 by the mask"
        layers = [used.mark_rect(stroke="white").encode(x, y, colour, tooltip=tips)]
    else:
        key = "dark: used; crosses: 0 by the mask"
        layers = [used.mark_rect(stroke="white", color="#4C78A8").encode(x, y, tooltip=tips)]
    grey = masked.mark_rect(stroke="white", color=PALE, opacity=0.45)
    layers.append(grey.encode(x, y, tooltip=tips))
    layers.append(
        masked.mark_text(text="×", color=INK, opacity=0.6, fontSize=side / 2).encode(x, y)
    )
    return alt.layer(*layers, data=table).properties(
        title=heading(text, *lines, key, width=60),
        width={"step": side},
        height={"step": side},
    )


MASKS = Chart("masks", masks, masks_data, "Which neuron uses which term, and with what sign?")
