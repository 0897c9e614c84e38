"""Link functions: the scale on which effects add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr

from ..errors import FamilyError, listing, nearest, shown


@dataclass(frozen=True)
class Link:
    """A monotone increasing map g from a parameter to the linear predictor.

    Attributes:
        name: its name.
        forward: g, for numpy arrays.
        inverse: g^-1, for JAX arrays.
        slope: d g^-1(eta) / d eta as a function of mu, for numpy arrays.
        equation: g(mu) for printing.
        working: (y, mean) -> responses moved to the scale of the link, roughly, for first guesses;
            by default one linear step from the mean.
        linear: whether the parameter is the linear predictor itself.
        bounds: the open interval of values that g takes.
    """

    name: str
    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    equation: str
    working: Callable[[Any, float], Any] | None = None
    linear: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)

    def work(self, y: Any, mean: float) -> Any:
        """Returns responses on the scale of the link, about 0 at the mean."""
        if self.working is not None:
            return self.working(y, mean)
        return (y - mean) / (float(np.asarray(self.slope(np.asarray(mean)))) or 1.0)


def _log_working(y: Any, mean: float) -> Any:
    """log of y over its mean; a tenth of the mean keeps zeros finite."""
    return np.log((np.maximum(y / mean, 0.0) + 0.1) / 1.1)


def _logit(mu: Any) -> Any:
    return np.log(mu) - np.log1p(-np.asarray(mu))


def _probit(mu: Any) -> Any:
    from scipy.special import ndtri

    return ndtri(mu)


def _cloglog(mu: Any) -> Any:
    return np.log(-np.log1p(-np.asarray(mu)))


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link(
            "identity",
            lambda mu: mu,
            lambda eta: eta,
            lambda mu: np.ones_like(mu),
            "mu",
            linear=True,
            bounds=(-np.inf, np.inf),
        ),
        Link("log", np.log, jnp.exp, lambda mu: mu, "log(mu)", _log_working, bounds=(0.0, np.inf)),
        Link("logit", _logit, jax.nn.sigmoid, lambda mu: mu * (1 - mu), "logit(mu)"),
        Link(
            "probit",
            _probit,
            ndtr,
            lambda mu: np.exp(-0.5 * _probit(mu) ** 2) / np.sqrt(2 * np.pi),
            "probit(mu)",
        ),
        Link(
            "cloglog",
            _cloglog,
            lambda eta: -jnp.expm1(-jnp.exp(eta)),
            lambda mu: -(1 - mu) * np.log1p(-np.asarray(mu)),
            "cloglog(mu)",
        ),
    )
}


def find_link(name: str, allowed: tuple[str, ...], family: str) -> Link:
    """Returns the link of a name.

    Raises:
        FamilyError: the family does not take it.
    """
    if not isinstance(name, str) or name not in allowed:
        found = f"`{name}`" if isinstance(name, str) else shown(name)
        raise FamilyError(
            f"family `{family}` has no link {found}.{nearest(str(name), allowed)} "
            f"Links of this family: {listing(allowed)}."
        )
    return LINKS[name]
