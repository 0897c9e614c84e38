"""The gradient of a mixed model's deviance, and what else needs the inverse of T.

For w = (-modes, -coefficients, 1), c = 1 / sigma^2 and D the inverse of the part of T in the
determinant, dT changes the deviance by tr((D + c w w') dT). So the derivative by R is
N = Lambda (D + c w w') Lambda', and with N_g = B_g N B_g' the first factor's slope is

    2 sum_g (b_g - (I - b_g W_g) N_g) Lambda_1 M_g^-1

Where the first factor is nested in the second, R consists of the blocks, border and corner of a smaller
system, whose derivatives are W + W N_g W, -W B N and N.
"""

from __future__ import annotations

import numpy as np

from .border import DenseBorder
from .deviance import TINY, Factorised, inverse_of, spread_out
from .nested import Middle, NestedBorder

Level = tuple[Factorised, np.ndarray]
"""A factorisation, and N_g of its first factor."""


def levels_of(at: Factorised, weight: np.ndarray) -> list[Level]:
    """Returns N_g of every factor that is eliminated before T, the first factor's first.

    Args:
        at: the factorisation.
        weight: what stands between Lambda and Lambda' in N, shape (m, m).
    """
    border = at.system.border
    if not isinstance(border, NestedBorder):
        return [(at, border.forms(_middle(at, weight)))]
    if at.rest is None or not isinstance(at.rest.system.border, DenseBorder):
        raise TypeError("a nested border needs the factorisation of all else")
    below = levels_of(at.rest, weight)
    inner, forms = below[0]
    corner, squares = _middle(at.rest, weight), inner.squares
    cross = -squares @ (at.rest.system.border.array @ corner)
    middle: Middle = (squares + squares @ forms @ squares, cross, corner)
    return [(at, border.forms(middle)), *below]


def _middle(at: Factorised, weight: np.ndarray) -> np.ndarray:
    """Lambda weight Lambda'."""
    turned = [m.T for m in at.lambdas]
    return spread_out(at.system, turned, spread_out(at.system, turned, weight).T)


def slopes_of(at: Factorised) -> list[np.ndarray]:
    """Returns the derivative of the deviance by Lambda of every factor."""
    system, weight = at.system, np.zeros(at.lower.shape)
    size = at.others + (system.coefficients if system.reml else 0)
    weight[:size, :size] = inverse_of(at.lower[:size, :size])
    w = np.append(-at.solved(), 1.0)
    c = 1.0 if system.known else system.freedom / max(at.residual, TINY)
    weight += np.outer(c * w, w)
    out, last = [], at
    for level, forms in levels_of(at, weight):
        blocks = level.system.blocks
        inner = blocks - forms + blocks @ level.squares @ forms
        out.append(2 * (inner @ (level.roots @ level.inverse)).sum(axis=0))
        last = level
    for factor, span in zip(last.system.factors[1:], last.system.spans(), strict=True):
        shape = (factor.groups, factor.size, -1)
        left, right = last.reduced[span].reshape(shape), weight[span].reshape(shape)
        out.append(2 * np.einsum("gai,gbi->ab", left, right))
    return out


def gradient_of(at: Factorised) -> np.ndarray:
    """Returns the derivative of the deviance by theta."""
    system = at.system
    return system.flat([u * m for u, m in zip(system.units, slopes_of(at), strict=True)])


def effects_of(
    at: Factorised, solved: np.ndarray, noise: list[np.ndarray]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns u of every factor, shape (draw, groups, effect), and Lambda w, shape (draw, ...).

    Args:
        at: the factorisation.
        solved: effects in T and coefficients, shape (draw, m - 1).
        noise: what is added to L_g' u, for each factor that is eliminated before T, of the shape of u.
    """
    if at.rest is None:
        w = np.column_stack([-solved, np.ones(len(solved))])
        w = spread_out(at.system, [m.T for m in at.lambdas], w)
        others = [
            solved[:, span].reshape(-1, factor.groups, factor.size)
            for factor, span in zip(at.system.factors[1:], at.system.spans(), strict=True)
        ]
    else:
        others, w = effects_of(at.rest, solved, noise[1:])
        turned = others[0] @ at.lambdas[1].T
        w = np.column_stack([-turned.reshape(len(w), -1), w])
    left = at.system.border.times(w.T)  # (groups, effect, draw)
    if len(at.lambdas[0]) == 1:
        own = ((at.roots * left)[:, 0].T[..., None] + noise[0]) / at.first[:, 0]
    else:
        inner = np.swapaxes(at.roots, 1, 2) @ left + np.moveaxis(noise[0], 0, 2)
        own = np.moveaxis(np.swapaxes(at.inverse, 1, 2) @ inner, 2, 0)
    return [own, *others], w
