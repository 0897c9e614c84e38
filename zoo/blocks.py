"""Parameters in standard coordinates: every latent site of a model lives on the whole real line.

A site's raw vector is of order one whatever the units of the data, so that optimisers, guides and
samplers see the same problem in volts and in microvolts.
"""

# NumPyro declares `support` as a property and lets subclasses set a constant instead.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import biject_to, constraints
from numpyro.distributions.transforms import CorrCholeskyTransform

from .group import GroupDistribution
from .priors import Form


@dataclass(frozen=True)
class BlockShape:
    """The static part of a parameter block: for each prior its form and how many numbers it covers."""

    forms: tuple[Form, ...] = ()
    sizes: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(self.sizes)

    @property
    def relative(self) -> bool:
        """Whether some prior is measured in units of the family's loss."""
        return any(form.relative for form in self.forms)

    @property
    def local(self) -> tuple[tuple[int, int], ...]:
        """(position of the term, position of its first parameter) of terms with local scales."""
        starts = itertools.accumulate((0, *self.sizes))
        pairs = enumerate(zip(self.forms, starts, strict=False))
        return tuple((i, start) for i, (form, start) in pairs if form.local)

    @property
    def key(self) -> str:
        """A text that is equal for equal shapes, across processes."""
        return repr([(form.key, size) for form, size in zip(self.forms, self.sizes, strict=True)])


NOTHING = BlockShape()
"""A block without parameters."""


class ParameterBlock(dist.Distribution):
    """Parameters with independent priors, in the coordinates raw: natural = T(location + basis raw).

    T maps the real line onto the support of each prior. With `jacobian=False` the density is that of
    the natural parameters, as maximum a posteriori estimation wants it.

    Attributes:
        priors: one distribution per term, on the natural scale.
        sizes: how many parameters each of them covers.
        location: shape (p,).
        basis: shape (p,) or (p, p).
        lean: the first parameter's prior is about natural[0] + lean . natural; shape (p,).
        log_volume: log |det basis|.
        stretch: scales of parameters that are sampled themselves, shape (p,); or None.
    """

    support = constraints.real_vector
    arg_constraints: dict[str, Any] = {}
    pytree_data_fields = ("priors", "location", "basis", "lean", "log_volume", "stretch")
    pytree_aux_fields = ("sizes", "jacobian")

    def __init__(
        self,
        shape: BlockShape,
        priors: Sequence[Mapping[str, Any]],
        location: Any,
        basis: Any,
        lean: Any,
        log_volume: Any,
        jacobian: bool = True,
        stretch: Any = None,
        unit: Any = None,
    ) -> None:
        self.priors = tuple(f.build(n, unit) for f, n in zip(shape.forms, priors, strict=True))
        self.sizes, self.jacobian, self.stretch = shape.sizes, jacobian, stretch
        self.location, self.basis, self.lean = location, basis, lean
        self.log_volume = log_volume
        super().__init__((), (shape.size,), validate_args=False)

    def _parts(self, vector: Any) -> list[Any]:
        bounds = [0]
        for size in self.sizes:
            bounds.append(bounds[-1] + size)
        return [vector[a:b] for a, b in itertools.pairwise(bounds)]

    def _affine(self, raw: Any) -> Any:
        step = self.basis @ raw if jnp.ndim(self.basis) == 2 else self.basis * raw
        return self.location + (step if self.stretch is None else step * self.stretch)

    def natural(self, raw: Any) -> Any:
        """Returns the natural parameters, shape (p,)."""
        parts = self._parts(self._affine(raw))
        maps = [biject_to(prior.support) for prior in self.priors]
        return jnp.concatenate([m(part) for m, part in zip(maps, parts, strict=True)])

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density of the raw vector."""
        vector = self._affine(value)
        maps = [biject_to(prior.support) for prior in self.priors]
        natural = [m(part) for m, part in zip(maps, self._parts(vector), strict=True)]
        total = self.log_volume if self.jacobian else jnp.zeros(())
        if self.jacobian:
            if self.stretch is not None:
                total = total + jnp.sum(jnp.log(self.stretch))
            for m, part, nat in zip(maps, self._parts(vector), natural, strict=True):
                total = total + jnp.sum(m.log_abs_det_jacobian(part, nat))
        shift = jnp.dot(self.lean, jnp.concatenate(natural))
        natural[0] = natural[0] + jnp.where(jnp.arange(self.sizes[0]) == 0, shift, 0.0)
        for prior, nat in zip(self.priors, natural, strict=True):
            total = total + jnp.sum(prior.log_prob(nat))
        return total

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws raw vectors whose natural parameters follow the priors."""
        keys = jax.random.split(key, len(self.priors))
        natural = []
        for prior, size, k in zip(self.priors, self.sizes, keys, strict=True):
            shape = (
                sample_shape if prior.event_shape or prior.batch_shape else (*sample_shape, size)
            )
            natural.append(prior.sample(k, shape))
        slopes = jnp.concatenate(natural, axis=-1).at[..., 0].set(0.0)
        shift = (slopes @ self.lean)[..., None]
        first = jnp.arange(self.sizes[0]) == 0
        natural[0] = jnp.where(first, natural[0] - shift, natural[0])
        maps = [biject_to(prior.support) for prior in self.priors]
        vector = jnp.concatenate(
            [m.inv(nat) for m, nat in zip(maps, natural, strict=True)], axis=-1
        )
        step = vector - self.location
        if self.stretch is not None:
            step = step / self.stretch
        if jnp.ndim(self.basis) == 2:
            return jnp.linalg.solve(self.basis, step[..., None])[..., 0]
        return step / self.basis


