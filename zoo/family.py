"""What a family of response distributions is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FamilyError, listing, nearest, offenders
from .priors import Prior

Draw = Callable[[np.random.Generator, np.ndarray, Mapping[str, Any], Mapping[str, Any]], Any]
Kernel = Callable[[Any, Any, Mapping[str, Any], Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Support:
    """The values that a response may take.

    Attributes:
        name: a short name.
        words: the values in words.
        holds: values -> boolean array.
        labels: whether two labels stand for 0 and 1.
    """

    name: str
    words: str
    holds: Callable[[np.ndarray], np.ndarray]
    labels: bool = False


REAL = Support("real", "real numbers", np.isfinite)
POSITIVE = Support("positive", "numbers > 0", lambda y: y > 0)
COUNT = Support("count", "whole numbers >= 0", lambda y: (y >= 0) & (y == np.floor(y)))
BINARY = Support(
    "binary",
    "0 and 1 (or False and True, or two labels)",
    lambda y: (y == 0) | (y == 1),
    labels=True,
)
UNIT = Support("unit", "numbers strictly between 0 and 1", lambda y: (y > 0) & (y < 1))


@dataclass(frozen=True)
class Summary:
    """What default priors need to know of a response.

    Attributes:
        mean: the mean of the response (of successes over trials where there are trials).
        variance: its variance.
        location: the link of the mean, offsets subtracted.
        scale: the spread on the scale of the link: the standard deviation, or 1 for other links.
        information: expected information about the linear predictor in one row.
    """

    mean: float
    variance: float
    location: float
    scale: float
    information: float


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family beside its mean.

    Attributes:
        name: its name in formulas, priors and results.
        link: the link where a formula models it.
        prior: the default prior from the data's summary.
        guess: a plausible value from the data's summary.
        story: what it means.
    """

    name: str
    link: str
    prior: Callable[[Summary], Prior]
    guess: Callable[[Summary], float]
    story: str


@dataclass(frozen=True)
class Family:
    """A family of response distributions, as one constant.

    Attributes:
        name: its name.
        equation: the distribution in mathematics.
        support: the values that a response may take.
        links: the links of the mean, the default first.
        distribution: (mu, parameters, extras) -> a NumPyro distribution.
        draw: (NumPy generator, mu, parameters, extras) -> new responses of the shape of mu, NumPy being
            much the quicker; NumPyro's sampler where it is None.
        parameters: the parameters beside the mean.
        aliases: further names.
        mean: (mu, parameters, extras) -> the mean of the response; mu itself by default.
        extras: what may be known beside the response: `trials`, `standard_error`, ...
        required: what must be known beside the response.
        known_scale: the parameter that a known standard error replaces.
        dispersion: whether the spread of one row is free, so that an effect for each row is not
            identified beside it.
        loss_unit: parameters -> what the loss of penalised regression (squared errors, unit deviance)
            is multiplied by in the log-likelihood, for priors that are penalties; 1 if None.
        kernels: (link, (eta, y, parameters, extras) -> log density) pairs, where the density can be
            written in the linear predictor more cheaply, or more exactly far out, than by
            `distribution`; terms of y alone are left out.
        glm: the name of statsmodels' family class for the frequentist twin; None if it has none.
        story: when to use it.
        source: a citation.
    """

    name: str
    equation: str
    support: Support
    links: tuple[str, ...]
    distribution: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Any]
    draw: Draw | None = None
    parameters: tuple[Parameter, ...] = ()
    aliases: tuple[str, ...] = ()
    mean: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Any] = lambda mu, _, __: mu
    extras: tuple[str, ...] = ("weights", "status")
    required: tuple[str, ...] = ()
    known_scale: str | None = None
    dispersion: bool = False
    loss_unit: Callable[[Mapping[str, Any]], Any] | None = None
    kernels: tuple[tuple[str, Kernel], ...] = ()
    glm: str | None = None
    least_squares: bool = False
    story: str = ""
    source: str = ""

    def parameter(self, name: str) -> Parameter:
        """Returns a parameter by name.

        Raises:
            FamilyError: the family has no such parameter.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        names = [parameter.name for parameter in self.parameters]
        known = f"It has {listing(names)}." if names else "It has none beside its mean."
        raise FamilyError(
            f"family `{self.name}` has no parameter `{name}` to model.{nearest(name, names)} {known}"
        )

    def check(
        self,
        y: np.ndarray,
        response: str,
        rows: np.ndarray,
        others: Mapping[str, Family],
        neurons: Any = None,
    ) -> None:
        """Checks that a response lies in the support; `neurons` labels the columns of several.

        Raises:
            FamilyError: with the count, the first offenders, and families that would fit.
        """
        outside = ~self.support.holds(y)
        if not outside.any():
            return
        values = y[outside]
        bad = np.nonzero(outside)
        where = rows[bad[0]].tolist()
        if neurons is not None:
            which = [neurons.labels[i] for i in bad[1][:3]]
            where = [f"{r}, {neurons.dim} {n}" for r, n in zip(where, which, strict=False)]
        fitting = [
            name
            for name, family in others.items()
            if name == family.name and family.support.holds(y).all() and not family.required
        ]
        hint = f" Families for such values: {listing(fitting)}." if fitting else ""
        raise FamilyError(
            f"family `{self.name}` needs {self.support.words}, but `{response}` has {len(values):,} of "
            f"{y.size:,} values that are not ({offenders(where, values.tolist())}).{hint}"
        )
