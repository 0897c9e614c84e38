"""The average mean response of every cell: keys beside answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...formula.terms import MEAN
from ...zoo.links import LINKS
from ..evaluate import flatten
from ..point import point_values
from .answers import Answers
from .averages import cell_values, fitted_sites
from .exact import cell_gradients, has_gradient
from .grid import plan
from .request import Request

if TYPE_CHECKING:
    from ..fit import Fit


@dataclass(frozen=True, eq=False)
class Cells:
    """Answers of cells.

    Attributes:
        names: the columns of `by`.
        codes: which of its values each column has, shape (cell, column), rows in ascending order.
        values: the values of each column.
        draws: shape (sample, cell), or None.
        value: estimates, shape (cell,), or None.
        gradient: their gradients by the common coefficients, shape (cell, coef), or None.
        rest: what group effects add to them in each draw, shape (sample, cell); None for nothing.
    """

    names: tuple[str, ...]
    codes: np.ndarray
    values: dict[str, list[Any]]
    draws: np.ndarray | None
    value: np.ndarray | None
    gradient: np.ndarray | None = None
    rest: np.ndarray | None = None

    def keys(self, names: tuple[str, ...], rows: np.ndarray) -> pd.DataFrame:
        """Returns the values of some columns at some cells."""
        out = {}
        for name in names:
            codes = self.codes[rows, self.names.index(name)]
            found = self.values[name]
            out[name] = pd.Series([found[code] for code in codes])
        return pd.DataFrame(out, index=pd.RangeIndex(len(rows)))

    def answers(self, link: str = "identity") -> Answers:
        """Returns the cells' own answers."""
        return Answers(self.draws, self.value, self.gradient, self.rest, LINKS[link])


def find_cells(fit: Fit, request: Request, variable: str | None = None, seed: int = 0) -> Cells:
    """Answers a question: the mean response of each cell, or its derivative by a variable."""
    draws = value = gradient = rest = None
    layout = plan(request)
    if fit.backend.point or fit.backend.frequentist:
        point = point_values(fit)
        value = cell_values(fit, request, layout, point, variable, seed)
        if fit.backend.frequentist and has_gradient(fit, request):
            gradient = cell_gradients(fit, request, plan(request), point, variable)
        layout = plan(request)
    flat = flatten(fit.draws.natural)
    if not fit.backend.point and (gradient is None or fitted_sites(request)):
        draws = cell_values(fit, request, layout, flat, variable, seed)
    if gradient is not None and draws is not None:
        rest = draws - flat[f"{MEAN}.coefficients"] @ gradient.T
    cells = _by_neurons(request, layout.codes, layout.names, draws, value)
    return replace(cells, gradient=gradient, rest=rest)


def _by_neurons(
    request: Request,
    codes: np.ndarray,
    names: tuple[str, ...],
    draws: np.ndarray | None,
    value: np.ndarray | None,
) -> Cells:
    """Tells neurons apart where `by` names them, or averages over them."""
    schema = request.columns.schema
    dim, values = request.columns.dim, dict(request.values)
    split = dim is not None and dim in request.by
    if dim is not None and schema.neurons is not None:
        labels = list(schema.neurons.labels)
        wanted = values.setdefault(dim, labels)
        picked = np.array([labels.index(label) for label in wanted])
        count = len(codes)

        def pick(array: np.ndarray | None) -> np.ndarray | None:
            if array is None:
                return None
            found = array[:, :, picked]
            return found.reshape(len(found), -1) if split else found.mean(axis=2)

        draws, value = pick(draws), pick(value)
        if split:
            at = request.by.index(dim)
            codes = np.repeat(codes, len(picked), axis=0)
            codes = np.insert(codes, at, np.tile(np.arange(len(picked)), count), axis=1)
            order = np.lexsort(codes.T[::-1])
            codes = codes[order]
            draws, value = (None if a is None else a[:, order] for a in (draws, value))
    names = request.by if split else names
    return Cells(names, codes, values, draws, None if value is None else value[0])
