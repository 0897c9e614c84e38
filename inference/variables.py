"""Generic parameters of a compiled model <-> printed variables with dimensions and coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..zoo.groups import find_group
from ..zoo.spec import ModelSpec


@dataclass(frozen=True)
class Variable:
    """A variable of the posterior.

    Attributes:
        name: its printed name.
        dims: its dimensions after chain and draw.
        source: the generic name of the array that holds it.
        index: which entries of the last axis (None: all; an int: one, without an axis).
        kind: `common`, `scale`, `correlation`, `scalar` or `group`.
    """

    name: str
    dims: tuple[str, ...]
    source: str
    index: int | slice | None
    kind: str

    def pick(self, arrays: Mapping[str, Any]) -> np.ndarray:
        """Returns the variable's draws, shape (chain, draw, *dims)."""
        array = np.asarray(arrays[self.source])
        return array if self.index is None else array[..., self.index]


def variables(spec: ModelSpec) -> tuple[tuple[Variable, ...], dict[str, list[Any]]]:
    """Returns the variables of a model's posterior, and the coordinates of their dimensions."""
    out: list[Variable] = []
    groups: list[Variable] = []
    coords: dict[str, list[Any]] = {}
    taken = {
        formula.prefixed(term.name)
        for predictor, formula in zip(
            spec.schema.predictors, spec.schema.formula.predictors, strict=True
        )
        for term in predictor.terms
    }
    for predictor, formula in zip(
        spec.schema.predictors, spec.schema.formula.predictors, strict=True
    ):
        source = f"{predictor.parameter}.coefficients"
        start = 0
        if predictor.intercept:
            out.append(Variable(formula.prefixed("Intercept"), (), source, 0, "common"))
            start = 1
        for term in predictor.terms:
            name = formula.prefixed(term.name)
            index, dims = _span(start, term.size, bool(term.labels), f"{name}_dim")
            if dims:
                coords[dims[0]] = list(term.labels)
            out.append(Variable(name, dims, source, index, "common"))
            start += term.size
        for i, group in enumerate(predictor.groups):
            site = f"{predictor.parameter}.group{i}"
            names = spec.group_names(predictor.parameter, i)
            dim = group.term.group
            dim = f"{dim}_group" if dim in taken else dim
            coords[dim] = list(group.levels)
            start = 0
            for effect, name, scale in zip(
                group.effects, names["effects"], names["sd"], strict=True
            ):
                index, dims = _span(start, effect.size, bool(effect.labels), f"{name}_dim")
                if dims:
                    coords[dims[0]] = list(effect.labels)
                out.append(Variable(scale, dims, f"{site}.sd", index, "scale"))
                groups.append(Variable(name, (dim, *dims), f"{site}.effects", index, "group"))
                start += effect.size
            if group.term.correlated and group.size > 1:
                square = names["corr"].removeprefix("corr(").removesuffix(")")
                dims = (f"{square}_effect", f"{square}_effect2")
                coords |= {d: list(group.effect_names) for d in dims}
                out.append(Variable(names["corr"], dims, f"{site}.corr", None, "correlation"))
            for j, _ in enumerate(find_group(group.term.distribution).parameters):
                out.append(Variable(names["shape"][j], (), f"{site}.shape", j, "scalar"))
    out += [Variable(name, (), name, None, "scalar") for name in spec.scalars]
    return (*out, *groups), coords


def _span(start: int, size: int, labelled: bool, dim: str) -> tuple[int | slice, tuple[str, ...]]:
    return (slice(start, start + size), (dim,)) if labelled else (start, ())


def printed_rows(
    variable: Variable, coords: Mapping[str, list[Any]]
) -> list[tuple[str, tuple[int, ...]]]:
    """Returns (printed name, position) of every number of a variable; of a correlation, each pair."""
    labels = [coords[dim] for dim in variable.dims]
    if variable.kind == "correlation":
        names = labels[0]
        return [
            (f"{variable.name}[{names[i]},{names[j]}]", (i, j))
            for i in range(len(names))
            for j in range(i + 1, len(names))
        ]
    shape = tuple(len(items) for items in labels)
    rows = []
    for position in np.ndindex(shape):
        inside = ", ".join(str(items[i]) for items, i in zip(labels, position, strict=True))
        rows.append((f"{variable.name}[{inside}]" if inside else variable.name, position))
    return rows
