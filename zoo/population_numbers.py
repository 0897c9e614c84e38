"""The numbers of a population: for each neuron coordinates in which its coefficients are about 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formula import Design
from ..formula.design import GroupDesign
from ..formula.features import Features, moments
from ..formula.terms import MEAN
from .defaults import link_scale
from .links import LINKS
from .priors import Prior
from .spec import ModelSpec

RELIABLE = 0.6
"""A neuron's effect is sampled centred when its data explain this share of its variance."""


def own_numbers(spec: ModelSpec, parameter: str, own: Features, rows: int) -> dict[str, Any]:
    """Returns the numbers of the coefficients that every neuron has of its own.

    The columns are whitened by their covariance, or for masked neurons by that of the columns that
    they use; scales follow from the information that a row holds about each neuron.
    """
    from numpyro.distributions import constraints

    predictor, _ = spec.predictor(parameter)
    names, sizes = spec.own_names(parameter)
    priors = [spec.prior[name] for name in names]
    links = dict(spec.links)
    places = np.array([link_scale(parameter, spec.family, links, one) for one in spec.neurons])
    location, spread = places.T
    information = np.array([one.information for one in spec.neurons])
    if parameter != MEAN:
        information = np.full(len(information), 0.5)
    found = moments(own)
    first, count = int(predictor.own_intercept), len(spec.neurons)
    means = found.means if first else np.zeros_like(found.means)
    cross = found.covariance + (0.0 if first else np.outer(found.means, found.means))
    weak = 1e-2 * found.size**2 / np.mean(spread**2 * information)
    gram = cross * rows + np.diag(weak)
    p = first + len(gram)
    free = spec.free(parameter)
    used = np.ones((p, count), dtype=bool) if free is None else free
    real = np.ones(p, dtype=bool)
    start = 0
    for prior, size in zip(priors, sizes, strict=True):
        form = prior.form
        support = constraints.real if form.joint else prior.distribution().support
        # coefficients with bounds, and with scales that are sampled, keep their own coordinates
        real[start : start + size] = support is constraints.real and not form.local
        start += size
    patterns, which = np.unique(used, axis=1, return_inverse=True)
    bases = np.stack([_basis(gram, means, rows, first, real & p_) for p_ in patterns.T])
    scale = np.where(real[:, None], 1 / np.sqrt(information)[None, :], 1.0)
    where = np.zeros((p, count))
    if first and real[0]:
        where[0] = location
    volume = np.array([np.linalg.slogdet(basis)[1] for basis in bases])[which]
    logs = np.where(used & real[:, None], np.log(scale), 0.0).sum()
    return {
        "priors": tuple(broadcast(q, n, count) for q, n in zip(priors, sizes, strict=True)),
        "location": where,
        "basis": bases[0] if len(bases) == 1 else bases[which],
        "scale": scale,
        "lean": _lean(means, first, spec.centred_intercept(parameter)),
        "free": used,
        "places": None if free is None else np.flatnonzero(used.ravel()),
        "log_volume": np.asarray(volume.sum() + logs),
    }


def _lean(means: np.ndarray, first: int, centred: bool) -> np.ndarray:
    lean = np.concatenate([np.zeros(first), means])
    return lean if first and centred else np.zeros_like(lean)


def _basis(
    gram: np.ndarray, means: np.ndarray, rows: int, first: int, real: np.ndarray
) -> np.ndarray:
    """Coordinates of unit information per row; coefficients that are not used keep their own."""
    p = len(real)
    basis = np.eye(p)
    slopes = np.flatnonzero(real[first:])
    if slopes.size:
        root = np.linalg.inv(np.linalg.cholesky(gram[np.ix_(slopes, slopes)])).T
        basis[np.ix_(first + slopes, first + slopes)] = root
        if first and real[0]:
            basis[0, first + slopes] = -means[slopes] @ root
    if first and real[0]:
        basis[0, 0] = rows**-0.5
    return basis


def broadcast(prior: Prior, size: int, neurons: int) -> dict[str, np.ndarray]:
    """Returns the numbers of a prior in the shape (size, neuron); joint priors keep theirs."""
    if prior.form.joint:
        return prior.numbers()
    out = {}
    for name, value in prior.numbers().items():
        if value.ndim == 1 and not (size == 1 and len(value) == neurons):
            value = value[:, None]
        out[name] = np.broadcast_to(value, (size, neurons)).copy()
    return out


def scalar_numbers(spec: ModelSpec) -> dict[str, Any]:
    """Returns the numbers of the family's parameters, one for each neuron."""
    from numpyro.distributions import biject_to

    count, size = len(spec.neurons), len(spec.scalars)
    location = np.zeros((size, count))
    priors = [spec.prior[name] for name in spec.scalars]
    for i, (name, prior) in enumerate(zip(spec.scalars, priors, strict=True)):
        guess = spec.family.parameter(name).guess
        values = np.array([guess(one) for one in spec.neurons])
        numbers = broadcast(prior, 1, count)
        raw = np.asarray(biject_to(prior.form.build(numbers).support).inv(values[None, :]))
        location[i] = np.where(np.isfinite(raw), raw, 0.0)[0]
    return {
        "priors": tuple(broadcast(prior, 1, count) for prior in priors),
        "location": location,
        "basis": np.eye(size),
        "scale": np.ones((size, count)),
        "lean": np.zeros(size),
        "free": np.ones((size, count), dtype=bool),
        "log_volume": np.zeros(()),
    }


def neuron_centring(
    spec: ModelSpec, design: Design, arrays: GroupDesign, units: np.ndarray
) -> dict[str, Any]:
    """Guesses the spread of effects over neurons, and which of them the data determine.

    One step of Fisher scoring from the mean rate of each neuron gives an estimate with its error.
    """
    z, y = arrays.effects, design.response["y"]
    link = LINKS[dict(spec.links)[MEAN]]
    means = np.array([one.mean for one in spec.neurons])
    information = np.array([one.information for one in spec.neurons])
    slope = np.asarray(link.slope(means), dtype=np.float64) + np.zeros(len(means))
    ridge = np.diag(1.0 / (4 * units**2))
    cross = z.T @ z
    inverse = np.linalg.inv(information[:, None, None] * cross[None] + ridge[None])
    score = (z.T @ (y - means)).T * (information / slope)[:, None]
    effects = np.einsum("nkl,nl->nk", inverse, score)
    error = np.einsum("nkk->nk", inverse)
    spread = effects.var(axis=0, ddof=1)
    variance = np.clip(spread - error.mean(axis=0), (0.2 * units) ** 2, (4 * units) ** 2)
    return {"units": np.sqrt(variance), "centred": variance / (variance + error) > RELIABLE}
