"""Filters of temporal terms: their short names, and true filters beside fitted ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import OptionError, listing, nearest, shown
from ..inference.options import numbers

if TYPE_CHECKING:
    from ..inference.fit import Fit

TRUTH = "truth"


def short_names(terms: list[str]) -> dict[str, str]:
    """Returns the series that each term filters; the whole term where two filter the same one.

    Example:
        >>> short_names(["conv(stim, raised_cos(5, 20))", "lags(speed, 3)"])
        {'conv(stim, raised_cos(5, 20))': 'stim', 'lags(speed, 3)': 'speed'}
    """
    series = {term: (term.partition("(")[2] or term).partition(",")[0].strip() for term in terms}
    names = list(series.values())
    return {term: one if names.count(one) == 1 else term for term, one in series.items()}


def find_term(wanted: object, terms: list[str]) -> str:
    """Returns the term that a user means by its name, or by that of its series.

    Raises:
        OptionError: there is no such term.
    """
    short = short_names(terms)
    for term, name in short.items():
        if wanted in (term, name, name.strip("`")):
            return term
    raise OptionError(
        f"there is no temporal term {shown(wanted)}.{nearest(str(wanted), [*terms, *short.values()])} "
        f"Terms: {listing(f'`{term}`' for term in terms)}."
    )


def add_truth(fit: Fit, table: pd.DataFrame, truth: Any) -> pd.DataFrame:
    """Adds a column with the true filters to a table of kernels.

    Args:
        fit: the fit.
        table: from `fit.kernels()`.
        truth: None; an array; or term -> array of shape (lag,), (lag, neuron) or (source, lag, neuron),
            in the order of the model's sources and neurons.

    Raises:
        OptionError: a truth of no term, or of another shape than its filters.
    """
    if truth is None:
        return table
    terms = table["term"].unique().tolist()
    if not isinstance(truth, Mapping):
        if len(terms) > 1:
            raise OptionError(
                "truth= of several temporal terms takes a dictionary from terms to arrays: "
                f"{listing(f'`{name}`' for name in short_names(terms).values())}."
            )
        truth = {terms[0]: truth}
    column = np.full(len(table), np.nan)
    for name, values in truth.items():
        term = find_term(name, terms)
        lags = numbers("truth", values, "an array of one number for each lag")
        rows = np.flatnonzero((table["term"] == term).to_numpy())
        column[rows] = _picked(fit, table.iloc[rows], lags, term)
    return table.assign(**{TRUTH: column})


def _picked(fit: Fit, rows: pd.DataFrame, values: np.ndarray, term: str) -> np.ndarray:
    """Picks the value of each row from an array (lag,), (lag, neuron) or (source, lag, neuron)."""
    neurons = fit.model.spec.schema.neurons
    labels = [] if neurons is None else list(neurons.labels)
    sources = _sources(fit, term)
    lags = (rows["lag"] - rows["lag"].min()).to_numpy()
    expected = [(len(sources), "source"), (int(lags.max()) + 1, "lag"), (len(labels), "neuron")]
    axes = {1: expected[1:2], 2: expected[1:], 3: expected}.get(values.ndim, [])
    if not axes or values.shape != tuple(size for size, _ in axes):
        allowed = [expected[1:2], expected[1:] if labels else [], expected if sources else []]
        shapes = listing(
            f"({', '.join(f'{name} {size}' for size, name in shape)})" for shape in allowed if shape
        )
        raise OptionError(
            f"truth= of `{term}` has shape {values.shape}; its filters take {shapes}."
        )
    places = {"lag": lags}
    for name, order in (("source", sources), ("neuron", labels)):
        if name in rows:
            found = {label: i for i, label in enumerate(order)}
            column: Any = rows[name]
            places[name] = column.map(found.get).fillna(-1).to_numpy(dtype=int)
        else:
            places[name] = np.zeros(len(rows), dtype=int)
    out = values[tuple(places[name] for _, name in axes)]
    lacking = np.any([places[name] < 0 for _, name in axes], axis=0)
    return np.where(lacking, np.nan, out)


def _sources(fit: Fit, term: str) -> list[Any]:
    schema = fit.model.spec.schema
    for predictor, written in zip(schema.predictors, schema.formula.predictors, strict=True):
        effects = [effect for group in predictor.groups for effect in group.effects]
        for found in (*predictor.terms, *predictor.own, *effects):
            if written.prefixed(found.name) == term:
                return list(found.sources)
    return []
