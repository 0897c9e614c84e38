"""Group effects of any family integrated out by Laplace's method.

With u_f = T_f v_f, v ~ Normal(0, I), and l_i the log density of row i as a function of its predictor,

    log p(y) ~ sum_i l_i(eta_i) - |v|^2 / 2 - 1/2 log |H|   at the v that maximises the first two,
    H = I + T'Z' W Z T,   W = -l''.

Newton's method finds v; every step eliminates factor by factor, as for normal responses. Rows are laid
out in pieces of one group each, so that effects are looked up, and sums taken, once for a piece.

Source: Tierney and Kadane (1986), JASA 81:82; Bates et al. (2015), J. Stat. Softw. 67.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .elimination import Common, Eliminated, Order, Products, eliminate
from .marginal import Conditions, natural_effects, stack_factors

MOST_STEPS, GAIN = 60, 1e-11
"""Newton stops when a step promises less log density than this."""

Density = Callable[[Any, Any], Any]
Effects = tuple[tuple[Any, ...], tuple[Any, ...]]
"""v of every level of the chain and of every dense factor, each (groups, effect)."""


class Layout(NamedTuple):
    """The rows of one grouping factor.

    Attributes:
        columns: what multiplies each effect, each (piece, row) for the chain, (obs,) otherwise.
        index: the group of each piece, or of each row.
    """

    columns: tuple[Any, ...]
    index: Any

    @property
    def dense(self) -> bool:
        """Whether groups may differ within a piece."""
        return self.columns[0].ndim == 1

    def spread(self, u: Any) -> Any:
        """Returns Z u, shape (obs,)."""
        total = jnp.zeros(())
        for k, column in enumerate(self.columns):
            value = u[:, k][self.index]
            total = total + column * (value if self.dense else value[:, None])
        return jnp.reshape(total, -1)

    def gather(self, rows: Any, groups: int) -> Any:
        """Returns Z' rows, shape (groups, effect)."""
        return jnp.stack(
            [self.total(column * self.like(rows), groups) for column in self.columns], 1
        )

    def like(self, rows: Any) -> Any:
        """Shapes rows (obs,) as the columns are."""
        return jnp.reshape(rows, self.columns[0].shape)

    def total(self, values: Any, groups: int) -> Any:
        """Sums values over the rows of each group."""
        parts = values if self.dense else jnp.sum(values, axis=1)
        return jax.ops.segment_sum(parts, self.index, groups)

    def square(self, weights: Any, other: Layout, groups: int) -> Any:
        """Returns Z' W Z_other for each group of this factor, shape (groups, effect, effect)."""
        weights = self.like(weights)
        if other is not self:
            table = [
                [self.total(a * weights * b, groups) for b in other.columns] for a in self.columns
            ]
            return jnp.stack([jnp.stack(row, axis=1) for row in table], axis=1)
        size = len(self.columns)
        lower = {
            (i, j): self.total(self.columns[i] * weights * self.columns[j], groups)
            for i in range(size)
            for j in range(i + 1)
        }
        table = [[lower[max(i, j), min(i, j)] for j in range(size)] for i in range(size)]
        return jnp.stack([jnp.stack(row, axis=1) for row in table], axis=1)

    def cross(self, weights: Any, other: Layout, groups: int, others: int) -> Any:
        """Returns Z' W Z_other for each pair of groups, shape (groups, effect, groups, effect)."""
        index = self.index
        if not self.dense:
            index = jnp.broadcast_to(index[:, None], self.columns[0].shape).reshape(-1)
        pair = index * others + other.index
        table = [
            [
                jax.ops.segment_sum(a.reshape(-1) * weights * b, pair, groups * others)
                for b in other.columns
            ]
            for a in self.columns
        ]
        whole = jnp.stack([jnp.stack(row, axis=1) for row in table], axis=1)
        sizes = (len(self.columns), len(other.columns))
        return jnp.moveaxis(whole.reshape(groups, others, *sizes), 1, 2)


