"""The numbers of a model: prior distributions, and coordinates in which every unit is about 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formula import Design
from ..formula.design import GroupDesign, PredictorDesign
from ..formula.features import moments
from ..formula.schema import GroupSchema, PredictorSchema
from ..formula.terms import INTERCEPT, MEAN
from .defaults import effect_scales, link_scale
from .groups import find_group
from .links import LINKS
from .population_numbers import neuron_centring, own_numbers, scalar_numbers
from .priors import Prior
from .spec import ModelSpec

RELIABLE = 0.6
"""An effect is sampled centred when its group's data explain this share of its variance."""
CAUTION = 1.5
"""The spread of effects is taken this many standard errors below its estimate for that."""


def numbers(spec: ModelSpec, design: Design) -> dict[str, Any]:
    """Returns every number that the compiled model takes beside the design, as a tree of arrays."""
    prior = spec.prior
    links = dict(spec.links)
    out: dict[str, Any] = {}
    for predictor in spec.schema.predictors:
        name = predictor.parameter
        arrays = design.predictors[name]
        location, scale = link_scale(name, spec.family, links, spec.summary)
        information = spec.summary.information if name == MEAN else 0.5
        names, _ = spec.coefficient_names(name)
        entry: dict[str, Any] = {"groups": ()}
        if names:
            entry["coefficients"] = _coefficients(
                [prior[n] for n in names],
                predictor,
                arrays,
                location,
                scale,
                information,
                spec.centred_intercept(name),
            )
        if spec.own_names(name)[0]:
            entry["own"] = own_numbers(spec, name, arrays.own, design.size)
        residual = None
        if name == MEAN and predictor.groups and spec.schema.neurons is None:
            working = _working_response(spec, design)
            residual = working - _project(working, predictor, arrays)
        groups = []
        absorbed = _absorbed(predictor, arrays, spec.schema.neurons is not None)
        for i, (group, effects) in enumerate(zip(predictor.groups, arrays.groups, strict=True)):
            owned = _owned(predictor, group)
            scales = _group(spec, name, i, group, effects, scale, residual, owned)
            if name == MEAN and group.over_neurons and effects.index.shape[0] == 1:
                scales |= neuron_centring(spec, design, effects, scales["units"])
            absorbs = absorbed[i]
            start = location * np.array([n == INTERCEPT for n in group.effect_names])
            scales |= {"absorbs": absorbs, "anchor": start * absorbs.any(axis=1)}
            groups.append(scales)
        entry["groups"] = tuple(groups)
        out[name] = entry
    if spec.scalars and spec.neurons:
        out["family"] = scalar_numbers(spec)
    elif spec.scalars:
        parameters = [spec.family.parameter(name) for name in spec.scalars]
        guesses = np.array([parameter.guess(spec.summary) for parameter in parameters])
        # data tell them by about rows**-0.5, but not all of them: samplers want neither 1 nor that
        scale = max(design.size, 1) ** -0.25
        out["family"] = _independent([prior[name] for name in spec.scalars], guesses, scale=scale)
    return out


def _independent(
    priors: list[Prior], guesses: np.ndarray, sizes: Any = None, scale: float = 1.0
) -> dict[str, Any]:
    """Coordinates of parameters with bounded support: the transform's own, centred on a guess."""
    from numpyro.distributions import biject_to

    distributions = tuple(prior.distribution() for prior in priors)
    sizes = sizes or [1] * len(priors)
    location, start = [], 0
    for distribution, size in zip(distributions, sizes, strict=True):
        part = guesses[start : start + size]
        raw = np.asarray(biject_to(distribution.support).inv(part), dtype=np.float64)
        location.append(np.where(np.isfinite(raw), raw, 0.0))
        start += size
    p = len(guesses)
    return {
        "priors": tuple(prior.numbers() for prior in priors),
        "location": np.concatenate(location),
        "basis": np.full(p, scale),
        "lean": np.zeros(p),
        "log_volume": np.asarray(p * np.log(scale)),
    }


