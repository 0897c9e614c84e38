"""Minus the log posterior of every neuron, with its derivatives, in coordinates of the search.

A column x = (c, w, r) of the coordinates holds the intercept c about the centred columns, the
coefficients w, and the unconstrained scalars r of one neuron.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kinks import Kinks
from .layout import Layout
from .problem import Penalty
from .rows import Rows
from .scalars import Scalars
from .sums import GRADIENT, HESSIAN, Sums


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Minus the log posterior of some neurons.

    Attributes:
        value: infinite where it is not defined; shape (neuron,).
        gradient: of all but the kinks; 0 in coordinates that do not move; shape (coordinate, neuron).
        hessian: the identity in coordinates that do not move, shape (neuron, coordinate, coordinate);
            None unless it was asked for.
        sums: sums over the rows that it is made of.
    """

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray | None
    sums: Sums

    def of(self, places: np.ndarray) -> Evaluation:
        """Returns the part of some of the neurons, without the sums."""
        hessian = None if self.hessian is None else self.hessian[places]
        return Evaluation(self.value[places], self.gradient[:, places], hessian, {})


class Objective:
    """Minus the log posterior of a problem, for one penalty.

    Attributes:
        rows: sums over rows.
        scalars: the prior of scalars.
        penalty: of the coefficients; its kinks count in values, not in derivatives.
        kinks: of the penalty, by coordinate.
        moves: which coordinates move, shape (coordinate, neuron).
    """

    def __init__(self, rows: Rows, scalars: Scalars, penalty: Penalty, moves: np.ndarray) -> None:
        problem = rows.problem
        self.rows, self.scalars, self.penalty, self.moves = rows, scalars, penalty, moves
        self.kinks = _kinks(penalty, problem.layout)
        self._layout = problem.layout
        self._prior_precision = problem.intercept_precision * self._layout.intercept
        self._lean = np.concatenate([np.ones(self._layout.intercept), problem.lean - rows.shift])

    def evaluate(self, x: np.ndarray, index: np.ndarray, order: str = GRADIENT) -> Evaluation:
        """Returns values and derivatives for the neurons of an index, shape (n,)."""
        layout, moves, penalty = self._layout, self.moves[:, index], self.penalty
        with np.errstate(all="ignore"):
            sums = self.rows.sums(order, index, *layout.split(x))
            value, gradient, hessian = self.prior(x, index, order == HESSIAN)
            value = value - sums["value"]
            if penalty.kinked:
                value = value + self.kinks.of(index).value(x.T)
            slope = layout.join(sums["intercept"], sums["coefficients"], sums["scalars"])
            gradient = np.where(moves, gradient - slope, 0.0)
        defined = np.isfinite(value) & np.isfinite(gradient).all(axis=0)
        if hessian is not None:
            hessian = freeze(hessian + likelihood_hessian(sums, layout), moves)
            defined &= np.isfinite(hessian).all(axis=(1, 2))
        return Evaluation(np.where(defined, value, np.inf), gradient, hessian, sums)

    def prior(
        self, x: np.ndarray, index: np.ndarray, with_hessian: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Returns minus the log prior, its gradient, and its Hessian if wanted."""
        layout, penalty = self._layout, self.penalty
        _, w, raw = layout.split(x)
        gradient = np.zeros_like(x)
        value, gradient[layout.raw], bend = self.scalars.prior(raw, index)
        away = w - penalty.centre[:, index]
        pull = penalty.precision[:, index] * away
        value = value + 0.5 * np.sum(pull * away, axis=0)
        for where, matrix in penalty.smooth:
            pull[where] += matrix @ w[where]
            value += 0.5 * np.sum(w[where] * (matrix @ w[where]), axis=0)
        gradient[layout.w] = pull
        precision = self._prior_precision[index]
        if precision.any():
            away = self._lean @ x[layout.linear] - self.rows.problem.intercept_centre[index]
            value += 0.5 * precision * away**2
            gradient[layout.linear] += np.outer(self._lean, precision * away)
        if not with_hessian:
            return value, gradient, None
        hessian = np.stack([self.prior_hessian(n) for n in index])
        hessian[:, layout.raw, layout.raw] = np.moveaxis(bend, 2, 0)
        return value, gradient, hessian

    def prior_hessian(self, neuron: int) -> np.ndarray:
        """Returns the precision of the prior of intercept and coefficients; 0 for scalars."""
        layout, penalty = self._layout, self.penalty
        out = np.zeros((layout.size, layout.size))
        block = out[layout.w, layout.w]
        np.fill_diagonal(block, penalty.precision[:, neuron])
        for where, matrix in penalty.smooth:
            block[where, where] += matrix
        if self._prior_precision[neuron]:
            lean = np.outer(self._lean, self._lean)
            out[layout.linear, layout.linear] += self._prior_precision[neuron] * lean
        return out


def _kinks(penalty: Penalty, layout: Layout) -> Kinks:
    """Lays the kinks of a penalty out by coordinate."""
    absolute = np.zeros((penalty.absolute.shape[1], layout.size))
    absolute[:, layout.w] = penalty.absolute.T
    groups = range(len(penalty.group_weight))
    members = tuple(layout.intercept + np.flatnonzero(penalty.group == g) for g in groups)
    return Kinks(absolute, members, penalty.group_weight.T)


def likelihood_hessian(sums: Sums, layout: Layout) -> np.ndarray:
    """Lays sums over rows out as negative Hessians, shape (neuron, coordinate, coordinate)."""
    w, raw = layout.w, layout.raw
    out = np.zeros((len(sums["value"]), layout.size, layout.size))
    out[:, w, w] = sums["gram"]
    out[:, raw, raw] = np.moveaxis(sums["curvature"], 2, 0)
    out[:, raw, w] = np.moveaxis(sums["leverage"], 2, 0)
    if layout.intercept:
        out[:, 0, 0] = sums["information"]
        out[:, w, 0] = sums["coupling"].T
        out[:, raw, 0] = sums["cross"].T
    lower = np.tril(out)
    return lower + np.swapaxes(np.tril(out, -1), 1, 2)


def freeze(hessian: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Replaces rows and columns of coordinates that do not move by those of the identity."""
    fixed = ~moves.T
    if not fixed.any():
        return hessian
    hessian = np.where(fixed[:, :, None] | fixed[:, None, :], 0.0, hessian)
    neuron, place = np.nonzero(fixed)
    hessian[neuron, place, place] = 1.0
    return hessian