class Frame(NamedTuple):
    """What Newton's method needs beside the effects.

    Attributes:
        chain: T of each level.
        dense: T of each dense factor.
        layouts: the rows of each level, then of each dense factor.
        parents: as in `elimination.Products`.
        fixed: the part of the linear predictor without group effects, shape (obs,).
        parameters: further parameters of the response.
        density: (eta, parameters) -> log density of each row, shape (obs,).
    """

    chain: list[Any]
    dense: list[Any]
    layouts: tuple[list[Layout], list[Layout]]
    parents: Any
    fixed: Any
    parameters: Any
    density: Density

    def still(self) -> Frame:
        """Returns the same without derivatives."""
        chain, dense, fixed, parameters = jax.lax.stop_gradient(
            (self.chain, self.dense, self.fixed, self.parameters)
        )
        return self._replace(chain=chain, dense=dense, fixed=fixed, parameters=parameters)

    def rows(self, eta: Any) -> Any:
        """Returns the log density of each row."""
        return self.density(eta, self.parameters)

    def predictor(self, v: Effects) -> Any:
        """Returns eta, shape (obs,)."""
        total = self.fixed
        for factors, layouts, values in zip((self.chain, self.dense), self.layouts, v, strict=True):
            for t, layout, value in zip(factors, layouts, values, strict=True):
                total = total + layout.spread(value @ t.T)
        return total

    def value(self, v: Effects) -> Any:
        """Returns the joint log density of responses and v, without normal constants."""
        penalty = sum(jnp.sum(value**2) for values in v for value in values)
        return jnp.sum(self.rows(self.predictor(v))) - 0.5 * penalty

    def slopes(self, eta: Any) -> tuple[Any, Any]:
        """Returns l' and l'' of every row."""
        slope = jax.grad(lambda e: jnp.sum(self.rows(e)))
        return jax.jvp(slope, (eta,), (jnp.ones_like(eta),))

    def gradient(self, v: Effects, slope: Any) -> Effects:
        """Returns T'Z'l' - v."""
        out = []
        for factors, layouts, values in zip((self.chain, self.dense), self.layouts, v, strict=True):
            parts = zip(factors, layouts, values, strict=True)
            out.append(tuple(la.gather(slope, x.shape[0]) @ t - x for t, la, x in parts))
        return out[0], out[1]

    def products(self, v: Effects, weights: Any) -> Products:
        """Returns Z' W Z of all factors."""
        (chain, dense), (first, second) = self.layouts, v
        counts, others = [x.shape[0] for x in first], [x.shape[0] for x in second]
        levels = range(len(chain))
        return Products(
            own=tuple(la.square(weights, la, n) for la, n in zip(chain, counts, strict=True)),
            later=tuple(
                tuple(chain[i].square(weights, chain[j], counts[i]) for j in levels[i + 1 :])
                for i in levels
            ),
            parents=self.parents,
            dense=tuple(
                tuple(
                    chain[i].cross(weights, la, counts[i], n)
                    for la, n in zip(dense, others, strict=True)
                )
                for i in levels
            ),
            corner=tuple(
                tuple(dense[i].cross(weights, dense[j], others[i], others[j]) for j in range(i + 1))
                for i in range(len(dense))
            ),
        )

    def eliminated(self, products: Products, right: Effects) -> Eliminated:
        """Eliminates H with a right-hand side."""
        common = Common(
            tuple(r[..., None] for r in right[0]),
            tuple(r[..., None] for r in right[1]),
            jnp.zeros((1, 1)),
        )
        return eliminate(products, self.chain, self.dense, common)

    def split(self, solved: tuple[list[Any], Any], v: Effects) -> Effects:
        """Shapes a solution like v."""
        dense, start = [], 0
        for value in v[1]:
            dense.append(solved[1][start : start + value.size].reshape(value.shape))
            start += value.size
        return tuple(solved[0]), tuple(dense)


