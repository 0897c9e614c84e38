"""Posterior densities written by hand with SciPy, to which the compiled model is compared.

Each case spells out its linear predictor from the raw columns. Nothing of bayeszoo is used here but
names of parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special, stats

LINKS = {
    "identity": lambda eta: eta,
    "log": np.exp,
    "logit": special.expit,
    "probit": stats.norm.cdf,
    "cloglog": lambda eta: -np.expm1(-np.exp(eta)),
}

FAMILIES: dict[str, Callable[..., Any]] = {
    "normal": lambda mu, p: stats.norm(mu, p["sigma"]),
    "student": lambda mu, p: stats.t(p["nu"], mu, p["sigma"]),
    "lognormal": lambda mu, p: stats.lognorm(
        p["sigma"], scale=mu * np.exp(-(np.asarray(p["sigma"]) ** 2) / 2)
    ),
    "gamma": lambda mu, p: stats.gamma(p["alpha"], scale=mu / p["alpha"]),
    "exponential": lambda mu, p: stats.expon(scale=mu),
    "inverse_gaussian": lambda mu, p: stats.invgauss(mu / p["lam"], scale=p["lam"]),
    "poisson": lambda mu, p: stats.poisson(mu),
    "negative_binomial": lambda mu, p: stats.nbinom(p["alpha"], p["alpha"] / (p["alpha"] + mu)),
    "bernoulli": lambda mu, p: stats.bernoulli(mu),
    "binomial": lambda mu, p: stats.binom(p["trials"].astype(int), mu),
    "beta": lambda mu, p: stats.beta(mu * p["kappa"], (1 - mu) * p["kappa"]),
}


def log_rows(family: str, y: Any, mu: Any, p: Mapping[str, Any]) -> Any:
    """Log density of every row."""
    if family == "zero_inflated_poisson":
        with np.errstate(divide="ignore"):
            return np.log(p["psi"] * stats.poisson(mu).pmf(y) + (1 - p["psi"]) * (y == 0))
    law = FAMILIES[family](mu, p)
    log = law.logpdf if hasattr(law.dist, "logpdf") else law.logpmf
    if "status" not in p:
        return log(y)
    status = p["status"]
    return np.where(status == 0, log(y), np.where(status > 0, law.logsf(y), law.logcdf(y)))


PRIORS: dict[str, Callable[..., Any]] = {
    "Normal": lambda x, loc, scale: stats.norm(loc, scale).logpdf(x),
    "StudentT": lambda x, df, loc, scale: stats.t(df, loc, scale).logpdf(x),
    "HalfNormal": lambda x, scale: stats.halfnorm(scale=scale).logpdf(x),
    "HalfStudentT": lambda x, df, scale: np.log(2) + stats.t(df, 0, scale).logpdf(x),
    "HalfCauchy": lambda x, scale: stats.halfcauchy(scale=scale).logpdf(x),
    "Exponential": lambda x, rate: stats.expon(scale=1 / rate).logpdf(x),
    "Gamma": lambda x, a, rate: stats.gamma(a, scale=1 / rate).logpdf(x),
    "LogNormal": lambda x, loc, scale: stats.lognorm(scale, scale=np.exp(loc)).logpdf(x),
    "Beta": lambda x, a, b: stats.beta(a, b).logpdf(x),
    "Flat": lambda x, *_: np.zeros_like(x),
    "LKJ": lambda x, eta: (eta - 1) * np.linalg.slogdet(x)[1],
}


@dataclass(frozen=True)
class Groups:
    """A group term: what varies, by whom, and how."""

    effects: tuple[str, ...]
    sds: tuple[str, ...]
    corr: str | None = None
    nu: str | None = None

    def log_density(self, theta: Mapping[str, Any]) -> float:
        """Of the effects given their spread: normal, or a multivariate t."""
        joined = [np.atleast_2d(theta[name].T).T for name in self.effects]
        u = np.hstack(joined)
        sd = np.concatenate([np.atleast_1d(theta[name]) for name in self.sds])
        corr = np.eye(len(sd)) if self.corr is None else theta[self.corr]
        scale = sd[:, None] * corr * sd
        if self.nu is None:
            return stats.multivariate_normal(np.zeros(len(sd)), scale).logpdf(u).sum()
        return stats.multivariate_t(np.zeros(len(sd)), scale, theta[self.nu]).logpdf(u).sum()


@dataclass(frozen=True)
class Case:
    """A model, and its density by hand.

    Attributes:
        name: what is unusual about it.
        formula: as bayeszoo is told.
        family: of the response.
        eta: (parameters, data) -> linear predictor of the mean.
        data: columns.
        y: the response.
        link: of the mean.
        groups: group terms.
        extra: (parameters, data) -> parameters of the family that are not parameters of the model.
        priors: printed name -> prior, as given to bayeszoo.
        weight: the weights of the rows.
        centre: (parameters, data) -> what is added to `Intercept` before its default prior.
        options: further arguments of `bz.Model`.
    """

    name: str
    formula: str
    family: str
    eta: Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
    data: Mapping[str, Any]
    y: Any
    link: str = "identity"
    groups: tuple[Groups, ...] = ()
    extra: Callable[[Any, Any], Mapping[str, Any]] = lambda t, d: {}
    priors: Mapping[str, Any] = field(default_factory=dict)
    weight: Any = 1.0
    centre: Callable[[Any, Any], Any] = lambda t, d: 0.0
    options: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, theta: Mapping[str, Any]) -> Any:
        """Log likelihood of every row, weights included."""
        mu = LINKS[self.link](self.eta(theta, self.data))
        p = {**theta, **self.extra(theta, self.data)}
        return self.weight * log_rows(self.family, self.y, mu, p)

    def log_posterior(self, theta: Mapping[str, Any], priors: Mapping[str, Any]) -> float:
        """Up to a constant; `priors` are (name, numbers) by printed name."""
        total = np.sum(self.rows(theta)) + sum(g.log_density(theta) for g in self.groups)
        for name, (kind, numbers) in priors.items():
            value = theta[name]
            if name == "Intercept":
                value = value + self.centre(theta, self.data)
            total += np.sum(PRIORS[kind](value, *numbers))
        return float(total)
