"""Penalties with kinks on quadratic functions: coordinate descent, and Newton on what is not 0.

    min over v of  g'(v - x) + (v - x)'H(v - x) / 2 + sum_i a_i |v_i| + sum_g b_g |v_g|_2

Sweeps over the coordinates find out which of them are 0; between sweeps Newton's method solves for the
others, which ends the search as soon as the sweeps have found the right ones, however badly
conditioned H is.

Source: Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33; Yuan and Lin (2006), JRSS B 68:49.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .glm_root import root

ROUNDS, SWEEPS = 100, 2
"""Newton steps, and sweeps before each of them."""
EXACT = 1e-17
"""The search ends where a further sweep promises less than this."""
FORCED = 1e-8
"""The share of the gain so far below which a promise is not worth another Newton step."""
HALVINGS = 12


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


class Quadratic:
    """Quadratic functions with kinks, one per neuron.

    Attributes:
        hessian: shape (neuron, coordinate, coordinate).
        kinks: of the same neurons.
        moves: which coordinates move, shape (neuron, coordinate).
    """

    def __init__(self, hessian: np.ndarray, kinks: Kinks, moves: np.ndarray) -> None:
        self.hessian, self.kinks, self.moves = hessian, kinks, moves
        grouped = np.concatenate([np.zeros(0, dtype=int), *kinks.groups])
        self._singles = np.setdiff1d(np.arange(hessian.shape[1]), grouped)
        self._bend = np.maximum(np.einsum("nii->ni", hessian), 1e-300)
        blocks = [hessian[:, members][:, :, members] for members in kinks.groups]
        self._steepest = [np.linalg.eigvalsh(block)[:, -1] for block in blocks]

    def minimise(self, gradient: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the minimum v (neuron, coordinate), and by how much it is lower than x."""
        v, slope = x.copy(), gradient.copy()
        gain, solved = np.zeros(len(x)), np.zeros(len(x), dtype=bool)
        left = np.arange(len(x))
        for _ in range(ROUNDS):
            part = self._of(left)
            for sweep in range(SWEEPS):
                at, turned = part._sweep(v[left], slope[left])
                moved = at - v[left]
                v[left], slope[left] = at, turned
                if not sweep:
                    small = 0.5 * np.sum(part._bend * moved**2, axis=1)
            gain[left] = self._gain(left, gradient, slope, v, x)
            done = solved[left] & (small <= np.maximum(EXACT, FORCED * gain[left]))
            left = left[~done]
            if not left.size:
                break
            for n in left:
                v[n], slope[n], solved[n] = self._newton(n, v[n], slope[n])
        gain[left] = self._gain(left, gradient, slope, v, x)
        return v, gain

    def _of(self, index: np.ndarray) -> Quadratic:
        if len(index) == len(self.hessian):
            return self
        return Quadratic(self.hessian[index], self.kinks.of(index), self.moves[index])

    def _gain(
        self,
        index: np.ndarray,
        gradient: np.ndarray,
        slope: np.ndarray,
        v: np.ndarray,
        x: np.ndarray,
    ) -> np.ndarray:
        """Returns by how much v is lower than x, given the gradients at both."""
        product = np.sum((v[index] - x[index]) * (gradient[index] + slope[index]), axis=1)
        return -(0.5 * product + self.kinks.of(index).rise(v[index], x[index]))

    def _sweep(self, v: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Minimises over one coordinate, or majorises over one group, after the other."""
        absolute = self.kinks.absolute
        restless = self.moves & ((v != 0) | (np.abs(slope) > absolute))
        for i in self._singles[restless[:, self._singles].any(axis=0)]:
            bend = self._bend[:, i]
            target = _soft(v[:, i] - slope[:, i] / bend, absolute[:, i] / bend)
            change = np.where(self.moves[:, i], target - v[:, i], 0.0)
            v[:, i] += change
            v[:, i] = np.where(self.moves[:, i] & (target == 0), 0.0, v[:, i])
            slope = slope + self.hessian[:, i] * change[:, None]
        for g, members in enumerate(self.kinks.groups):
            if not restless[:, members].any():
                continue
            bend = self._steepest[g][:, None]
            target = v[:, members] - slope[:, members] / bend
            target = _soft(target, absolute[:, members] / bend)
            norm = np.sqrt(np.sum(target**2, axis=1, keepdims=True))
            shrink = self.kinks.weights[:, g, None] / bend
            target = target * np.maximum(1 - shrink / np.where(norm > 0, norm, 1.0), 0.0)
            target = np.where(self.moves[:, members], target, v[:, members])
            change = target - v[:, members]
            v[:, members] = target
            slope = slope + np.einsum("ngi,ng->ni", self.hessian[:, members], change)
        return v, slope

    def _newton(
        self, n: int, v: np.ndarray, slope: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Solves for the coordinates of one neuron that are not 0.

        Returns:
            The new place and its gradient, and whether it is the minimum if no others join.
        """
        kinks = self.kinks.of(np.array([n]))
        hessian, absolute = self.hessian[n], kinks.absolute[0]
        active = self.moves[n] & ((v != 0) | (absolute == 0))
        pull = slope + absolute * np.sign(v)
        curved: list[tuple[np.ndarray, np.ndarray]] = []
        for g, members in enumerate(kinks.groups):
            weight, norm = kinks.weights[0, g], np.sqrt(np.sum(v[members] ** 2))
            if not weight:
                continue
            if not norm:
                active[members] = False
                continue
            unit = v[members] / norm
            pull[members] += weight * unit
            curved.append((members, weight / norm * (np.eye(len(unit)) - np.outer(unit, unit))))
        chosen = np.flatnonzero(active)
        if not chosen.size:
            return v, slope, True
        whole = hessian
        if curved:
            whole = hessian.copy()
            for members, bend in curved:
                whole[np.ix_(members, members)] += bend
        step = -_solve(whole[np.ix_(chosen, chosen)], pull[chosen])
        promise = -0.5 * float(step @ pull[chosen])
        size = 1.0
        for _ in range(HALVINGS):
            there = v.copy()
            there[chosen] += size * step
            flipped = (absolute > 0) & (there * v < 0)
            there[flipped] = 0.0
            change = there - v
            turned = slope + hessian @ change
            rise = float(kinks.rise(there[None], v[None])[0])
            if 0.5 * change @ (slope + turned) + rise <= 1e-18:
                exact = size == 1.0 and not flipped.any()
                return there, turned, exact and (not curved or promise <= EXACT)
            size *= 0.5
        return v, slope, promise <= EXACT


def _soft(value: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    return np.sign(value) * np.maximum(np.abs(value) - threshold, 0.0)


def _solve(hessian: np.ndarray, right: np.ndarray) -> np.ndarray:
    b = root(hessian)
    return b @ (b.T @ right)
