"""The kinds of priors: their arguments, and their NumPyro distributions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpyro.distributions as dist

from .distributions import Beta as BetaDistribution
from .distributions import Flat as FlatDistribution
from .distributions import HalfStudentT as HalfStudentTDistribution
from .penalties import ElasticNet, GroupNorm, Smooth, smooth_numbers


@dataclass(frozen=True)
class Kind:
    """A kind of prior: its arguments with defaults (None: required), and its NumPyro form.

    Attributes:
        name: its name.
        arguments: (name, default) in order.
        build: (numbers) -> the NumPyro distribution.
        positive: arguments that are positive.
        unbounded: whether its arguments may be infinite.
        of_correlation: whether it is one of a correlation matrix.
        bind: (facts of the term, arguments) -> numbers, where these depend on the data.
        relative: whether it is measured in units of the family's loss.
        joint: whether it is about all coefficients of a term together.
        parts: whether it treats the parts of a term (one for each series filtered) apart.
        local: whether every coefficient has a scale of its own, which is sampled.
        penalty: (numbers) -> minus the log density as parts of a penalty: `precision` and `centre`,
            `absolute`, `group_weight`, `smooth`; None where it is none of these.
        normal: (numbers) -> centre and precision, where it is normal, or flat on the whole line.
    """

    name: str
    arguments: tuple[tuple[str, float | None], ...]
    build: Callable[..., Any]
    positive: tuple[str, ...] = ()
    unbounded: bool = False
    of_correlation: bool = False
    bind: Callable[..., dict[str, Any]] | None = None
    relative: bool = False
    joint: bool = False
    parts: bool = False
    local: bool = False
    penalty: Callable[..., dict[str, Any] | None] | None = None
    normal: Callable[..., tuple[Any, Any]] | None = None


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "Normal",
            (("loc", 0.0), ("scale", 1.0)),
            dist.Normal,
            ("scale",),
            penalty=lambda loc, scale: {"precision": scale**-2.0, "centre": loc},
            normal=lambda loc, scale: (loc, scale**-2.0),
        ),
        Kind("HalfNormal", (("scale", 1.0),), dist.HalfNormal, ("scale",)),
        Kind(
            "StudentT",
            (("df", None), ("loc", 0.0), ("scale", 1.0)),
            dist.StudentT,
            ("df", "scale"),
        ),
        Kind(
            "HalfStudentT",
            (("df", None), ("scale", 1.0)),
            HalfStudentTDistribution,
            ("df", "scale"),
        ),
        Kind("Cauchy", (("loc", 0.0), ("scale", 1.0)), dist.Cauchy, ("scale",)),
        Kind("HalfCauchy", (("scale", 1.0),), dist.HalfCauchy, ("scale",)),
        Kind(
            "Laplace",
            (("loc", 0.0), ("scale", 1.0)),
            dist.Laplace,
            ("scale",),
            penalty=lambda loc, scale: None if np.any(loc) else {"absolute": 1 / scale},
        ),
        Kind("Exponential", (("rate", 1.0),), dist.Exponential, ("rate",)),
        Kind(
            "Gamma", (("concentration", None), ("rate", 1.0)), dist.Gamma, ("concentration", "rate")
        ),
        Kind(
            "InverseGamma",
            (("concentration", None), ("rate", 1.0)),
            dist.InverseGamma,
            ("concentration", "rate"),
        ),
        Kind("LogNormal", (("loc", 0.0), ("scale", 1.0)), dist.LogNormal, ("scale",)),
        Kind(
            "Beta",
            (("concentration1", None), ("concentration0", None)),
            BetaDistribution,
            ("concentration1", "concentration0"),
        ),
        Kind("Uniform", (("low", 0.0), ("high", 1.0)), dist.Uniform),
        Kind(
            "Flat",
            (("low", -np.inf), ("high", np.inf)),
            FlatDistribution,
            unbounded=True,
            penalty=lambda low, high: None if np.isfinite([low, high]).any() else {},
            normal=lambda low, high: (0.0, 0.0),
        ),
        Kind("LKJ", (("eta", 1.0),), lambda eta: eta, ("eta",), of_correlation=True),
        Kind(
            "Ridge",
            (("strength", None),),
            lambda scale, unit=1.0: dist.Normal(0.0, scale / unit**0.5),
            ("strength",),
            bind=lambda facts, strength: {"scale": (facts.rows * np.asarray(strength)) ** -0.5},
            relative=True,
            penalty=lambda scale: {"precision": scale**-2.0},
        ),
        Kind(
            "Lasso",
            (("strength", None),),
            lambda scale, unit=1.0: dist.Laplace(0.0, scale / unit),
            ("strength",),
            bind=lambda facts, strength: {"scale": 1 / (facts.rows * np.asarray(strength))},
            relative=True,
            penalty=lambda scale: {"absolute": 1 / scale},
        ),
        Kind(
            "ElasticNet",
            (("strength", None), ("ratio", 0.5)),
            lambda absolute, precision, unit=1.0: ElasticNet(absolute * unit, precision * unit),
            ("strength",),
            bind=lambda facts, strength, ratio: {
                "absolute": facts.rows * np.multiply(strength, ratio),
                "precision": facts.rows * np.multiply(strength, np.subtract(1.0, ratio)),
            },
            relative=True,
            penalty=lambda absolute, precision: {"absolute": absolute, "precision": precision},
        ),
        Kind(
            "GroupLasso",
            (("strength", None),),
            lambda rate, unit=1.0, parts=1, size=1: GroupNorm(rate * unit, parts, size),
            ("strength",),
            bind=lambda facts, strength: {
                "rate": facts.rows * np.asarray(strength) * (facts.size / facts.sources) ** 0.5
            },
            relative=True,
            joint=True,
            parts=True,
            penalty=lambda rate: {"group_weight": rate},
        ),
        Kind(
            "Smooth",
            (("scale", None), ("order", 2.0), ("ridge", 1e-4)),
            Smooth,
            ("scale", "order", "ridge"),
            bind=lambda facts, scale, order, ridge: smooth_numbers(scale, order, ridge, facts),
            joint=True,
            penalty=lambda precision, root: {"smooth": precision},
        ),
        Kind(
            "Horseshoe",
            (("scale", 1.0), ("slab", 2.5)),
            lambda scale, slab: dist.Normal(0.0, scale),
            ("scale", "slab"),
            local=True,
        ),
    )
}
