"""Coefficients of many neurons in standard coordinates: one block, a column for each neuron."""

# NumPyro declares `support` as a property and lets subclasses set a constant instead.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from numpyro.distributions import biject_to, constraints

from .blocks import BlockShape


class PopulationBlock(dist.Distribution):
    """The coefficients of every neuron: natural = T(location + basis (scale raw)), masked ones 0.

    Attributes:
        priors: one distribution per term, on the natural scale; numbers of shape (size, neuron).
        sizes: how many coefficients each term has.
        location: shape (coef, neuron).
        basis: shape (coef, coef), or (neuron, coef, coef) where neurons use different terms.
        scale: shape (coef, neuron).
        lean: the prior of the first coefficient is about natural[0] + lean . natural; shape (coef,).
        free: whether a neuron uses a coefficient, shape (coef, neuron).
        places: positions of the free coefficients in the raveled matrix; None where all are free.
        stretch: scales of coefficients that are sampled themselves, shape (coef, neuron); or None.
        log_volume: log |d vector / d raw| without the stretch.
    """

    support = constraints.real_vector
    arg_constraints: dict[str, Any] = {}
    pytree_data_fields = "priors location basis scale lean free places stretch log_volume".split()
    pytree_aux_fields = ("sizes", "joint", "jacobian")

    def __init__(
        self,
        shape: BlockShape,
        priors: Sequence[Mapping[str, Any]],
        location: Any,
        basis: Any,
        scale: Any,
        lean: Any,
        free: Any,
        log_volume: Any,
        places: Any = None,
        stretch: Any = None,
        unit: Any = None,
        jacobian: bool = True,
    ) -> None:
        units = [
            None if unit is None or not form.relative else unit if form.joint else unit[None, :]
            for form in shape.forms
        ]
        self.priors = tuple(
            form.build(numbers, each)
            for form, numbers, each in zip(shape.forms, priors, units, strict=True)
        )
        self.sizes, self.jacobian = shape.sizes, jacobian
        self.joint = tuple(form.joint for form in shape.forms)
        self.location, self.basis, self.scale, self.lean = location, basis, scale, lean
        self.free, self.places, self.stretch = free, places, stretch
        self.log_volume = log_volume
        event = location.shape if places is None else places.shape
        super().__init__((), tuple(event), validate_args=False)

    def _expand(self, raw: Any) -> Any:
        if self.places is None:
            return raw
        flat = jnp.zeros(self.location.size, raw.dtype).at[self.places].set(raw)
        return jnp.reshape(flat, self.location.shape)

    def _vector(self, raw: Any) -> Any:
        step = self.scale * self._expand(raw)
        if jnp.ndim(self.basis) == 2:
            step = self.basis @ step
        else:
            step = jnp.einsum("npq,qn->pn", self.basis, step)
        return self.location + (step if self.stretch is None else step * self.stretch)

    def _parts(self, matrix: Any) -> list[Any]:
        bounds = [0, *itertools.accumulate(self.sizes)]
        return [matrix[a:b] for a, b in itertools.pairwise(bounds)]

    def natural(self, raw: Any) -> Any:
        """Returns the coefficients, shape (coef, neuron)."""
        maps = [biject_to(_real(p, j)) for p, j in zip(self.priors, self.joint, strict=True)]
        parts = self._parts(self._vector(raw))
        found = jnp.concatenate([m(part) for m, part in zip(maps, parts, strict=True)])
        return jnp.where(self.free, found, 0.0)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density of the raw coefficients; without the Jacobian, of the natural ones."""
        vector = self._vector(value)
        maps = [biject_to(_real(p, j)) for p, j in zip(self.priors, self.joint, strict=True)]
        free = self._parts(self.free)
        natural = [m(part) for m, part in zip(maps, self._parts(vector), strict=True)]
        total = jnp.zeros(())
        if self.jacobian:
            total = total + self.log_volume
            if self.stretch is not None:
                total = total + jnp.sum(jnp.where(self.free, jnp.log(self.stretch), 0.0))
            for m, part, nat, f in zip(maps, self._parts(vector), natural, free, strict=True):
                volume = jnp.broadcast_to(m.log_abs_det_jacobian(part, nat), f.shape)
                total = total + jnp.sum(jnp.where(f, volume, 0.0))
        natural = [jnp.where(f, nat, 0.0) for f, nat in zip(free, natural, strict=True)]
        shift = self.lean @ jnp.concatenate(natural)
        first = jnp.arange(self.sizes[0])[:, None] == 0
        natural[0] = natural[0] + jnp.where(first, shift[None, :], 0.0)
        for prior, nat, f, joint in zip(self.priors, natural, free, self.joint, strict=True):
            if joint:
                total = total + jnp.sum(jnp.where(f.any(axis=0), prior.log_prob(nat.T), 0.0))
            else:
                total = total + jnp.sum(jnp.where(f, prior.log_prob(nat), 0.0))
        return total

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws raw coefficients whose natural ones follow the priors; one draw at a time."""
        neurons = self.location.shape[1]
        parts, maps = [], []
        for prior, size, joint, k in zip(
            self.priors, self.sizes, self.joint, jax.random.split(key, len(self.sizes)), strict=True
        ):
            maps.append(biject_to(_real(prior, joint)))
            if joint:
                parts.append(prior.sample(k, () if prior.batch_shape else (neurons,)).T)
            else:
                parts.append(prior.sample(k, () if prior.batch_shape else (size, neurons)))
        natural = jnp.where(self.free, jnp.concatenate(parts), 0.0)
        natural = natural.at[0].add(-(self.lean @ natural.at[0].set(0.0)))
        split = self._parts(natural)
        vector = jnp.concatenate([m.inv(nat) for m, nat in zip(maps, split, strict=True)])
        step = vector - self.location
        if self.stretch is not None:
            step = step / self.stretch
        if jnp.ndim(self.basis) == 2:
            raw = jnp.linalg.solve(self.basis, step)
        else:
            raw = jnp.linalg.solve(self.basis, step.T[..., None])[..., 0].T
        raw = raw / self.scale
        return raw if self.places is None else jnp.ravel(raw)[self.places]