class CorrelationBlock(dist.Distribution):
    """A correlation matrix with an LKJ(eta) prior, in unconstrained coordinates."""

    support = constraints.real_vector
    arg_constraints: dict[str, Any] = {}
    pytree_data_fields = ("eta",)
    pytree_aux_fields = ("size", "jacobian")

    def __init__(self, size: int, eta: Any, jacobian: bool = True) -> None:
        self.size, self.eta, self.jacobian = size, eta, jacobian
        super().__init__((), (size * (size - 1) // 2,), validate_args=False)

    def cholesky(self, raw: Any) -> Any:
        """Returns the Cholesky factor of the correlation matrix, shape (size, size)."""
        return CorrCholeskyTransform()(raw)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density of the raw vector, or of the correlation matrix without the Jacobian."""
        transform = CorrCholeskyTransform()
        factor = transform(value)
        if not self.jacobian:  # density over matrices: |R|^(eta - 1), up to a constant
            return 2 * (self.eta - 1) * jnp.sum(jnp.log(jnp.diagonal(factor)))
        density = dist.LKJCholesky(self.size, self.eta).log_prob(factor)
        return density + transform.log_abs_det_jacobian(value, factor)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws raw vectors."""
        factor = dist.LKJCholesky(self.size, self.eta).sample(key, sample_shape)
        return CorrCholeskyTransform().inv(factor)


class GroupBlock(dist.Distribution):
    """The effects of all groups, u = L z, each effect of each group centred or not.

    An effect that its group's data determine is sampled as u less a shift, in its units (centred), any
    other as z (non-centred); the model is the same. The shift moves the common coefficient of an
    effect into the group's own (hierarchical centring): data then speak of each group's sum alone.

    Attributes:
        member: the distribution of z.
        factor: L, lower triangular, shape (effect, effect).
        units: a typical size of each effect, shape (effect,).
        shift: where centred effects are counted from, shape (effect,).
        centred: shape (groups, effect), boolean.
        parameters: parameters of the distribution of z.
    """

    support = constraints.independent(constraints.real, 2)
    arg_constraints: dict[str, Any] = {}
    pytree_data_fields = ("factor", "units", "shift", "centred", "parameters")
    pytree_aux_fields = ("member",)

    def __init__(
        self,
        member: GroupDistribution,
        factor: Any,
        units: Any,
        shift: Any,
        centred: Any,
        parameters: Mapping[str, Any],
    ) -> None:
        self.member, self.factor, self.centred = member, factor, centred
        self.units, self.shift = units, shift
        self.parameters = dict(parameters)
        super().__init__((), tuple(centred.shape), validate_args=False)

    def _resolve(self, raw: Any) -> tuple[Any, Any]:
        """Returns z and u, effect by effect: each follows from those before it."""
        z: list[Any] = []
        u: list[Any] = []
        for k in range(self.units.shape[0]):
            centred, diagonal = self.centred[:, k], self.factor[k, k]
            carried = sum((self.factor[k, i] * z[i] for i in range(k)), start=jnp.zeros(()))
            near = raw[:, k] * self.units[k] + self.shift[k]
            divisor = jnp.where(centred, diagonal, 1.0)
            z.append(jnp.where(centred, (near - carried) / divisor, raw[:, k]))
            u.append(jnp.where(centred, near, carried + diagonal * raw[:, k]))
        return jnp.stack(z, axis=1), jnp.stack(u, axis=1)

    def natural(self, raw: Any) -> Any:
        """Returns the effects in natural units, shape (groups, effect)."""
        return self._resolve(raw)[1]

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density of the raw array."""
        z, _ = self._resolve(value)
        size = self.units.shape[0]
        density = self.member.log_density(jnp.sum(z**2, axis=-1), size, self.parameters)
        volume = jnp.log(self.units) - jnp.log(jnp.diagonal(self.factor))
        return jnp.sum(density) + jnp.dot(jnp.sum(self.centred, axis=0), volume)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws raw arrays; sample_shape must be empty."""
        groups, size = self.event_shape
        z = self.member.sample(key, (groups, size), self.parameters)
        near = (z @ self.factor.T - self.shift[None, :]) / self.units[None, :]
        raw = jnp.where(self.centred, near, z)
        return jnp.broadcast_to(raw, sample_shape + raw.shape)
