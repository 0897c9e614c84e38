"""Generic parameters of a compiled model <-> printed variables with dimensions and coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
        index: which entries of one axis (None: all; an int: one, without an axis).
        kind: `common`, `scale`, `correlation`, `scalar` or `group`.
        axis: the axis of `index`: -1, or -2 where the last one is that of neurons.
        free: which numbers are parameters and not 0 by a mask, of the shape of `dims`; None: all.
    """

    name: str
    dims: tuple[str, ...]
    source: str
    index: int | slice | None
    kind: str
    axis: int = -1
    free: np.ndarray | None = field(default=None, compare=False)

    def take(self, array: Any) -> Any:
        """Returns the variable's part of the array that holds it."""
        if self.index is None:
            return array
        return array[..., self.index] if self.axis == -1 else array[..., self.index, :]

    def pick(self, arrays: Mapping[str, Any]) -> np.ndarray:
        """Returns the variable's draws, shape (chain, draw, *dims)."""
        return self.take(np.asarray(arrays[self.source]))


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
        for term in (*predictor.terms, *predictor.own)
    }
    neurons = () if spec.schema.neurons is None else (spec.schema.neurons.dim,)
    if spec.schema.neurons is not None:
        coords[spec.schema.neurons.dim] = list(spec.schema.neurons.labels)
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
        out += _own(spec, predictor.parameter, coords)
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
    out += [Variable(name, neurons, name, None, "scalar") for name in spec.scalars]
    return (*out, *groups), coords


def _own(spec: ModelSpec, parameter: str, coords: dict[str, list[Any]]) -> list[Variable]:
    """The variables of which every neuron has one of its own; the dimension of neurons comes last."""
    predictor, formula = spec.predictor(parameter)
    if spec.schema.neurons is None:
        return []
    source, neurons, free = f"{parameter}.neurons", spec.schema.neurons.dim, spec.free(parameter)
    out = []
    if predictor.own_intercept:
        name = formula.prefixed("Intercept")
        out.append(Variable(name, (neurons,), source, 0, "common", -2))
    start = int(predictor.own_intercept)
    for term in predictor.own:
        name = formula.prefixed(term.name)
        index, dims = _span(start, term.size, bool(term.labels), f"{name}_dim")
        if dims:
            coords[dims[0]] = list(term.labels)
        used = None if free is None else free[index]
        out.append(Variable(name, (*dims, neurons), source, index, "common", -2, used))
        start += term.size
    return out


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
        if variable.free is not None and not variable.free[position]:
            continue
        inside = ", ".join(str(items[i]) for items, i in zip(labels, position, strict=True))
        rows.append((f"{variable.name}[{inside}]" if inside else variable.name, position))
    return rows