def _real(prior: Any, joint: bool) -> Any:
    """The support of one coefficient; joint priors live on the whole space."""
    return constraints.real if joint else prior.support


class LocalScales(dist.Distribution):
    """Logarithms of the scales of a regularised horseshoe: one for the term, one for each coefficient.

    tau, lambda_j ~ HalfCauchy(1); the scale of coefficient j is s tau lambda_j, bounded by a slab c:

        c s tau lambda_j / sqrt(c^2 + (s tau lambda_j)^2)

    Source: Piironen and Vehtari (2017), Electron. J. Stat. 11:5018.
    """

    support = constraints.independent(constraints.real, 2)
    arg_constraints: dict[str, Any] = {}
    pytree_data_fields = ("scale", "slab")

    def __init__(self, scale: Any, slab: Any, event_shape: tuple[int, int]) -> None:
        self.scale, self.slab = scale, slab
        super().__init__((), event_shape, validate_args=False)

    def scales(self, raw: Any) -> Any:
        """Returns the scale of every coefficient, shape (coef, neuron)."""
        wide = self.scale * jnp.exp(raw[:1] + raw[1:])
        return self.slab / jnp.sqrt(1 + (self.slab / wide) ** 2)

    def log_prob(self, value: Any, intermediates: Any = None) -> Any:
        """Log density of the logarithms."""
        return jnp.sum(dist.HalfCauchy(1.0).log_prob(jnp.exp(value)) + value)

    def sample(self, key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
        """Draws logarithms."""
        return jnp.log(dist.HalfCauchy(1.0).sample(key, sample_shape + self.event_shape))
