"""Mean responses integrated over the effects of new groups, draw by draw.

A group term adds x'u to a row's linear predictor, with u the effects of a new group. Where u is normal,
x'u is Normal(0, v) with v = x'Sigma x, and Gauss-Hermite quadrature integrates it,

    E[h(eta + x'u)] = sum_k w_k h(eta + sqrt(v) z_k),

to all digits that matter. Other distributions of effects are sampled, the same for all rows. For the
derivative by a predictor, E[x'' | x'u] with x'' = dx'u is c/v x'u, c = x'Sigma dx (both are exact for
elliptical distributions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ...formula import Design
from ...formula.terms import MEAN
from ...zoo.links import LINKS
from ...zoo.structure import GroupStructure, Structure
from ..programs import double_precision

NODES = {1: 40, 2: 20}
"""Nodes of the quadrature by the number of predictors with new groups; 10 for more."""
SAMPLES = 400


@dataclass(frozen=True, eq=False)
class Shift:
    """One node of the integral.

    Attributes:
        weight: its weight, one number.
        etas: what it adds to each linear predictor, (sample, obs[, 1]); only where it adds anything.
        moves: likewise for the derivatives of the linear predictors.
    """

    weight: float
    etas: dict[str, np.ndarray]
    moves: dict[str, np.ndarray]


def integrated(structure: Structure, sites: frozenset[str]) -> dict[str, list[str]]:
    """Returns the sites that change a mean response at all, by parameter.

    Effects of mean zero on a mean with identity link average out.
    """
    out: dict[str, list[str]] = {}
    for predictor in structure.predictors:
        if predictor.parameter == MEAN and LINKS[predictor.link].linear:
            continue
        found = [f"{predictor.parameter}.group{i}" for i in range(len(predictor.groups))]
        found = [site for site in found if site in sites]
        if found:
            out[predictor.parameter] = found
    return out


def shifts(
    structure: Structure,
    flat: Mapping[str, np.ndarray],
    designs: tuple[Design, Design | None],
    sites: Mapping[str, list[str]],
    seed: int,
) -> Iterator[Shift]:
    """Yields the nodes of the integral over new groups.

    Args:
        structure: the model's structure.
        flat: natural parameters, (sample, ...).
        designs: rows, and their derivatives by a predictor where those are wanted.
        sites: the group terms to integrate over, by parameter.
        seed: of what is sampled.
    """
    axes = []
    for parameter, found in sites.items():
        gaussian = all(structure.groups[site].member.gaussian for site in found)
        variances = [_variance(parameter, site, flat, designs) for site in found]
        if gaussian:
            axes.append((parameter, _quadrature(variances, NODES.get(len(sites), 10))))
        else:
            z = [_sampled(structure.groups[site], flat, site, seed) for site in found]
            axes.append((parameter, _samples(variances, z)))
    yield from _product(axes, structure.population)


Node = tuple[float, np.ndarray, np.ndarray]
"""Weight, what is added to linear predictors, and to their derivatives."""


def _product(axes: list[tuple[str, list[Node]]], population: bool) -> Iterator[Shift]:
    def shaped(array: np.ndarray) -> np.ndarray:
        return array[:, :, None] if population else array

    if not axes:
        yield Shift(1.0, {}, {})
        return
    (parameter, nodes), rest = axes[0], axes[1:]
    for weight, eta, move in nodes:
        for other in _product(rest, population):
            yield Shift(
                weight * other.weight,
                {parameter: shaped(eta), **other.etas},
                {parameter: shaped(move), **other.moves},
            )


def _variance(
    parameter: str, site: str, flat: Mapping[str, Any], designs: tuple[Design, Design | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns sqrt(v), v = x'Sigma x, and c / sqrt(v), c = x'Sigma dx, each (sample, obs)."""
    sd, position = flat[f"{site}.sd"], int(site.split(".group")[1])
    rows = designs[0].predictors[parameter].groups[position].effects
    covariance = sd[:, :, None] * sd[:, None, :]
    if f"{site}.corr" in flat:
        covariance = covariance * np.nan_to_num(flat[f"{site}.corr"])
    else:
        covariance = covariance * np.eye(sd.shape[1])[None]
    turned = np.einsum("re,sef->srf", rows, covariance)
    spread = np.sqrt(np.maximum(np.einsum("srf,rf->sr", turned, rows), 0.0))
    if designs[1] is None:
        return spread, np.zeros((1, 1))
    moved = designs[1].predictors[parameter].groups[position].effects
    c = np.einsum("srf,rf->sr", turned, moved)
    return spread, np.divide(c, spread, out=np.zeros_like(c), where=spread > 0)


def _quadrature(variances: list[tuple[np.ndarray, np.ndarray]], count: int) -> list[Node]:
    """Independent normal terms add up to one: variances add, and so do covariances."""
    sd = np.sqrt(np.sum([spread**2 for spread, _ in variances], axis=0))
    c = np.sum([np.broadcast_to(spread * ratio, sd.shape) for spread, ratio in variances], axis=0)
    ratio = np.divide(c, sd, out=np.zeros_like(c), where=sd > 0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return [
        (weight, sd * z, ratio * z)
        for z, weight in zip(nodes.tolist(), (weights / weights.sum()).tolist(), strict=True)
    ]


def _samples(variances: list[tuple[np.ndarray, np.ndarray]], drawn: list[np.ndarray]) -> list[Node]:
    count = drawn[0].shape[1]
    out: list[Node] = []
    for k in range(count):
        eta = np.sum([sd * z[:, k, None] for (sd, _), z in zip(variances, drawn, strict=True)], 0)
        moves = [ratio * z[:, k, None] for (_, ratio), z in zip(variances, drawn, strict=True)]
        out.append((1 / count, eta, np.sum(moves, axis=0)))
    return out


def _sampled(
    group: GroupStructure, flat: Mapping[str, np.ndarray], site: str, seed: int
) -> np.ndarray:
    """Draws standardised effects and their mirror images, (sample, 2 k)."""
    names = [parameter.name for parameter in group.member.parameters]
    samples = len(flat[f"{site}.sd"])
    position = sorted(flat).index(f"{site}.sd")
    with double_precision():
        keys = jax.random.split(jax.random.PRNGKey(seed + position), samples)
        values = flat[f"{site}.shape"] if names else np.zeros((samples, 0))
        z = jax.vmap(
            lambda key, value: group.member.sample(
                key, (SAMPLES // 2, 1), dict(zip(names, value, strict=True))
            )
        )(keys, values)
        half = np.asarray(z)[:, :, 0]
    return np.concatenate([half, -half], axis=1)
