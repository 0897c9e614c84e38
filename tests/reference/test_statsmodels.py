"""Maximum likelihood and robust errors against statsmodels, which only `ols` and `glm` use."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

import bayeszoo as bz

ROWS = 150
RNG = np.random.default_rng(7)
X, F = RNG.normal(size=ROWS), np.array(list("abc"))[np.arange(ROWS) % 3]
DESIGN = np.column_stack([np.ones(ROWS), X, F == "b", F == "c", X * (F == "b"), X * (F == "c")])
ETA = DESIGN @ [0.6, 0.25, -0.2, 0.3, 0.1, -0.15]
NAMES = ["Intercept", "x", "f[b]", "f[c]", "f:x[b]", "f:x[c]"]
TRIALS = RNG.integers(3, 20, ROWS)
L, F_ = sm.families.links, sm.families
RELATIVE = 5e-6
"""Relative to the standard errors."""


def cases():
    mean = np.exp(ETA)
    p = 1 / (1 + np.exp(-ETA))
    yes, wins = RNG.binomial(1, p), RNG.binomial(TRIALS, p)
    yield "normal", "identity", ETA + RNG.normal(size=ROWS), F_.Gaussian(L.Identity())
    yield "normal", "log", mean + RNG.normal(0, 0.3, ROWS), F_.Gaussian(L.Log())
    yield "gamma", "log", RNG.gamma(3, mean / 3), F_.Gamma(L.Log())
    yield "gamma", "identity", RNG.gamma(9, (4 + ETA) / 9), F_.Gamma(L.Identity())
    yield "exponential", "log", RNG.exponential(mean), F_.Gamma(L.Log())
    yield "inverse_gaussian", "log", RNG.wald(mean, 3.0), F_.InverseGaussian(L.Log())
    yield "poisson", "log", RNG.poisson(3 * mean), F_.Poisson(L.Log())
    yield "poisson", "identity", RNG.poisson(5 + ETA), F_.Poisson(L.Identity())
    for link, theirs in (("logit", L.Logit()), ("probit", L.Probit()), ("cloglog", L.CLogLog())):
        yield "bernoulli", link, yes, F_.Binomial(theirs)
        yield "binomial", link, wins, F_.Binomial(theirs)


CASES = {f"{family} {link}": rest for family, link, *rest in cases()}


def fit(name, y, method, **options):
    family, link = name.split()
    data = {"y": y, "x": X, "f": F, "t": TRIALS}
    response = "prop(y, t)" if family == "binomial" else "y"
    model = bz.Model(f"{response} ~ f * x", data, family=family, link=link)
    if method == "map":
        priors = {
            n: bz.Flat(low=0) if n in model.spec.scalars else bz.Flat() for n in model.spec.prior
        }
        model = bz.Model(f"{response} ~ f * x", data, family=family, link=link, priors=priors)
    return model.fit(method, progress=False, **options).summary()


@pytest.mark.parametrize("name", CASES)
def test_maximum_likelihood_of_every_family(name, ledger):
    y, family = CASES[name]
    target = np.column_stack([y, TRIALS - y]) if name.startswith("binomial") else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # links that are not canonical
        theirs = sm.GLM(target, DESIGN, family=family).fit(tol=1e-14, maxiter=500)
    for method in ("map", "glm"):
        table = fit(name, y, method)
        what = f"{name}, factor by number"
        ledger.relative(
            "statsmodels GLM", what, method, table.loc[NAMES, "mean"], theirs.params, RELATIVE,
            scale=theirs.bse,
        )  # fmt: skip
        if method == "glm":
            errors = table.loc[NAMES, "se"]
            if name.startswith("exponential"):  # whose scale is known to be 1
                errors = errors * theirs.scale**0.5
            ledger.relative(
                "statsmodels GLM", f"{what}: errors", method, errors, theirs.bse, RELATIVE
            )


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", None])
def test_robust_errors_of_least_squares(kind, ledger):
    y = ETA + RNG.normal(size=ROWS) * (0.5 + np.abs(X))
    theirs = sm.OLS(y, DESIGN).fit(cov_type=kind or "nonrobust")
    table = fit("normal identity", y, "ols", robust=kind)
    what = f"normal, errors {kind or 'classical'}"
    ledger.relative("statsmodels OLS", what, "ols", table.loc[NAMES, "se"], theirs.bse, 1e-9)
    low, high = sm.OLS(y, DESIGN).fit(cov_type=kind or "nonrobust", use_t=True).conf_int().T
    ledger.relative(
        "statsmodels OLS", f"{what}: intervals", "ols",
        table.loc[NAMES, ["lower", "upper"]].to_numpy().T, [low, high], 1e-9, scale=[theirs.bse] * 2,
    )  # fmt: skip


def minus_log_likelihood(name, y):
    mu = lambda b: np.exp(DESIGN @ b[:6])
    share = lambda b: 1 / (1 + np.exp(-DESIGN @ b[:6]))
    return {
        "negative_binomial": lambda b: (
            -stats.nbinom(np.exp(b[6]), 1 / (1 + mu(b) * np.exp(-b[6]))).logpmf(y)
        ),
        "lognormal": lambda b: (
            -stats.norm(np.log(mu(b)) - np.exp(2 * b[6]) / 2, np.exp(b[6])).logpdf(np.log(y))
        ),
        "inverse_gaussian": lambda b: (
            -stats.invgauss(mu(b) * np.exp(-b[6]), scale=np.exp(b[6])).logpdf(y)
        ),
        "gamma": lambda b: -stats.gamma(np.exp(b[6]), scale=mu(b) * np.exp(-b[6])).logpdf(y),
        "beta": lambda b: (
            -stats.beta(share(b) * np.exp(b[6]), (1 - share(b)) * np.exp(b[6])).logpdf(y)
        ),
        "student": lambda b: -stats.t(np.exp(b[7]), DESIGN @ b[:6], np.exp(b[6])).logpdf(y),
    }[name]


@pytest.mark.parametrize(
    ("name", "scalars"),
    [
        ("gamma log", ["alpha"]),
        ("lognormal log", ["sigma"]),
        pytest.param("negative_binomial log", ["alpha"], marks=pytest.mark.slow),
        pytest.param("inverse_gaussian log", ["lam"], marks=pytest.mark.slow),
        pytest.param("beta logit", ["kappa"], marks=pytest.mark.slow),
        pytest.param("student identity", ["sigma", "nu"], marks=pytest.mark.slow),
    ],
)
def test_maximum_likelihood_of_families_with_parameters(name, scalars, ledger):
    """The gradient of a log-likelihood written with SciPy, at our optimum, in Newton steps."""
    rng, mean = np.random.default_rng(5), np.exp(ETA)
    y = {
        "negative_binomial log": rng.poisson(rng.gamma(2, mean / 2)),
        "lognormal log": mean * rng.lognormal(-0.125, 0.5, ROWS),
        "inverse_gaussian log": rng.wald(mean, 3.0),
        "gamma log": rng.gamma(3, mean / 3),
        "beta logit": rng.beta(mean, 2.0),
        "student identity": ETA + rng.standard_t(3, ROWS),
    }[name]
    table = fit(name, y, "map")
    found = np.r_[table.loc[NAMES, "mean"], np.log(table.loc[scalars, "mean"])]
    each = minus_log_likelihood(name.split()[0], y)
    value = lambda b: each(b).sum()
    step = np.eye(len(found)) * 1e-4
    gradient = np.array([(value(found + a) - value(found - a)) / 2e-4 for a in step])
    bend = [[value(found + a + b) - value(found + a - b) - value(found - a + b) + value(found - a - b)
             for a in step] for b in step]  # fmt: skip
    covariance = np.linalg.inv(np.array(bend) / 4e-8)
    ledger.relative(
        "SciPy log-likelihood", f"{name}, factor by number", "map", covariance @ gradient, 0 * found,
        1e-4, scale=np.sqrt(np.diag(covariance)),
    )  # fmt: skip
