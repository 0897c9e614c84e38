"""Descent of many neurons at once: every pass over the rows tries one point for each of them.

Each neuron has its own direction, step size and memory of curvature; one that has arrived takes no
further part, and the arithmetic of the others shrinks accordingly.

Source: Nocedal and Wright (2006), Numerical Optimization, chapters 3, 6 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .metric import Metric
from .objective import Evaluation, Objective
from .root import root
from .sums import GRADIENT, HESSIAN

TIGHT = 1e-14
"""The search ends where a further step promises less log-density than this."""
SUFFICIENT = 1e-4
"""A step is taken if it gains at least this share of what its slope promises."""
ROUNDING = 1e-13
"""Relative error of sums over rows."""
LEAP = 1.0
"""No unconstrained scalar moves further in one step."""
MEMORY = 12
"""Pairs of steps and changes of the gradient that a quasi-Newton search remembers."""
RESTART, SHRINKS, STALLS = 8, 30, 6
"""After so many shorter steps in a row a direction is dropped; after so many, or so many steps within
rounding that bring it no closer, a neuron is given up."""
WORTHWHILE = 2e10
"""Operations of a pass above which a program for fewer neurons is worth its compilation."""


class Directions(Protocol):
    """What proposes steps that would end the search if the objective were quadratic."""

    @property
    def order(self) -> str:
        """Which derivatives it needs."""
        ...

    def propose(
        self, index: np.ndarray, x: np.ndarray, here: Evaluation, taken: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns steps of neurons from where they are, and what they promise.

        Args:
            index: the neurons, shape (n,).
            x: where they are, shape (coordinate, n).
            here: the objective there.
            taken: which part of the step proposed last led here, 0 if none did; shape (n,).
        """
        ...

    def restart(
        self, index: np.ndarray, x: np.ndarray, gradient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns other steps, where those proposed led nowhere."""
        ...


class Newton:
    """Exact Hessians at every point."""

    order = HESSIAN

    def __init__(self, size: int, neurons: int) -> None:
        self._roots = np.zeros((neurons, size, size))

    @property
    def metric(self) -> Metric:
        """The metric of the latest Hessians."""
        neurons, size, _ = self._roots.shape
        return Metric(self._roots, np.arange(neurons), np.ones((size, neurons)))

    def propose(
        self, index: np.ndarray, x: np.ndarray, here: Evaluation, taken: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns minus the inverse Hessian times the gradient."""
        if here.hessian is None:
            raise ValueError("Newton's method needs Hessians")
        for n, hessian in zip(index, here.hessian, strict=True):
            self._roots[n] = root(hessian)
        return self.restart(index, x, here.gradient)

    def restart(
        self, index: np.ndarray, x: np.ndarray, gradient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the same step again, for nothing is remembered."""
        q = self.metric.enter(gradient, index)
        return -self.metric.leave(q, index), 0.5 * np.sum(q**2, axis=0)


class QuasiNewton:
    """Limited-memory BFGS in the coordinates of a metric."""

    order = GRADIENT

    def __init__(self, metric: Metric) -> None:
        size, neurons = metric.scale.shape
        self._metric = metric
        self._steps = np.zeros((MEMORY, size, neurons))
        self._turns = np.zeros((MEMORY, size, neurons))
        self._inverse = np.zeros((MEMORY, neurons))
        self._unit = np.ones(neurons)
        self._gradient = np.zeros((size, neurons))
        self._proposed = np.zeros((size, neurons))

    def propose(
        self, index: np.ndarray, x: np.ndarray, here: Evaluation, taken: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Learns from the steps taken, and returns new ones by the two-loop recursion."""
        slope = self._metric.enter(here.gradient, index)
        self._learn(index, taken * self._proposed[:, index], slope - self._gradient[:, index])
        self._gradient[:, index] = q = slope
        inverse = self._inverse[:, index]
        steps, turns = self._steps[:, :, index], self._turns[:, :, index]
        weights = np.zeros_like(inverse)
        for i in reversed(range(MEMORY)):
            weights[i] = inverse[i] * np.sum(steps[i] * q, axis=0)
            q = q - weights[i] * turns[i]
        q = q * self._unit[index]
        for i in range(MEMORY):
            q = q + (weights[i] - inverse[i] * np.sum(turns[i] * q, axis=0)) * steps[i]
        return self._step(index, slope, -q)

    def promise(self, here: Evaluation) -> np.ndarray:
        """Returns what a step by the metric alone promises, shape (neuron,)."""
        q = self._metric.enter(here.gradient, np.arange(len(here.value)))
        return 0.5 * np.sum(q**2, axis=0)

    def restart(
        self, index: np.ndarray, x: np.ndarray, gradient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forgets all pairs of some neurons and returns steps along their gradients."""
        self._inverse[:, index] = 0.0
        slope = self._metric.enter(gradient, index)
        return self._step(index, slope, -self._unit[index] * slope)

    def _step(
        self, index: np.ndarray, slope: np.ndarray, step: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        self._proposed[:, index] = step
        return self._metric.leave(step, index), -0.5 * np.sum(slope * step, axis=0)

    def _learn(self, index: np.ndarray, step: np.ndarray, turn: np.ndarray) -> None:
        """Stores pairs whose curvature is positive."""
        product = np.sum(step * turn, axis=0)
        length = np.sum(turn**2, axis=0)
        good = product > 1e-12 * np.sqrt(length * np.sum(step**2, axis=0))
        index, step, turn = index[good], step[:, good], turn[:, good]
        for kept, new in (
            (self._steps, step),
            (self._turns, turn),
            (self._inverse, 1 / product[good]),
        ):
            kept[:-1, ..., index] = kept[1:, ..., index]
            kept[-1, ..., index] = new.T if new.ndim == 2 else new
        self._unit[index] = product[good] / length[good]


@dataclass(frozen=True, eq=False)
class Arrival:
    """Where a search ended, for all neurons.

    Attributes:
        x: coordinates, shape (coordinate, neuron).
        value: minus the log posterior, shape (neuron,).
        step: a further step, shape (coordinate, neuron).
        promise: the decrease that the step promises, shape (neuron,).
    """

    x: np.ndarray
    value: np.ndarray
    step: np.ndarray
    promise: np.ndarray


def descend(
    objective: Objective,
    directions: Directions,
    x: np.ndarray,
    limit: int,
    stop: float = TIGHT,
    here: Evaluation | None = None,
) -> Arrival:
    """Minimises the objective of every neuron.

    Args:
        objective: what is minimised.
        directions: what proposes steps.
        x: where to start, shape (coordinate, neuron).
        limit: passes over the rows.
        stop: a promise that is small enough.
        here: the objective at the start, where it is known.
    """
    neurons = x.shape[1]
    everybody = np.arange(neurons)
    x, here = x.copy(), here or objective.evaluate(x, everybody, directions.order)
    value, gradient = here.value.copy(), here.gradient.copy()
    step, promise = directions.propose(everybody, x, here, np.zeros(neurons))
    noise = ROUNDING * (np.abs(value) + objective.rows.problem.rows)
    raw, best = objective.rows.problem.layout.raw, promise.copy()
    size = _whole(step[raw])
    shrinks, stalls = np.zeros(neurons, dtype=int), np.zeros(neurons, dtype=int)
    active = np.flatnonzero(np.isfinite(value) & (promise > stop))
    for _ in range(limit):
        if not active.size:
            break
        trial = x.copy()
        trial[:, active] += size[active] * step[:, active]
        index, places = _company(active, objective)
        there = objective.evaluate(trial[:, index], index, directions.order).of(places)
        enough = value - SUFFICIENT * size * 2 * promise + noise
        good = there.value <= enough[active]
        moved, stuck, there_moved = active[good], active[~good], there.of(good)
        shorter = _shorter(there.value[~good] - value[stuck], size[stuck], 2 * promise[stuck])
        x[:, moved], value[moved] = trial[:, moved], there_moved.value
        gradient[:, moved] = there_moved.gradient
        if moved.size:
            step[:, moved], promise[moved] = directions.propose(
                moved, x[:, moved], there_moved, size[moved]
            )
        size[moved], size[stuck] = _whole(step[raw, moved]), shorter
        shrinks[moved], shrinks[stuck] = 0, shrinks[stuck] + 1
        again = stuck[shrinks[stuck] == RESTART]
        if again.size:
            step[:, again], promise[again] = directions.restart(
                again, x[:, again], gradient[:, again]
            )
        closer = promise < 0.5 * best
        stalls = np.where(closer | (promise > noise), 0, stalls + np.isin(everybody, moved))
        best = np.minimum(best, promise)
        going = (promise > stop) & (shrinks < SHRINKS) & (stalls < STALLS)
        active = active[going[active]]
    return Arrival(x, value, step, promise)


def _whole(scalars: np.ndarray) -> np.ndarray:
    """Returns the size of a full step, or of one that moves no scalar too far to be trusted."""
    return LEAP / np.maximum(np.abs(scalars).max(axis=0, initial=0.0), LEAP)


def _shorter(rise: np.ndarray, size: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Returns the minimum of the parabola through what is known along a step, within bounds."""
    with np.errstate(all="ignore"):
        share = 0.5 * slope * size / (rise + slope * size)
    return size * np.where(np.isfinite(rise), np.clip(share, 0.1, 0.5), 0.2)


def _company(active: np.ndarray, objective: Objective) -> tuple[np.ndarray, np.ndarray]:
    """Returns the neurons of a pass, and where the active ones are among them.

    There are a few possible numbers of neurons, because every one needs a program of its own.
    """
    problem = objective.rows.problem
    size, work = problem.neurons, problem.rows * (4 * problem.coefficients + 60)
    while len(active) <= size // 4 and work * size > WORTHWHILE:
        size = -(-size // 4)
    if size == problem.neurons:
        return np.arange(size), active
    rest = np.repeat(active[-1:], size - len(active))
    return np.concatenate([active, rest]), np.arange(len(active))
