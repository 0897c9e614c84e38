"""Steps towards modes under penalties with kinks, such as the lasso.

A quasi-Newton (or Newton) model of the smooth part plus the exact penalty is minimised without reading
the rows; the descent then tries the way to its minimum.

Source: Lee, Sun and Saunders (2014), SIAM J. Optim. 24:1420.
"""

from __future__ import annotations

import numpy as np

from .metric import even_spread
from .objective import Evaluation, Objective, freeze
from .quadratic import Quadratic
from .start import Start
from .sums import GRADIENT, HESSIAN


class Proximal:
    """Minima of quadratic models with kinks; the models learn as BFGS does.

    Attributes:
        order: which derivatives are needed: Hessians, where they are exact.
    """

    def __init__(self, objective: Objective, start: Start, exact: bool) -> None:
        self.order = HESSIAN if exact else GRADIENT
        self._kinks, self._moves = objective.kinks, objective.moves.T
        size, neurons = objective.moves.shape
        self._hessian = np.zeros((neurons, size, size))
        if not exact:
            self._hessian = _model(objective, start)
        self._learnt = np.zeros(neurons, dtype=bool)
        self._gradient, self._proposed = np.zeros((2, size, neurons))

    def propose(
        self, index: np.ndarray, x: np.ndarray, here: Evaluation, taken: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns steps to the minima of the models, and what they promise."""
        if here.hessian is not None:
            self._hessian[index] = here.hessian
        else:
            steps, turns = (
                self._proposed[:, index] * taken,
                here.gradient - self._gradient[:, index],
            )
            for i, n in enumerate(index):
                self._learn(n, steps[:, i], turns[:, i])
        return self._minimise(index, x, here.gradient)

    def restart(
        self, index: np.ndarray, x: np.ndarray, gradient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns shorter steps, of models that bend more."""
        self._hessian[index] *= 100.0
        return self._minimise(index, x, gradient)

    def _minimise(
        self, index: np.ndarray, x: np.ndarray, gradient: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        model = Quadratic(self._hessian[index], self._kinks.of(index), self._moves[index])
        v, gain = model.minimise(gradient.T, x.T)
        self._gradient[:, index] = gradient
        self._proposed[:, index] = v.T - x
        return self._proposed[:, index], gain

    def _learn(self, n: int, step: np.ndarray, turn: np.ndarray) -> None:
        """Makes the model of a neuron agree with the change of its gradient."""
        bent = self._hessian[n] @ step
        curvature, known = step @ turn, step @ bent
        if not (known > 0 and curvature > 1e-8 * known):
            return
        if not self._learnt[n]:
            self._learnt[n] = True
            unit = curvature / known
            self._hessian[n] *= unit
            bent, known = bent * unit, known * unit
        self._hessian[n] += np.outer(turn, turn / curvature) - np.outer(bent, bent / known)


def _model(objective: Objective, start: Start) -> np.ndarray:
    """Returns Hessians of rows that are equally informative, and of the prior."""
    problem = objective.rows.problem
    spread, linear = even_spread(problem), problem.layout.linear
    out = np.stack([objective.prior_hessian(n) for n in range(problem.neurons)])
    out[:, linear, linear] += start.information[:, None, None] * spread
    return freeze(out, objective.moves)
