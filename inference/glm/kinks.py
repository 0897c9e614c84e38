"""Kinks of penalties, by coordinate: sum_i a_i |v_i| + sum_g b_g |v_g|_2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Kinks:
    """The part of a penalty that has kinks, for some neurons.

    Attributes:
        absolute: a, shape (neuron, coordinate).
        groups: coordinates of each group.
        weights: b, shape (neuron, group).
    """

    absolute: np.ndarray
    groups: tuple[np.ndarray, ...]
    weights: np.ndarray

    def of(self, index: np.ndarray) -> Kinks:
        """Returns the kinks of some neurons."""
        return Kinks(self.absolute[index], self.groups, self.weights[index])

    def value(self, v: np.ndarray) -> np.ndarray:
        """Returns the penalty of v (neuron, coordinate), shape (neuron,)."""
        out = np.sum(self.absolute * np.abs(v), axis=1)
        for g, members in enumerate(self.groups):
            out = out + self.weights[:, g] * np.sqrt(np.sum(v[:, members] ** 2, axis=1))
        return out

    def rise(self, v: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Returns the penalty of v minus that of x, without loss of digits where they are close."""
        out = np.sum(self.absolute * (np.abs(v) - np.abs(x)), axis=1)
        for g, members in enumerate(self.groups):
            a, b = v[:, members], x[:, members]
            total = np.sqrt(np.sum(a**2, axis=1)) + np.sqrt(np.sum(b**2, axis=1))
            product = np.sum((a + b) * (a - b), axis=1)
            out = out + self.weights[:, g] * product / np.where(total > 0, total, 1.0)
        return out
