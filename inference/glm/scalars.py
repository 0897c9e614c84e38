"""The scalars of a family on the unconstrained scale, and their prior."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...zoo.links import LINKS
from ..programs import double_precision, program
from .problem import GlmProblem


class Scalars:
    """Maps between natural and unconstrained scalars, and minus the log prior of the latter."""

    def __init__(self, problem: GlmProblem) -> None:
        self._links = [LINKS[problem.family.parameter(name).link] for name in problem.scalars]
        self._prior, self._neurons = problem.scalar_prior, problem.neurons
        maps, jacobian = [link.inverse for link in self._links], problem.jacobian
        density = self._prior.log_density
        names = tuple(link.name for link in self._links)
        self._key = f"{self._prior.key} {names} {jacobian}"

        def single(raw: Any, numbers: Any) -> Any:
            pairs = [jax.value_and_grad(m)(r) for m, r in zip(maps, raw, strict=True)]
            total = density(jnp.stack([natural for natural, _ in pairs]), numbers)
            if jacobian:
                total = total + sum(jnp.log(slope) for _, slope in pairs)
            return -total

        def every(raw: Any, numbers: Any) -> Any:
            value, gradient = jax.vmap(jax.value_and_grad(single))(raw, numbers)
            return value, gradient, jax.vmap(jax.hessian(single))(raw, numbers)

        self._function = every

    def natural(self, raw: np.ndarray) -> np.ndarray:
        """Returns natural scalars, shape (scalar, neuron)."""
        with double_precision():
            rows = [np.asarray(link.inverse(r)) for link, r in zip(self._links, raw, strict=True)]
        return np.array(rows).reshape(raw.shape)

    def raw(self, natural: np.ndarray) -> np.ndarray:
        """Returns unconstrained scalars, shape (scalar, neuron)."""
        rows = [link.forward(s) for link, s in zip(self._links, natural, strict=True)]
        return np.array(rows).reshape(natural.shape)

    def prior(
        self, raw: np.ndarray, index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns minus the log prior (n,), gradient (scalar, n), Hessian (scalar, scalar, n)."""
        k, n = raw.shape
        if not k:
            return np.zeros(n), np.zeros((0, n)), np.zeros((0, 0, n))
        everybody = np.zeros((self._neurons, k))
        everybody[index] = raw.T
        arguments = (everybody, self._prior.numbers)
        compiled = program("glm_scalar_prior", self._key, self._function, arguments)
        with double_precision():
            value, gradient, hessian = compiled(*arguments)
        hessian = np.moveaxis(np.asarray(hessian)[index], 0, 2)
        return np.asarray(value)[index], np.asarray(gradient)[index].T, hessian
