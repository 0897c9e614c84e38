"""Quadratic functions with kinks: coordinate descent, and Newton's method on what is not 0.

    min over v of  g'(v - x) + (v - x)'H(v - x) / 2 + sum_i a_i |v_i| + sum_g b_g |v_g|_2

Sweeps over the coordinates find out which of them are 0; between sweeps Newton's method solves for the
others, which ends the search as soon as the sweeps have found the right ones, however badly
conditioned H is.

Source: Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33; Yuan and Lin (2006), JRSS B 68:49.
"""

from __future__ import annotations

import numpy as np

from .kinks import Kinks
from .root import root

ROUNDS, SWEEPS = 100, 2
"""Newton steps, and sweeps before each of them."""
EXACT, FORCED = 1e-17, 1e-6
"""Groups, whose norms are not quadratic, are solved where a further step promises less than the first,
or than this share of what was gained."""
HALVINGS, SECULAR = 12, 12
"""Shorter steps that are tried; steps towards the norm of a group."""


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
        self._spectra = [np.linalg.eigh(block) for block in blocks]

    def minimise(self, gradient: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the minimum v (neuron, coordinate), and by how much it is lower than x."""
        v, slope = x.copy(), gradient.copy()
        solved, gain = np.zeros(len(x), dtype=bool), np.zeros(len(x))
        left = np.arange(len(x))
        for _ in range(ROUNDS):
            part, support = self._of(left), np.sign(v[left])
            at, turned = part._sweep(v[left], slope[left])
            same = (np.sign(at) == support).all(axis=1)
            for _ in range(SWEEPS - 1):
                at, turned = part._sweep(at, turned)
            v[left], slope[left] = at, turned
            gain[left] = self._gain(left, gradient, slope, v, x)
            left = left[~(solved[left] & same)]
            if not left.size:
                break
            for n in left:
                v[n], slope[n], solved[n] = self._newton(n, v[n], slope[n], float(gain[n]))
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
        """Minimises over one coordinate or group after the other."""
        absolute, v = self.kinks.absolute, v.copy()
        restless = self.moves & ((v != 0) | (np.abs(slope) > absolute))
        for i in self._singles[restless[:, self._singles].any(axis=0)]:
            bend = self._bend[:, i]
            target = _soft(v[:, i] - slope[:, i] / bend, absolute[:, i] / bend)
            target = np.where(self.moves[:, i], target, v[:, i])
            slope = slope + self.hessian[:, i] * (target - v[:, i])[:, None]
            v[:, i] = target
        for g, members in enumerate(self.kinks.groups):
            if restless[:, members].any():
                target = np.where(self.moves[:, members], self._group(g, v, slope), v[:, members])
                change = target - v[:, members]
                slope = slope + np.einsum("ngi,ng->ni", self.hessian[:, members], change)
                v[:, members] = target
        return v, slope

    def _group(self, g: int, v: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Returns the minimum over the coordinates of a group, given all others.

        With H = U diag(d) U' and z = U'(minus the gradient at 0), the minimum is U (z / (d + b / r))
        where its norm r solves sum (z / (d r + b))^2 = 1. Where coordinates have kinks of their own as
        well, a bound of H takes its place.
        """
        members = self.kinks.groups[g]
        weight, absolute = self.kinks.weights[:, g], self.kinks.absolute[:, members]
        bends, axes = self._spectra[g]
        bends = np.maximum(bends, 1e-14 * bends[:, -1:] + 1e-300)
        here, pull = v[:, members], slope[:, members]
        if absolute.any():
            target = _soft(here - pull / bends[:, -1:], absolute / bends[:, -1:])
            norm = np.sqrt(np.sum(target**2, axis=1))
            shrink = weight / (bends[:, -1] * np.where(norm > 0, norm, 1.0))
            return target * np.maximum(1 - shrink, 0.0)[:, None]
        z = bends * np.einsum("nji,nj->ni", axes, here) - np.einsum("nji,nj->ni", axes, pull)
        size = np.sqrt(np.sum(z**2, axis=1))
        with np.errstate(all="ignore"):
            # 1 / sqrt(sum) rises almost linearly in r: Newton's method from the left
            r = np.maximum(size - weight, 0.0) / bends[:, -1]
            for _ in range(SECULAR):
                share = z / (bends * r[:, None] + weight[:, None])
                total = np.sum(share**2, axis=1)
                fall = np.sum(share**2 * bends / (bends * r[:, None] + weight[:, None]), axis=1)
                r = r + (np.sqrt(total) - 1) * total / fall
            target = z / (bends + (weight / r)[:, None])
        target = np.where((size > weight)[:, None], target, 0.0)
        return np.einsum("nij,nj->ni", axes, target)

    def _newton(
        self, n: int, v: np.ndarray, slope: np.ndarray, gain: float
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """Solves for the coordinates of one neuron that are not 0.

        Returns:
            The new place and its gradient, and whether it is the minimum if no others join.
        """
        absolute, weights = self.kinks.absolute[n], self.kinks.weights[n]
        active = self.moves[n] & ((v != 0) | (absolute == 0))
        bend, pull = self.hessian[n], slope + absolute * np.sign(v)
        curved = False
        for members, weight in zip(self.kinks.groups, weights, strict=True):
            norm = np.sqrt(np.sum(v[members] ** 2))
            if weight and not norm:
                active[members] = False
            elif weight:
                unit = v[members] / norm
                pull[members] += weight * unit
                bend = bend if curved else bend.copy()
                around = np.eye(len(unit)) - np.outer(unit, unit)
                bend[np.ix_(members, members)] += weight / norm * around
                curved = True
        chosen = np.flatnonzero(active)
        inverse = _inverse(bend[np.ix_(chosen, chosen)])
        step, hessian, kinks = np.zeros_like(v), self.hessian[n], self.kinks.of(np.array([n]))
        step[chosen] = _follow(v[chosen], pull[chosen], inverse, absolute[chosen]) - v[chosen]
        if not curved:
            there = v + step
            there[chosen] += _correct(there, slope + hessian @ step, absolute, chosen, inverse)
            return there, slope + hessian @ (there - v), True
        size, enough = 1.0, -0.5 * float(step @ pull) <= max(EXACT, FORCED * gain)
        for _ in range(HALVINGS):
            there = v + size * step
            turned = slope + hessian @ (there - v)
            rise = 0.5 * (there - v) @ (slope + turned) + kinks.rise(there[None], v[None])[0]
            if rise <= 0:
                return there, turned, enough
            size *= 0.5
        return v, slope, enough


def _soft(value: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    return np.sign(value) * np.maximum(np.abs(value) - threshold, 0.0)


def _inverse(hessian: np.ndarray) -> np.ndarray:
    b = root(hessian)
    return b @ b.T


def _follow(
    v: np.ndarray, pull: np.ndarray, inverse: np.ndarray, absolute: np.ndarray
) -> np.ndarray:
    """Goes to the minimum of a quadratic function, leaving out coordinates as they reach 0.

    Args:
        v: where to begin.
        pull: the gradient there, kinks included.
        inverse: the inverse Hessian; on return that of the coordinates that are left.
        absolute: where it is not 0, coordinates may not change their sign.
    """
    v, sign = v.copy(), np.where(absolute > 0, np.sign(v), 0.0)
    step = -inverse @ pull
    for _ in range(len(v)):
        towards = np.flatnonzero(step * sign < 0)
        reach = -v[towards] / step[towards]
        size = reach.min(initial=1.0)
        v += size * step
        if size >= 1:
            break
        step *= 1 - size
        for i in towards[reach == size]:
            v[i] = sign[i] = 0.0
            column = inverse[:, i].copy()
            if column[i] > 0:
                step -= column * (step[i] / column[i])
                inverse -= np.outer(column, column / column[i])
            step[i] = inverse[i] = inverse[:, i] = 0.0
    return v


def _correct(
    v: np.ndarray, slope: np.ndarray, absolute: np.ndarray, chosen: np.ndarray, inverse: np.ndarray
) -> np.ndarray:
    """Returns what rounding left to go, or nothing where it would change a sign."""
    at, a = v[chosen], absolute[chosen]
    step = -inverse @ (slope[chosen] + a * np.sign(at))
    return step * ~((a > 0) & ((at + step) * at <= 0)).any()
