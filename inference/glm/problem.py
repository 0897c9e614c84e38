"""The problem of generalised linear models without group effects, and its solution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...formula.features import Features
from ...zoo.family import Family
from ...zoo.links import Link
from .layout import Layout


@dataclass(frozen=True, eq=False)
class Penalty:
    """Minus the log prior of the coefficients besides the intercept, up to constants.

        sum_i precision_i (w_i - centre_i)^2 / 2 + absolute_i |w_i|
        + sum_g group_weight_g |w_g|_2 + sum_(slice, M) w_slice' M w_slice / 2

    Attributes:
        precision: shape (coef, neuron).
        centre: shape (coef, neuron).
        absolute: shape (coef, neuron), of the lasso.
        group: the group of each coefficient, -1 for none; shape (coef,).
        group_weight: shape (group, neuron), of the group lasso.
        smooth: (which coefficients, matrix) pairs, the same for every neuron.
    """

    precision: np.ndarray
    centre: np.ndarray
    absolute: np.ndarray
    group: np.ndarray
    group_weight: np.ndarray
    smooth: tuple[tuple[slice, np.ndarray], ...] = ()

    @classmethod
    def flat(cls, coefficients: int, neurons: int) -> Penalty:
        """Returns the penalty 0."""
        zero = np.zeros((coefficients, neurons))
        group = np.full(coefficients, -1)
        return cls(zero, zero, zero, group, np.zeros((0, neurons)))

    @property
    def kinked(self) -> bool:
        """Whether the penalty has no derivative where coefficients are 0."""
        return bool(self.absolute.any() or self.group_weight.any())


@dataclass(frozen=True, eq=False)
class ScalarPrior:
    """The prior of the family's scalars, of every neuron alike.

    Attributes:
        key: a text that names `log_density` for the cache of compiled programs; it begins with
            `zoo.compile.LOCAL` where it holds within this process only.
        log_density: (natural scalars (scalar,), numbers of one neuron) -> log density on the natural
            scale, a pure function of JAX arrays.
        numbers: a tree of arrays whose first dimension is the neuron.
    """

    key: str = "flat"
    log_density: Callable[[Any, Any], Any] = lambda scalars, numbers: 0.0 * scalars.sum()
    numbers: Any = ()


@dataclass(frozen=True, eq=False)
class GlmProblem:
    """The posterior of a generalised linear model, which separates over neurons.

        log p(y_tn | g^-1(offset_t + b_n + x_t . w_n), s_n), weighted by weights_t and summed over t,
        plus the log priors of b_n, w_n and s_n

    Attributes:
        features: x, shape (obs, coef), without a column of ones.
        means: of the columns, shape (coef,).
        gram: covariance of the columns, shape (coef, coef). It sets the coordinates in which the mode
            is searched for, not the mode, and may be an estimate.
        y: shape (obs, neuron), of any numeric type.
        offset: shape (obs,).
        weights: shape (obs,), or None for 1.
        intercept: whether there is b.
        family: of the response.
        link: g, of the mean.
        scalars: names of the family's parameters that are estimated.
        penalty: (natural scalars (scalar, neuron)) -> Penalty. A penalty that depends on the scalars
            (relative to a dispersion) is held fixed while scalars are estimated.
        intercept_precision: of the prior about b + lean . w, shape (neuron,); 0 where it is flat.
        intercept_centre: its centre, shape (neuron,).
        lean: shape (coef,).
        scalar_prior: of the scalars.
        jacobian: whether the density of scalars is that on the unconstrained scale.
        free: whether a neuron uses a coefficient, shape (coef, neuron); None where all do.
        extras: what else is known of each row (`trials`, `standard_error`, `status`), shape (obs,)
            or (obs, neuron).
        start: a mode to begin at.
        devices: the JAX devices that every block of rows is dealt out to; empty for a single one.
    """

    features: Features
    means: np.ndarray
    gram: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weights: np.ndarray | None
    intercept: bool
    family: Family
    link: Link
    scalars: tuple[str, ...]
    penalty: Callable[[np.ndarray], Penalty]
    intercept_precision: np.ndarray
    intercept_centre: np.ndarray
    lean: np.ndarray
    scalar_prior: ScalarPrior = ScalarPrior()
    jacobian: bool = False
    free: np.ndarray | None = None
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    start: GlmMode | None = None
    devices: tuple[Any, ...] = ()

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.features.shape[0]

    @property
    def coefficients(self) -> int:
        """The number of coefficients of one neuron besides its intercept."""
        return self.features.shape[1]

    @property
    def neurons(self) -> int:
        """The number of neurons."""
        return self.y.shape[1]

    @property
    def layout(self) -> Layout:
        """The coordinates of one neuron."""
        return Layout(int(self.intercept), self.coefficients, len(self.scalars))

    @property
    def moves(self) -> np.ndarray:
        """Which coordinates are free, shape (coordinate, neuron)."""
        out = np.ones((self.layout.size, self.neurons), dtype=bool)
        if self.free is not None:
            out[self.layout.w] = self.free
        return out


@dataclass(frozen=True, eq=False)
class GlmMode:
    """The mode of a generalised linear model.

    Attributes:
        intercept: b, shape (neuron,); 0 without an intercept.
        coefficients: w, shape (coef, neuron); exactly 0 where they are not free.
        scalars: natural scalars, shape (scalar, neuron).
        promise: the log-density that one further Newton step promises, shape (neuron,).
        converged: whether the promise is negligible and the step that it takes is small; a likelihood
            without a maximum (separation, a silent neuron) promises little but asks for long steps.
        value: the log posterior, up to terms of the response alone and of the penalty's constants.
        passes: how often the rows were read.
    """

    intercept: np.ndarray
    coefficients: np.ndarray
    scalars: np.ndarray
    promise: np.ndarray
    converged: np.ndarray
    value: np.ndarray
    passes: int