def frame(
    order: Order, given: Conditions, fixed: Any, density: Density, design: Mapping[str, Any]
) -> Frame:
    """Collects what Newton's method needs; `design` comes from `inference.layout`."""
    return Frame(
        stack_factors(order.chain, given.factors),
        stack_factors(order.dense, given.factors),
        (
            [Layout(*rows) for rows in design["rows"]["chain"]],
            [Layout(*rows) for rows in design["rows"]["dense"]],
        ),
        design["rows"]["parents"],
        fixed,
        given.parameters,
        density,
    )


def _add(v: Effects, step: Effects, scale: Any = 1.0) -> Effects:
    return jax.tree.map(lambda a, b: a + scale * b, v, step)


def _direction(at: Frame, v: Effects) -> tuple[Effects, Any]:
    """Returns Newton's step with weights that are not negative, and its gain."""
    slope, bend = at.slopes(at.predictor(v))
    gradient = at.gradient(v, slope)
    found = at.eliminated(at.products(v, jnp.maximum(-bend, 0.0)), gradient)
    step = at.split(found.solve(), v)
    gain = sum(
        jnp.sum(a * b)
        for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(step), strict=True)
    )
    return step, gain


def find_mode(at: Frame, start: Effects) -> Effects:
    """Returns the v that maximises the joint density, by Newton's method with halved steps."""

    def body(carry: Any) -> Any:
        v, value, step, gain, count = carry

        def worse(state: Any) -> Any:
            scale, new = state
            return ~(new >= value - 1e-12 * jnp.abs(value)) & (scale > 1e-6)

        def shrink(state: Any) -> Any:
            scale = state[0] * 0.5
            return scale, at.value(_add(v, step, scale))

        scale, new = jax.lax.while_loop(worse, shrink, (jnp.ones(()), at.value(_add(v, step))))
        moved = jnp.isfinite(new) & (scale > 1e-6)
        v = jax.tree.map(lambda a, b: jnp.where(moved, a + scale * b, a), v, step)
        step, gain = _direction(at, v)
        return v, jnp.where(moved, new, value), step, gain, jnp.where(moved, count + 1, MOST_STEPS)

    def going(carry: Any) -> Any:
        return (carry[3] > GAIN) & (carry[4] < MOST_STEPS)

    step, gain = _direction(at, start)
    first = (start, at.value(start), step, gain, 0)
    return jax.lax.while_loop(going, body, first)[0]


def log_likelihood(at: Frame, start: Effects) -> tuple[Any, Effects]:
    """Returns log p(y) by Laplace's method, with exact derivatives, and the effects' mode.

    The mode depends on all parameters through one Newton step from a fixed point, whose derivative is
    that of the implicit function.
    """
    still = at.still()
    v = jax.lax.stop_gradient(find_mode(still, start))
    slope, _ = at.slopes(at.predictor(v))
    _, bend = still.slopes(still.predictor(v))
    found = still.eliminated(still.products(v, -bend), at.gradient(v, slope))
    curved = jnp.isfinite(found.log_determinant())
    step = at.split(found.solve(), v)
    moved = jax.tree.map(lambda a, b: a + jnp.where(curved, b, 0.0), v, step)
    _, bend = at.slopes(at.predictor(moved))
    weights = jnp.where(curved, -bend, jnp.maximum(-bend, 0.0))
    zeros = jax.tree.map(jnp.zeros_like, v)
    half = at.eliminated(at.products(v, weights), zeros).log_determinant()
    return at.value(moved) - half, v


def draw(key: Any, at: Frame, start: Effects, order: Order, given: Conditions) -> dict[str, Any]:
    """Draws the effects from the normal distribution at their mode; or returns it, without a key.

    Returns:
        Effects in natural units by site, shape (groups, effect).
    """
    v = find_mode(at, start)
    if key is not None:
        _, bend = at.slopes(at.predictor(v))
        zeros = jax.tree.map(jnp.zeros_like, v)
        found = at.eliminated(at.products(v, jnp.maximum(-bend, 0.0)), zeros)
        v = _add(v, at.split(found.solve(found.noise(key)), v))
    out: dict[str, Any] = {}
    for part, values in zip((order.chain, order.dense), v, strict=True):
        for sites, value in zip(part, values, strict=True):
            out |= natural_effects(sites, value, given.factors)
    return out
