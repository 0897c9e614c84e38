"""Design -> order of elimination and cross products: all that normal mixed models need of data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..formula import Design
from ..formula.design import PredictorDesign
from .elimination import Common, Order, Products
from .family import Summary
from .links import LINKS

if TYPE_CHECKING:
    from .structure import PredictorStructure, Structure

RIDGE = 1e-13
"""Keeps coordinates finite where common columns are collinear; exactness does not depend on it."""


def bucket(count: int) -> int:
    """Returns a count rounded up to one of few round numbers, at most an eighth above it."""
    step = 1 << max(int(count).bit_length() - 4, 0)
    return -(-int(count) // step) * step


def factors(predictor: PredictorStructure) -> list[tuple[int, ...]]:
    """Returns the positions of the group terms of each grouping factor."""
    out: dict[int, list[int]] = {}
    for position, group in enumerate(predictor.groups):
        out.setdefault(group.factor, []).append(position)
    return [tuple(members) for members in out.values()]


def find_parent(inner: np.ndarray, outer: np.ndarray, groups: int) -> np.ndarray | None:
    """Returns the group of `outer` that holds each group of `inner`, or None if they are not nested."""
    parent = np.zeros(groups, dtype=np.int32)
    parent[inner] = outer
    return parent if bool((parent[inner] == outer).all()) else None


def find_order(predictor: PredictorStructure, arrays: PredictorDesign) -> Order:
    """Chooses the order of elimination: the largest factor first, then those that it is nested in."""
    members = factors(predictor)
    indexes = [arrays.groups[m[0]].index for m in members]
    counts = [int(index.max(initial=0)) + 1 for index in indexes]
    sizes = [sum(predictor.groups[i].effects for i in m) for m in members]
    rest = sorted(range(len(members)), key=lambda i: -counts[i] * sizes[i])
    chain = [rest.pop(0)]
    for i in sorted(rest, key=lambda i: -counts[i]):
        last = chain[-1]
        if find_parent(indexes[last], indexes[i], counts[last]) is not None:
            chain.append(i)
            rest.remove(i)
    name = predictor.parameter

    def sites(chosen: Sequence[int]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(f"{name}.group{k}" for k in members[i]) for i in chosen)

    return Order(sites(chain), sites(rest))


def position(site: str) -> int:
    """The position of a group term among those of its predictor, from the name of its site."""
    return int(site.rpartition("group")[2])


def grouped(index: np.ndarray, groups: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sums left_a right_b over the rows of each group, shape (groups, a, b)."""
    out = np.empty((groups, left.shape[1], right.shape[1]))
    for a in range(left.shape[1]):
        for b in range(right.shape[1]):
            out[:, a, b] = np.bincount(index, left[:, a] * right[:, b], groups)
    return out


def statistics(
    structure: Structure, order: Order, design: Design, summary: Summary
) -> dict[str, Any]:
    """Returns the cross products of a design, in dimensionless columns weighted by the precisions."""
    predictor = structure.predictors[0]
    arrays = design.predictors[predictor.parameter]
    weights = design.response.get("weights", np.ones(design.size))
    noise = design.response.get("standard_error")
    precision = weights if noise is None else weights / noise**2
    unit = float(np.sqrt(summary.variance)) or 1.0
    basis, columns = orthonormal(arrays.matrix, predictor.intercept)
    y = design.response["y"] - arrays.offset
    location = np.zeros(len(basis))
    for _ in range(2):  # the second pass removes what rounding left of the first
        gram = columns.T @ columns + RIDGE * len(y) * np.eye(len(basis))
        fitted = np.linalg.solve(gram, columns.T @ y) if len(basis) else np.zeros(0)
        y = y - columns @ fitted
        location = location + basis @ fitted
    common = np.concatenate([columns, (y / unit)[:, None]], axis=1)
    indexes, effects, units, counts = {}, {}, {}, {}
    for sites in (*order.chain, *order.dense):
        parts = [arrays.groups[position(site)] for site in sites]
        z = np.concatenate([part.effects for part in parts], axis=1)
        size = np.sqrt((z**2).mean(axis=0))
        units[sites] = np.where(size > 0, size, 1.0)
        effects[sites], indexes[sites] = z / units[sites], parts[0].index
        counts[sites] = bucket(int(parts[0].index.max(initial=0)) + 1)
    return {
        **_products(order, indexes, counts, effects, common, precision),
        "chain_units": tuple(units[sites] for sites in order.chain),
        "dense_units": tuple(units[sites] for sites in order.dense),
        "basis": basis,
        "inverse": np.linalg.inv(basis) if len(basis) else basis,
        "location": location,
        "log_volume": np.asarray(np.linalg.slogdet(basis)[1] if len(basis) else 0.0),
        "unit": np.asarray(unit),
        "rows": np.asarray(float(weights.sum())),
        "constant": np.asarray(0.0 if noise is None else -float((weights * np.log(noise)).sum())),
    }