def _coefficients(
    priors: list[Prior],
    predictor: PredictorSchema,
    arrays: PredictorDesign,
    location: float,
    scale: float,
    information: float,
    centred: bool,
) -> dict[str, Any]:
    """Coordinates in which the coefficients are about uncorrelated with spread about 1."""
    from numpyro.distributions import constraints

    distributions = tuple(prior.distribution() for prior in priors)
    found, rows, first = moments(arrays.shared), arrays.shared.shape[0], int(predictor.intercept)
    means = found.means if predictor.intercept else np.zeros_like(found.means)
    effective = min([len(g.levels) for g in predictor.groups] + [rows])
    information = information * effective / max(rows, 1)
    cross = found.covariance + (0.0 if predictor.intercept else np.outer(found.means, found.means))
    varies = predictor.intercept & (found.deviation > 1e-9 * found.size)
    size = np.maximum(np.where(varies, found.deviation, found.size), 1e-150)
    # a weak ridge keeps coordinates finite also where data say nothing
    gram = cross * rows * information + np.diag(size**2 / scale**2 * 1e-2)
    slopes = np.linalg.inv(np.linalg.cholesky(gram)).T if len(gram) else gram
    p = first + len(gram)
    basis, offset = np.zeros((p, p)), np.zeros(p)
    basis[first:, first:] = slopes
    if predictor.intercept:
        basis[0, 0] = 1 / np.sqrt(information * rows + 1e-2 / scale**2)
        basis[0, 1:] = -means @ slopes
        offset[0] = location
    start = 0
    sizes = [1] * first + [term.size for term in predictor.terms]
    bounded = np.zeros(p, dtype=bool)
    for prior, distribution, width in zip(priors, distributions, sizes, strict=True):
        real = distribution.support in (constraints.real, constraints.real_vector)
        bounded[start : start + width] = not real or prior.form.local
        start += width
    if bounded.any():  # their coordinates are the transform's own
        basis[bounded, :] = 0
        basis[:, bounded] = 0
        basis[bounded, bounded] = 1
        offset[bounded] = 0
    lean = np.zeros(p)
    if predictor.intercept and centred:
        lean[1:] = means
    return {
        "priors": tuple(prior.numbers() for prior in priors),
        "location": offset,
        "basis": basis,
        "lean": lean,
        "log_volume": np.asarray(np.linalg.slogdet(basis)[1]),
    }


def _group(
    spec: ModelSpec,
    parameter: str,
    position: int,
    group: GroupSchema,
    arrays: GroupDesign,
    scale: float,
    residual: np.ndarray | None,
    owned: np.ndarray,
) -> dict[str, Any]:
    prior, names = spec.prior, spec.group_names(parameter, position)
    guess = 0.5 * scale / effect_scales(arrays.effects)
    centred = np.zeros((len(group.levels), group.size), dtype=bool)
    if residual is not None:
        guess, centred = _reliability(arrays, len(group.levels), residual, guess)
        # an effect that is not owned trades off with its owner's, which it is not counted from
        centred &= owned
    member = find_group(group.term.distribution)
    sizes = [effect.size for effect in group.effects]
    eta = prior[names["corr"]].numbers()["eta"] if names["corr"] in prior else np.asarray(1.0)
    out = {
        "sd": _independent([prior[name] for name in names["sd"]], guess, sizes),
        "eta": eta,
        "units": guess,
        "centred": centred,
    }
    if member.parameters:
        guesses = np.array([p.guess(spec.summary) for p in member.parameters])
        out["shape"] = _independent([prior[name] for name in names["shape"]], guesses)
    return out


