"""Masks: which neuron uses which coefficient of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..errors import OptionError, listing, nearest, shown
from ..formula import Schema
from ..formula.schema import Neurons, TermSchema

Mask = tuple[tuple[bool, ...], ...]
"""(coef, neuron), in the order of the columns of the neurons' own terms, without the intercept."""


def read_mask(mask: Any, schema: Schema) -> Mask | None:
    """Reads a user's mask.

    Args:
        mask: None; or for each term the labels of the neurons that use it, or a boolean array (neuron,)
            or (source, neuron) or (coefficient of the term, neuron); or one array (coef, neuron).
        schema: the model's terms and neurons.

    Raises:
        OptionError: one dimension, an unknown term or neuron, a wrong shape, or values not 0 and 1.
    """
    if mask is None:
        return None
    neurons, predictor = schema.neurons, schema.predictors[0]
    if neurons is None:
        raise OptionError(
            "mask= says which neuron uses which term, so it is for two-dimensional responses; "
            f"`{schema.response}` has one dimension."
        )
    size, count = sum(term.size for term in predictor.own), len(neurons.labels)
    out = np.ones((size, count), dtype=bool)
    if not isinstance(mask, Mapping):
        whole = _boolean(mask, "mask=")
        if whole.shape != (size, count):
            raise OptionError(
                f"mask= has shape {whole.shape}, but the model has {size} coefficients for each of "
                f"{count} neurons: ({size}, {count}), in the order {listing(predictor.own_names, 10)}. "
                "For a mask by term give a dictionary: {term: [neurons]}."
            )
        return _tuples(whole)
    starts, start = {}, 0
    for term in predictor.own:
        starts[term.name] = (term, start)
        start += term.size
    for name, value in mask.items():
        plain = str(name).replace("`", "")
        found = next((pair for key, pair in starts.items() if key.replace("`", "") == plain), None)
        if found is None:
            pooled = plain in {term.name for term in predictor.terms}
            raise OptionError(
                f"mask= names `{name}`, "
                + (
                    "whose coefficients are common to all neurons."
                    if pooled
                    else f"which is no term of the model.{nearest(str(name), starts)}"
                )
                + f" Terms that can be masked: {listing(starts) or 'none'}."
            )
        term, first = found
        out[first : first + term.size] = _of_term(value, term, neurons)
    return _tuples(out)


def _of_term(value: Any, term: TermSchema, neurons: Neurons) -> np.ndarray:
    count, sources = len(neurons.labels), max(1, len(term.sources))
    value = _by_position(value, term, neurons)
    array = np.asarray(value)
    if array.ndim == 1 and not _is_boolean(array, count):
        return np.tile(_by_label(value, term, neurons)[None, :], (term.size, 1))
    array = _boolean(value, f"mask= of `{term.name}`")
    if array.shape == (count,):
        return np.tile(array[None, :], (term.size, 1))
    if array.shape == (term.size, count):
        return array
    if array.shape == (sources, count) and term.size % sources == 0:
        return np.repeat(array, term.size // sources, axis=0)
    shapes = [f"({count},)"] + [f"({sources}, {count})"] * (sources > 1)
    shapes += [f"({term.size}, {count})"] * (term.size > 1)
    raise OptionError(
        f"mask= of `{term.name}` has shape {array.shape}; it takes labels of neurons, or booleans of "
        f"shape {' or '.join(shapes)}: (neuron,), (source, neuron) or (coefficient, neuron)."
    )


def _by_position(value: Any, term: TermSchema, neurons: Neurons) -> Any:
    """Puts a labelled mask, such as a DataFrame, into the order of the model's neurons and sources."""
    if isinstance(value, pd.Series | pd.DataFrame):
        axes = [value.index] if isinstance(value, pd.Series) else [value.index, value.columns]
    elif isinstance(value, xr.DataArray) and value.ndim:
        axes = [pd.Index(value[dim].values) if dim in value.coords else None for dim in value.dims]
    else:
        return value
    array = np.asarray(value)
    wanted = [neurons.labels] if array.ndim == 1 else [term.sources, neurons.labels]
    for axis, (found, labels) in enumerate(zip(axes, wanted, strict=False)):
        if found is None or isinstance(found, pd.RangeIndex) or not len(labels):
            continue
        places = {str(label): i for i, label in enumerate(found)}
        lacking = [label for label in labels if str(label) not in places]
        if lacking or len(found) != len(labels):
            raise OptionError(
                f"mask= of `{term.name}` is labelled {listing(found, 8)}, but the model has "
                f"{listing(labels, 8)}. Use the model's labels, or an array without labels."
            )
        array = np.take(array, [places[str(label)] for label in labels], axis=axis)
    return array


def _is_boolean(array: np.ndarray, count: int) -> bool:
    if array.dtype.kind == "b":
        return True
    numeric = array.dtype.kind in "iuf" and array.shape == (count,)
    return numeric and bool(np.isin(array, (0, 1)).all())


def _by_label(value: Any, term: TermSchema, neurons: Neurons) -> np.ndarray:
    places = {label: i for i, label in enumerate(neurons.labels)}
    places |= {str(label): i for i, label in enumerate(neurons.labels)}
    out = np.zeros(len(neurons.labels), dtype=bool)
    for label in list(value):
        key = label if label in places else str(label)
        if key not in places:
            raise OptionError(
                f"mask= of `{term.name}` names the neuron {shown(label)}, which the response lacks."
                f"{nearest(str(label), map(str, neurons.labels))} "
                f"Neurons: {listing(neurons.labels)}."
            )
        out[places[key]] = True
    return out


def _boolean(value: Any, where: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise OptionError(
            f"{where} holds values other than True and False (or 1 and 0), or labels in more than one "
            "dimension."
        )
    return array.astype(bool)


def _tuples(array: np.ndarray) -> Mask | None:
    if array.all():
        return None
    return tuple(tuple(row) for row in array.tolist())
