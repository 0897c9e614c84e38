"""The coordinates of one neuron in a column: intercept, coefficients, unconstrained scalars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layout:
    """Where things are in a column of coordinates.

    Attributes:
        intercept: 1 with an intercept, else 0.
        coefficients: how many there are besides it.
        scalars: how many scalars.
    """

    intercept: int
    coefficients: int
    scalars: int

    @property
    def size(self) -> int:
        """The number of coordinates."""
        return self.intercept + self.coefficients + self.scalars

    @property
    def w(self) -> slice:
        """The places of coefficients."""
        return slice(self.intercept, self.intercept + self.coefficients)

    @property
    def linear(self) -> slice:
        """The places of intercept and coefficients."""
        return slice(0, self.intercept + self.coefficients)

    @property
    def raw(self) -> slice:
        """The places of scalars."""
        return slice(self.intercept + self.coefficients, self.size)

    def split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns intercepts (n,), coefficients (coef, n) and scalars (scalar, n); views."""
        c = x[0] if self.intercept else np.zeros(x.shape[1])
        return c, x[self.w], x[self.raw]

    def join(self, c: np.ndarray, w: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """Returns columns of coordinates; the intercepts are left out where there are none."""
        return np.concatenate([c[None][: self.intercept], w, raw])