def _absorbed(
    predictor: PredictorSchema, arrays: PredictorDesign, population: bool
) -> list[np.ndarray]:
    """How much of each coefficient a centred effect absorbs, (effect, coef) for each group term.

    An effect is owned by one term: of those that have it, the one with the fewest groups. Common
    columns are regressed on the columns of owned effects: a coefficient of the same name is absorbed
    wholly, and with the intercept the others at the mean of their columns, so that no effect is counted
    from where predictors are 0, which may be far away.
    """
    columns = (*((INTERCEPT,) if predictor.intercept else ()), *predictor.column_names)
    owned = [_owned(predictor, group) for group in predictor.groups]
    if population:
        names = [np.array(group.effect_names)[:, None] for group in predictor.groups]
        return [
            (n == np.array(columns)) * o[:, None] * 1.0 for n, o in zip(names, owned, strict=True)
        ]
    out = [np.zeros((group.size, len(columns))) for group in predictor.groups]
    if not columns or not any(o.any() for o in owned):
        return out
    effects = np.hstack([g.effects[:, o] for g, o in zip(arrays.groups, owned, strict=True)])
    ones = np.ones((len(effects), int(predictor.intercept)))
    share = np.linalg.lstsq(effects, np.hstack([ones, arrays.matrix]), rcond=None)[0]
    ends = np.cumsum([o.sum() for o in owned])[:-1]
    for matrix, o, part in zip(out, owned, np.split(share, ends), strict=True):
        matrix[o] = part
    return out


def _owned(predictor: PredictorSchema, group: GroupSchema) -> np.ndarray:
    """Which effects of a group term no term with fewer groups has, shape (effect,)."""
    rivals = [
        [g for g in predictor.groups if name in g.effect_names] for name in group.effect_names
    ]
    return np.array([min(r, key=lambda g: len(g.levels)) is group for r in rivals])


def _working_response(spec: ModelSpec, design: Design) -> np.ndarray:
    """The response moved roughly to the scale of the link."""
    y, trials = design.response["y"], design.response.get("trials")
    values = y / trials if trials is not None else y
    return LINKS[dict(spec.links)[MEAN]].work(values, spec.summary.mean)


def _project(
    working: np.ndarray, predictor: PredictorSchema, arrays: PredictorDesign
) -> np.ndarray:
    columns = [arrays.matrix]
    if predictor.intercept:
        columns.insert(0, np.ones((len(working), 1)))
    matrix = np.concatenate(columns, axis=1)
    if not matrix.shape[1]:
        return np.zeros_like(working)
    return matrix @ np.linalg.lstsq(matrix, working, rcond=None)[0]


def _reliability(
    arrays: GroupDesign, groups: int, residual: np.ndarray, fallback: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Guesses the spread of effects by moments, and which groups' data determine their effects."""
    z, index = arrays.effects, arrays.index
    k = z.shape[1]
    cross = np.zeros((groups, k, k))
    np.add.at(cross, index, z[:, :, None] * z[:, None, :])
    right = np.zeros((groups, k))
    np.add.at(right, index, z * residual[:, None])
    unit = 1 / fallback
    ridge = np.einsum("k,kl->kl", unit**2, np.eye(k)) * residual.var() * 0.25
    inverse = _inverse(cross + ridge + 1e-300 * np.eye(k))
    effects = np.einsum("jkl,jl->jk", inverse, right)
    # a row that is its group's only one says little of noise, however closely its effect follows it
    free = max(len(residual) - float(np.einsum("jkl,jlk->", inverse, cross)), 1e-9)
    left = residual - (z * effects[index]).sum(axis=1)
    noise = max(float(left @ left) / free, 1e-300)
    error = noise * np.einsum("jkk->jk", inverse)
    total = (effects**2).mean(axis=0)
    variance = np.clip(total - error.mean(axis=0), (0.2 * fallback) ** 2, (4 * fallback) ** 2)
    # a spread that may be zero makes a funnel, which only non-centred effects avoid
    least = np.maximum(total * (1 - CAUTION * np.sqrt(2 / groups)) - error.mean(axis=0), 0.0)
    # nor does anything tell a spread of groups from the noise of their only rows
    several = np.bincount(index, minlength=groups)[:, None] > k
    return np.sqrt(variance), (least / (least + error) > RELIABLE) & several


def _inverse(blocks: np.ndarray) -> np.ndarray:
    """Inverts symmetric blocks; where one is singular in floating point, by eigenvalues."""
    try:
        return np.linalg.inv(blocks)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(blocks, hermitian=True)
