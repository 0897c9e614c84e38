"""Default priors: weakly informative, on the scale of the data, and the same in any units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..formula import Design, Schema
from ..formula.features import Features, moments
from ..formula.schema import GroupSchema, PredictorSchema
from ..formula.terms import INTERCEPT, MEAN
from .family import Family, Summary
from .groups import find_group
from .links import LINKS, Link
from .names import correlation_name, scale_name, shape_name
from .priors import Prior, make

SPREAD = 2.5
"""Default standard deviations are this many times the spread of the response."""


def summarize(family: Family, link: Link, design: Design) -> Summary:
    """Returns what default priors need to know of the response, on the scale of the link."""
    y = design.response["y"]
    trials = design.response.get("trials")
    if trials is not None:
        mean = float((y.sum() + 0.5) / (trials.sum() + 1))
        variance = mean * (1 - mean) / float(trials.mean())
    else:
        mean, variance = float(y.mean()), float(y.var())
    offset = float(design.predictors[MEAN].offset.mean())
    if link.linear:
        spread = float(np.sqrt(variance)) or max(abs(mean), 1.0)
        location, scale = mean, spread
        variance = variance or spread**2
    else:
        scale = 1.0
        mean = _inside(link, y, mean)
        location = float(link.forward(mean))
        variance = variance or mean**2
    if "standard_error" in design.response:
        noise = float(np.mean(design.response["standard_error"] ** 2))
    else:
        noise = variance
    slope = float(np.asarray(link.slope(np.asarray(mean))))
    information = max(slope**2 / noise, 1e-12 / scale**2)
    return Summary(mean, variance, location - offset, scale, information)


def summarize_neurons(family: Family, link: Link, design: Design) -> tuple[Summary, ...]:
    """Returns the summary of every neuron of a response of two dimensions; else nothing."""
    y = design.response["y"]
    if y.ndim == 1:
        return ()
    shared = {k: v for k, v in design.response.items() if k != "y"}
    return tuple(
        summarize(family, link, replace(design, response={"y": column, **shared})) for column in y.T
    )


def _inside(link: Link, y: np.ndarray, mean: float) -> float:
    """Moves a mean at the edge of the link's range (all zeros, all ones) inside."""
    low, high = link.bounds
    if np.isinf(high):
        return mean if mean > low else max(0.1 * float(y.std()), 0.5 / len(y))
    edge = 0.5 / (len(y) + 1)
    return float(np.clip(mean, low + edge, high - edge))


def default_priors(
    schema: Schema,
    family: Family,
    links: Mapping[str, str],
    design: Design,
    summary: Summary,
    neurons: tuple[Summary, ...] = (),
) -> dict[str, Prior]:
    """Returns the default prior of every parameter, by printed name, in the order of printing."""
    priors: dict[str, Prior] = {}
    modelled = {predictor.parameter for predictor in schema.predictors}
    for predictor, formula in zip(schema.predictors, schema.formula.predictors, strict=True):
        arrays = design.predictors[predictor.parameter]
        location, scale = link_scale(predictor.parameter, family, links, summary)
        if predictor.intercept:
            name = formula.prefixed(INTERCEPT)
            priors[name] = make("Normal", location, SPREAD * scale)
        level = predictor.intercept or spans_constant(arrays.matrix)
        found = moments(arrays.shared)
        whole = float(np.hypot(location, scale))  # of a term that carries the level itself
        start = 0
        for term in predictor.terms:
            columns = slice(start, start + term.size)
            alone = not predictor.intercept
            carries = alone and (not level or spans_constant(arrays.matrix[:, columns]))
            spread = whole if carries else scale
            sizes = found.size if carries else found.deviation
            sizes = sizes[start : start + term.size]
            widths = SPREAD * spread / np.where(sizes > 0, sizes, 1.0)
            priors[formula.prefixed(term.name)] = make("Normal", 0.0, _plain(widths))
            start += term.size
        if neurons:
            places = [link_scale(predictor.parameter, family, links, each) for each in neurons]
            priors |= _own_priors(predictor, arrays.own, np.array(places).T, formula.prefixed)
            level = level or predictor.own_intercept
        scale = scale if level else whole
        for group, group_arrays in zip(predictor.groups, arrays.groups, strict=True):
            widths = SPREAD * scale / effect_scales(group_arrays.effects)
            priors |= _group_priors(predictor, group, widths, formula.prefixed, summary)
    for parameter in family.parameters:
        known = parameter.name == family.known_scale and "standard_error" in schema.extras
        if parameter.name not in modelled and not known:
            each = [parameter.prior(one) for one in neurons or (summary,)]
            priors[parameter.name] = _stacked(each)
    return priors