def orthonormal(matrix: np.ndarray, intercept: bool) -> tuple[np.ndarray, np.ndarray]:
    """Returns B and nearly orthonormal columns (1, X) B, the mean of their squares being 1."""
    rows, size = matrix.shape
    first = int(intercept)
    means = matrix.mean(axis=0) if intercept else np.zeros(size)
    centred = matrix - means
    scale = np.sqrt((centred**2).mean(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    centred = centred / scale
    gram = centred.T @ centred / max(rows, 1) + RIDGE * np.eye(size)
    turn = np.linalg.inv(np.linalg.cholesky(gram)).T if size else gram
    basis = np.zeros((first + size, first + size))
    basis[first:, first:] = turn / scale[:, None]
    if intercept:
        basis[0, 0] = 1.0
        basis[0, 1:] = -means @ basis[1:, 1:]
    return basis, np.concatenate([np.ones((rows, first)), centred @ turn], axis=1)


def _products(
    order: Order, indexes: Any, counts: Any, effects: Any, common: np.ndarray, precision: np.ndarray
) -> dict[str, Any]:
    weighted = {sites: z * precision[:, None] for sites, z in effects.items()}
    chain, dense = order.chain, order.dense

    def between(a: Any, b: Any) -> np.ndarray:
        pair = indexes[a].astype(np.int64) * counts[b] + indexes[b]
        out = grouped(pair, counts[a] * counts[b], weighted[a], effects[b])
        return out.reshape(counts[a], counts[b], *out.shape[1:]).transpose(0, 2, 1, 3)

    def with_common(a: Any) -> np.ndarray:
        return grouped(indexes[a], counts[a], weighted[a], common)

    products = Products(
        own=tuple(grouped(indexes[a], counts[a], weighted[a], effects[a]) for a in chain),
        later=tuple(
            tuple(grouped(indexes[a], counts[a], weighted[a], effects[b]) for b in chain[i + 1 :])
            for i, a in enumerate(chain)
        ),
        parents=tuple(
            tuple(find_parent(indexes[a], indexes[b], counts[a]) for b in chain[i + 1 :])
            for i, a in enumerate(chain)
        ),
        dense=tuple(tuple(between(a, b) for b in dense) for a in chain),
        corner=tuple(tuple(between(a, b) for b in dense[: i + 1]) for i, a in enumerate(dense)),
    )
    square = (common * precision[:, None]).T @ common
    levels, others = (tuple(with_common(a) for a in part) for part in (chain, dense))
    return {"products": products, "common": Common(levels, others, square)}


def obstacle(structure: Structure, response: Any) -> str:
    """Returns why group effects cannot be integrated out exactly, or an empty text."""
    if not structure.groups:
        return "the model has no group effects"
    if not structure.family.least_squares or not LINKS[structure.predictors[0].link].linear:
        return "the response is not normal with identity link"
    if len(structure.predictors) > 1:
        return "further parameters are modelled"
    return shape_obstacle(structure) or ("some values are censored" if "status" in response else "")


def shape_obstacle(structure: Structure) -> str:
    """Returns why group effects cannot be eliminated at all, or an empty text."""
    if structure.population:
        return "the response has several neurons"
    if any(predictor.groups for predictor in structure.predictors[1:]):
        return "group effects of further parameters are modelled"
    if not all(group.member.gaussian for group in structure.groups.values()):
        return "some group effects are not normal"
    return ""
