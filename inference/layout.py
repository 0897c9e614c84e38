"""The rows of a design in the order in which compiled programs like them.

Rows are sorted by the finest grouping factor and cut into pieces of equal length, each of one group,
so that group effects are looked up, and their gradients summed, once for a piece. What fills the last
piece of a group, and pieces up to a round number, repeats a row with weight zero. A refit of data of
about the same size thus finds its program compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..formula.design import Design, GroupDesign
from ..formula.terms import MEAN
from ..zoo.elimination import Order
from ..zoo.statistics import bucket, find_parent, position
from ..zoo.structure import PredictorStructure
from .backend import Problem

WIDTHS = (4, 8, 16, 32, 64)
PIECE_COST = 3.0
"""What a piece costs beside its rows, in rows."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Where the rows of a design go.

    Attributes:
        rows: the row at each place, shape (piece * width,).
        real: whether the place holds it, or repeats it, shape (piece * width,).
        width: places in a piece.
    """

    rows: np.ndarray
    real: np.ndarray
    width: int

    @property
    def count(self) -> int:
        """The number of pieces."""
        return len(self.rows) // self.width

    def constant(self, index: np.ndarray) -> np.ndarray | None:
        """Returns the group of each piece, or None where some piece has rows of several."""
        places = index[self.rows].reshape(self.count, self.width)
        same = places == places[:, :1]
        return places[:, 0] if bool(same.all()) else None


def best_width(sizes: np.ndarray) -> int:
    """Returns the length of pieces that wastes least, for groups of these sizes."""
    cost = [np.sum(-(-sizes // width)) * (width + PIECE_COST) for width in WIDTHS]
    return WIDTHS[int(np.argmin(cost))]


def cut(
    index: np.ndarray, width: int | None = None, count: int | None = None, share: int = 1
) -> Pieces:
    """Cuts rows into pieces.

    Args:
        index: the group of each row, shape (obs,).
        width: places in a piece; None: what wastes least.
        count: number of pieces; None: as many as are needed, rounded up.
        share: what their number is then made a multiple of.
    """
    sizes = np.bincount(index)
    width = best_width(sizes[sizes > 0]) if width is None else width
    order = np.argsort(index, kind="stable")
    needed = -(-sizes // width)
    total = int(needed.sum())
    count = -(-bucket(total) // share) * share if count is None else count
    ends = np.cumsum(sizes)
    # the first row of each piece, and how many of the rows of its group are left there
    group = np.repeat(np.arange(len(sizes)), needed)
    turn = np.arange(total) - np.repeat(np.cumsum(needed) - needed, needed)
    first = (ends - sizes)[group] + turn * width
    left = sizes[group] - turn * width
    places = np.arange(width)[None, :]
    inside = places < left[:, None]
    rows = order[first[:, None] + np.where(inside, places, 0)]
    empty = count - total
    rows = np.concatenate([rows, np.full((empty, width), order[0])])
    inside = np.concatenate([inside, np.zeros((empty, width), dtype=bool)])
    return Pieces(rows.reshape(-1), inside.reshape(-1), width)


def finest(predictors: Sequence[PredictorStructure], design: Design) -> np.ndarray:
    """Returns the index of the factor with the most effects, or zeros where there are no groups."""
    groups = [g for p in predictors for g in design.predictors[p.parameter].groups]
    plain = [g.index for g in groups if g.index.ndim == 1]
    if not plain:
        return np.zeros(design.size, dtype=np.int64)
    return max(plain, key=lambda index: int(index.max(initial=0)))


def lay_out(problem: Problem, pieces: Pieces | None = None) -> Problem:
    """Returns the problem with its rows in pieces; populations and dealt-out rows stay as they are."""
    design, structure = problem.training, problem.structure
    if structure.population or not design.size or problem.devices:
        return problem

    def find_design() -> dict[str, Any]:
        found = pieces or cut(finest(structure.predictors, design))
        return arrays(design, found)

    return replace(problem, find_design=find_design)


def arrays(design: Design, pieces: Pieces) -> dict[str, Any]:
    """Returns the arrays of a design, in pieces, as compiled programs take them."""
    rows = pieces.rows
    response = {name: values[rows] for name, values in design.response.items()}
    weights = response.get("weights", np.ones(len(rows)))
    response["weights"] = np.where(pieces.real, weights, 0.0)
    return {
        "response": response,
        "predictors": {
            name: {
                "matrix": p.matrix[rows],
                "own": None,
                "offset": p.offset[rows],
                "groups": tuple(_group(group, pieces) for group in p.groups),
            }
            for name, p in design.predictors.items()
        },
    }


def _group(group: GroupDesign, pieces: Pieces) -> dict[str, Any]:
    columns = tuple(np.ascontiguousarray(column[pieces.rows]) for column in group.effects.T)
    constant = pieces.constant(group.index)
    if constant is not None:
        return {"effects": columns, "pieces": constant}
    return {"effects": columns, "index": group.index[pieces.rows]}


def eliminable(
    problem: Problem,
    order: Order,
    pieces: Pieces | None = None,
    groups: Mapping[tuple[str, ...], int] | None = None,
) -> dict[str, Any]:
    """Returns the arrays of a design for Laplace's method, with factors in the order of elimination.

    Args:
        problem: the model.
        order: the order of elimination.
        pieces: where rows go; None: as they fit best.
        groups: the number of groups of each factor, at least as many as there are.
    """
    design = problem.training
    terms = design.predictors[MEAN].groups
    members = {sites: [terms[position(s)] for s in sites] for sites in (*order.chain, *order.dense)}
    found = pieces or cut(members[order.chain[0]][0].index)
    out = arrays(design, found)
    out["predictors"][MEAN]["groups"] = ()
    shape = (found.count, found.width)
    chain, dense, counts = [], [], {}
    for sites, parts in members.items():
        index = parts[0].index
        counts[sites] = (groups or {}).get(sites, int(index.max(initial=0)) + 1)
        columns = tuple(column[found.rows] for part in parts for column in part.effects.T)
        if sites in order.chain:
            # pieces that hold no row belong to the group of the row that fills them, with weight 0
            pieces_of = index[found.rows].reshape(shape)[:, 0]
            chain.append((tuple(column.reshape(shape) for column in columns), pieces_of))
        else:
            dense.append((columns, index[found.rows]))
    parents = []
    for i, sites in enumerate(order.chain):
        inner = members[sites][0].index
        parents.append(
            tuple(
                find_parent(inner, members[after][0].index, counts[sites])
                for after in order.chain[i + 1 :]
            )
        )
    sizes = {sites: sum(p.effects.shape[1] for p in parts) for sites, parts in members.items()}
    out["rows"] = {"chain": tuple(chain), "dense": tuple(dense), "parents": tuple(parents)}
    out["start"] = tuple(
        tuple(np.zeros((counts[sites], sizes[sites])) for sites in part)
        for part in (order.chain, order.dense)
    )
    return out