def _stacked(priors: list[Prior]) -> Prior:
    """Joins the priors of single neurons: arguments that differ become one number for each."""
    first = priors[0]
    arguments = {}
    for i, (name, value) in enumerate(first.arguments):
        values = [prior.arguments[i][1] for prior in priors]
        arguments[name] = value if all(v == value for v in values) else values
    return make(first.name, **arguments)


def _own_priors(
    predictor: PredictorSchema, own: Features, places: np.ndarray, prefixed: Callable[[str], str]
) -> dict[str, Prior]:
    """Default priors of every neuron's own coefficients; places holds (location, scale) of each."""
    priors: dict[str, Prior] = {}
    location, scale = places
    if predictor.own_intercept:
        wide = SPREAD * scale
        priors[prefixed(INTERCEPT)] = make("Normal", _plain(location), _plain(wide))
    found = moments(own)
    level = predictor.own_intercept or predictor.intercept
    sizes = found.deviation if level else found.size
    whole = scale if level else np.hypot(location, scale)
    start = 0
    for term in predictor.own:
        columns = sizes[start : start + term.size]
        widths = SPREAD * whole[None, :] / np.where(columns > 0, columns, 1.0)[:, None]
        same = np.allclose(whole, whole[0], rtol=1e-12, atol=0)
        wide: Any = _plain(widths[:, 0]) if same else widths
        if not same and term.size > 1 and np.allclose(widths, widths[:1], rtol=1e-12, atol=0):
            wide = widths[:1]
        elif not same and term.size == 1:
            wide = widths[0]
        priors[prefixed(term.name)] = make("Normal", 0.0, wide)
        start += term.size
    return priors


def link_scale(
    parameter: str, family: Family, links: Mapping[str, str], summary: Summary
) -> tuple[float, float]:
    """Returns where a predictor's intercept lies, and the spread of effects, on the link's scale."""
    if parameter == MEAN:
        return summary.location, summary.scale
    guess = family.parameter(parameter).guess(summary)
    return float(LINKS[links[parameter]].forward(guess)), 1.0


def spans_constant(columns: np.ndarray) -> bool:
    """Whether some combination of the columns is constant, as of indicators of all levels."""
    if not columns.shape[1]:
        return False
    ones = np.ones(len(columns))
    fitted = columns @ np.linalg.lstsq(columns, ones, rcond=None)[0]
    return bool(np.abs(fitted - ones).max() < 1e-8)


def effect_scales(effects: np.ndarray) -> np.ndarray:
    """Returns the size of each varying effect's column: 1 for constants, else its deviation."""
    deviation = effects.std(axis=0)
    size = np.sqrt((effects**2).mean(axis=0))
    constant = deviation <= 1e-12 * np.maximum(size, 1e-300)
    return np.where(constant, np.where(size > 0, size, 1.0), np.where(deviation > 0, deviation, 1))


def _group_priors(
    predictor: PredictorSchema,
    group: GroupSchema,
    widths: np.ndarray,
    prefixed: Callable[[str], str],
    summary: Summary,
) -> dict[str, Prior]:
    priors = {}
    start = 0
    for effect in group.effects:
        width = _plain(widths[start : start + effect.size])
        priors[scale_name(prefixed(group.variable(effect)))] = make("HalfNormal", width)
        start += effect.size
    if group.term.correlated and group.size > 1:
        priors[correlation_name(predictor, group, prefixed)] = make("LKJ", 2)
    for parameter in find_group(group.term.distribution).parameters:
        priors[shape_name(parameter.name, predictor, group, prefixed)] = parameter.prior(summary)
    return priors


def _plain(widths: np.ndarray) -> float | tuple[float, ...]:
    if np.allclose(widths, widths[0], rtol=1e-12, atol=0):
        return float(widths[0])
    return tuple(float(width) for width in widths)
