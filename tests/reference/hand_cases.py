"""Models that are unusual but legitimate, each with its linear predictor written out."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import BSpline

import bayeszoo as bz

from .hand import Case, Groups

ROWS = 36
RNG = np.random.default_rng(20261128)
X, Z = RNG.normal(1.0, 0.7, ROWS), RNG.uniform(-1, 1, ROWS)
A = np.array(list("abc"))[np.arange(ROWS) % 3]
B = np.array(list("uv"))[(np.arange(ROWS) // 3) % 2]
G = np.array([f"m{i}" for i in range(6)])[RNG.permutation(ROWS) % 6]
H = np.array([f"s{i}" for i in range(4)])[np.arange(ROWS) % 4]
T = RNG.integers(1, 9, ROWS).astype(float)
D: dict[str, Any] = {"x": X, "z": Z, "a": A, "b": B, "g": G, "h": H}
NUMBERS = RNG.normal(2.0, 1.0, ROWS)
COUNTS = RNG.poisson(2.5, ROWS).astype(float) * (RNG.random(ROWS) < 0.8)
YES = RNG.integers(0, 2, ROWS).astype(float)
SHARES = RNG.beta(2, 3, ROWS)
TIMES = RNG.gamma(2.0, 1.5, ROWS)
Y = {
    "normal": NUMBERS,
    "student": NUMBERS,
    "lognormal": TIMES,
    "gamma": TIMES,
    "exponential": TIMES,
    "inverse_gaussian": TIMES,
    "poisson": COUNTS,
    "negative_binomial": COUNTS,
    "zero_inflated_poisson": COUNTS,
    "bernoulli": YES,
    "beta": SHARES,
}
GI, HI = (np.unique(v, return_inverse=True)[1] for v in (G, H))
AI, BI = (np.unique(v, return_inverse=True)[1] for v in (A, B))
SLOPES = bz.Normal(0, 1)


def line(t, d):
    return t["Intercept"] + t["x"] * X


def centred(t, d):
    return t["x"] * X.mean()


def case(name, formula, family, eta, link="identity", **more):
    y = more.pop("y", Y.get(family))
    return Case(name, formula, family, eta, {**D, "y": y, **more.pop("data", {})}, y, link, **more)


def of_every_family():
    """Every family with every link, a slope and group effects, under default priors."""
    for family, links in {
        "normal": ("identity", "log"),
        "student": ("identity", "log"),
        "lognormal": ("log", "identity"),
        "gamma": ("log", "identity"),
        "exponential": ("log", "identity"),
        "inverse_gaussian": ("log", "identity"),
        "poisson": ("log", "identity"),
        "negative_binomial": ("log", "identity"),
        "zero_inflated_poisson": ("log",),
        "bernoulli": ("logit", "probit", "cloglog"),
        "beta": ("logit", "probit", "cloglog"),
    }.items():
        for link in links:
            name = f"{family} {link}"
            yield case(name, "y ~ x", family, line, link, centre=centred)
            if link != "identity" or family in ("normal", "student"):
                yield case(
                    f"{name} groups",
                    "y ~ x + (1 + x | g)",
                    family,
                    lambda t, d: line(t, d) + t["1|g"][GI] + t["x|g"][GI] * X,
                    link,
                    groups=(Groups(("1|g", "x|g"), ("sd(1|g)", "sd(x|g)"), "corr(g)"),),
                    centre=centred,
                )


def of_every_group_structure():
    """Group effects of every kind, on a normal response."""
    both = (Groups(("1|g",), ("sd(1|g)",)), Groups(("1|h",), ("sd(1|h)",)))
    crossed = lambda t, d: line(t, d) + t["1|g"][GI] + t["1|h"][HI]
    yield case(
        "crossed", "y ~ x + (1 | g) + (1 | h)", "normal", crossed, groups=both, centre=centred
    )
    yield case(
        "uncorrelated", "y ~ x + (x || g)", "normal",
        lambda t, d: line(t, d) + t["1|g"][GI] + t["x|g"][GI] * X,
        groups=(Groups(("1|g", "x|g"), ("sd(1|g)", "sd(x|g)")),), centre=centred,
    )  # fmt: skip
    yield case(
        "slope alone", "y ~ x + (0 + x | g)", "normal",
        lambda t, d: line(t, d) + t["x|g"][GI] * X,
        groups=(Groups(("x|g",), ("sd(x|g)",)),), centre=centred,
    )  # fmt: skip
    inner = np.array([f"{g}:{h}" for g, h in zip(G, H, strict=True)])
    at = np.unique(inner, return_inverse=True)[1]
    yield case(
        "interaction of groups", "y ~ x + (1 | g:h)", "normal",
        lambda t, d: line(t, d) + t["1|g:h"][at],
        groups=(Groups(("1|g:h",), ("sd(1|g:h)",)),), centre=centred,
    )  # fmt: skip
    yield case(
        "nested", "y ~ x + (1 | g / h)", "normal",
        lambda t, d: line(t, d) + t["1|g"][GI] + t["1|g:h"][at],
        groups=(Groups(("1|g",), ("sd(1|g)",)), Groups(("1|g:h",), ("sd(1|g:h)",))),
        centre=centred,
    )  # fmt: skip
    yield case(
        "factor varies", "y ~ x + (1 + b | g)", "normal",
        lambda t, d: line(t, d) + t["1|g"][GI] + t["b|g"][GI, 0] * (BI == 1),
        groups=(Groups(("1|g", "b|g"), ("sd(1|g)", "sd(b|g)"), "corr(g)"),), centre=centred,
    )  # fmt: skip
    yield case(
        "cells vary", "y ~ x + (0 + a | g)", "poisson",
        lambda t, d: line(t, d) + t["a|g"][GI, AI], "log",
        groups=(Groups(("a|g",), ("sd(a|g)",), "corr(g)"),), centre=centred,
    )  # fmt: skip
    for family, link in (("normal", "identity"), ("poisson", "log")):
        yield case(
            f"student groups {family}", "y ~ x + student(1 + x | g)", family,
            lambda t, d: line(t, d) + t["1|g"][GI] + t["x|g"][GI] * X, link,
            groups=(Groups(("1|g", "x|g"), ("sd(1|g)", "sd(x|g)"), "corr(g)", "nu(g)"),),
            centre=centred,
        )  # fmt: skip


def of_every_coding():
    """Factors, interactions, polynomials, splines, offsets."""
    yield case(
        "factor by number", "y ~ a * x", "normal",
        lambda t, d: line(t, d) + np.r_[0, t["a"]][AI] + np.r_[0, t["a:x"]][AI] * X,
        centre=lambda t, d: centred(t, d)
        + np.mean(np.r_[0, t["a"]][AI] + np.r_[0, t["a:x"]][AI] * X),
    )  # fmt: skip
    yield case("cell means", "y ~ 0 + a", "gamma", lambda t, d: t["a"][AI], "log")
    yield case(
        "cell means with slopes", "y ~ 0 + a + a:x", "normal",
        lambda t, d: t["a"][AI] + t["a:x"][AI] * X,
    )  # fmt: skip
    yield case(
        "sum contrasts", "y ~ C(a, contr.sum)", "normal",
        lambda t, d: t["Intercept"] + np.array([[1, 0], [0, 1], [-1, -1.0]])[AI]
        @ t["C(a, contr.sum)"],
    )  # fmt: skip
    exact = {"Intercept": bz.Normal(0, 2), "x": SLOPES}
    yield case(
        "offset", "y ~ x + offset(log(w))", "poisson",
        lambda t, d: line(t, d) + np.log(d["w"]), "log", data={"w": T}, priors=exact,
    )  # fmt: skip
    yield case(
        "product", "y ~ x * z", "student",
        lambda t, d: line(t, d) + t["z"] * Z + t["x:z"] * X * Z,
        priors={**exact, "z": SLOPES, "x:z": bz.StudentT(3, 0, 1)},
    )  # fmt: skip
    yield case(
        "arithmetic", "y ~ I(x ** 2) + log(w)", "bernoulli",
        lambda t, d: t["Intercept"] + t["I(x ** 2)"] * X**2 + t["log(w)"] * np.log(d["w"]),
        "logit", data={"w": T}, priors={"Intercept": bz.Normal(0, 2)},
    )  # fmt: skip
    q = np.linalg.qr(np.vander(X - X.mean(), 4, increasing=True))
    poly = q[0][:, 1:] * np.sign(np.diag(q[1])[1:])
    yield case(
        "polynomial", "y ~ poly(x, 3)", "normal",
        lambda t, d: t["Intercept"] + poly @ t["poly(x, 3)"],
    )  # fmt: skip
    inner = np.quantile(X, [1 / 3, 2 / 3])
    knots = np.r_[[X.min()] * 4, inner, [X.max()] * 4]
    spline = BSpline.design_matrix(np.sort(X), knots, 3).toarray()[np.argsort(np.argsort(X)), 1:]
    yield case(
        "spline", "y ~ bs(x, df=5)", "normal",
        lambda t, d: t["Intercept"] + spline @ t["bs(x, df=5)"],
        priors={"Intercept": bz.Normal(0, 3)},
    )  # fmt: skip


def of_every_response():
    """Weights, censoring, known errors, proportions, transformed responses, modelled parameters."""
    weights = RNG.integers(0, 4, ROWS).astype(float)
    for family, link in (
        ("normal", "identity"), ("student", "identity"), ("poisson", "log"), ("beta", "logit"),
        ("negative_binomial", "log"), ("zero_inflated_poisson", "log"), ("gamma", "log"),
    ):  # fmt: skip
        yield case(
            f"weighted {family}", "weighted(y, w) ~ x", family, line, link,
            data={"w": weights}, weight=weights,
            priors={"Intercept": bz.Normal(0, 2), "x": SLOPES},
        )  # fmt: skip
    status = RNG.integers(-1, 2, ROWS)
    for family, link in (
        ("normal", "identity"), ("lognormal", "log"), ("gamma", "log"), ("exponential", "log"),
        ("poisson", "log"), ("inverse_gaussian", "log"),
    ):  # fmt: skip
        yield case(
            f"censored {family}", "censored(y, s) ~ x", family, line, link, data={"s": status},
            extra=lambda t, d: {"status": status},
            priors={"Intercept": bz.Normal(0, 2), "x": SLOPES},
        )  # fmt: skip
    se = RNG.uniform(0.3, 2.0, ROWS)
    for family in ("normal", "student"):
        yield case(
            f"measured {family}", "measured(y, se) ~ x + (1 | g)", family,
            lambda t, d: line(t, d) + t["1|g"][GI], data={"se": se},
            extra=lambda t, d: {"sigma": se}, groups=(Groups(("1|g",), ("sd(1|g)",)),),
            priors={"Intercept": bz.Normal(1, 2)},
        )  # fmt: skip
    wins = RNG.binomial(T.astype(int), 0.4).astype(float)
    for link in ("logit", "probit", "cloglog"):
        yield case(
            f"binomial {link}", "prop(n, t) ~ x + (1 | g)", "binomial",
            lambda t, d: line(t, d) + t["1|g"][GI], link, y=wins, data={"n": wins, "t": T},
            extra=lambda t, d: {"trials": T}, groups=(Groups(("1|g",), ("sd(1|g)",)),),
            centre=centred,
        )  # fmt: skip
    logged = case("log response", "log(y) ~ x", "normal", line, y=np.log(TIMES), centre=centred)
    yield Case(**{**logged.__dict__, "data": {**D, "y": TIMES}})
    for family, link, name, inverse in (
        ("normal", "identity", "sigma", np.exp), ("student", "identity", "nu", np.exp),
        ("gamma", "log", "alpha", np.exp), ("beta", "logit", "kappa", np.exp),
        ("negative_binomial", "log", "alpha", np.exp),
        ("zero_inflated_poisson", "log", "psi", lambda v: 1 / (1 + np.exp(-v))),
        ("inverse_gaussian", "log", "lam", np.exp), ("lognormal", "log", "sigma", np.exp),
    ):  # fmt: skip
        yield case(
            f"modelled {name} of {family}", f"y ~ x\n{name} ~ b + (1 | h)", family, line, link,
            extra=lambda t, d, n=name, f=inverse: {
                n: f(t[f"{n}_Intercept"] + t[f"{n}_b"][0] * (BI == 1) + t[f"{n}_1|h"][HI])
            },
            groups=(Groups((f"{name}_1|h",), (f"sd({name}_1|h)",)),),
            priors={"Intercept": bz.Normal(0, 2), f"{name}_Intercept": bz.Normal(0, 1)},
        )  # fmt: skip


CASES = {
    each.name: each
    for maker in (of_every_family, of_every_group_structure, of_every_coding, of_every_response)
    for each in maker()
}
