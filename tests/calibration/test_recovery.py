"""Parameter recovery: over 20 simulated data sets, 90 % intervals cover the truth 90 % of the time.

Every family, with and without group effects. Three cases run in the ordinary suite, all of them with
`make slow`. The data are simulated here, apart from the package's own simulation.
"""

import os

import numpy as np
import pytest
from scipy import stats

import bayeszoo as bz

REPEATS, ROWS, GROUPS = 20, 200, 20
FALSE_ALARM = 1e-4


def expit(eta):
    return 1 / (1 + np.exp(-eta))


def inverse_link(family, eta):
    if family in ("normal", "student"):
        return eta
    return expit(eta) if family in ("bernoulli", "binomial", "beta") else np.exp(eta)


# family -> (extra parameters, draws of y given the mean, slope, sd of groups)
FAMILIES = {
    "normal": ({"sigma": 0.8}, lambda r, m: r.normal(m, 0.8)),
    "student": ({"sigma": 0.8, "nu": 4.0}, lambda r, m: m + 0.8 * r.standard_t(4, m.shape)),
    "lognormal": ({"sigma": 0.6}, lambda r, m: m * np.exp(r.normal(-0.18, 0.6, m.shape))),
    "gamma": ({"alpha": 3.0}, lambda r, m: r.gamma(3.0, m / 3.0)),
    "exponential": ({}, lambda r, m: r.exponential(m)),
    "inverse_gaussian": ({"lam": 6.0}, lambda r, m: r.wald(m, 6.0)),
    "poisson": ({}, lambda r, m: r.poisson(m)),
    "negative_binomial": ({"alpha": 2.0}, lambda r, m: r.poisson(m * r.gamma(2.0, 0.5, m.shape))),
    "zero_inflated_poisson": ({"psi": 0.7}, lambda r, m: r.poisson(m) * (r.random(m.shape) < 0.7)),
    "bernoulli": ({}, lambda r, m: r.random(m.shape) < m),
    "binomial": ({}, lambda r, m: r.binomial(8, m)),
    "beta": ({"kappa": 10.0}, lambda r, m: np.clip(r.beta(10 * m, 10 * (1 - m)), 1e-9, 1 - 1e-9)),
}
QUICK = {("normal", True), ("gamma", True), ("poisson", False)}


def cases():
    for family in FAMILIES:
        for grouped in (False, True):
            marks = () if (family, grouped) in QUICK else pytest.mark.slow
            yield pytest.param(family, grouped, marks=marks, id=f"{family}-{'groups' * grouped}")


def simulate(family, grouped, seed):
    rng = np.random.default_rng([seed, 42])
    level = 1.2 if family in ("poisson", "negative_binomial", "zero_inflated_poisson") else 0.4
    truth = {"Intercept": level, "x": 0.5}
    x = rng.normal(size=ROWS)
    eta = level + 0.5 * x
    g = np.arange(ROWS) % GROUPS
    if grouped:
        truth["sd(1|g)"] = 0.6
        eta = eta + 0.6 * rng.normal(size=GROUPS)[g]
    extra, draw = FAMILIES[family]
    y = draw(rng, inverse_link(family, eta)).astype(float)
    return {"y": y, "x": x, "g": g, "n": np.full(ROWS, 8)}, truth | extra


def record(family, grouped, covered, total):
    """Appends to the table named by BAYESZOO_RESULTS, from which the documentation is made."""
    path = os.environ.get("BAYESZOO_RESULTS")
    if path:
        with open(path, "a") as file:
            file.write(f"{family},{'groups' if grouped else 'none'},{covered},{total}\n")


def model(family, grouped, data):
    left = "prop(y, n)" if family == "binomial" else "y"
    return bz.Model(f"{left} ~ x" + " + (1 | g)" * grouped, data, family=family)


@pytest.mark.parametrize(("family", "grouped"), list(cases()))
def test_intervals_cover_and_other_methods_agree(family, grouped):
    covered = total = 0
    nuts = []
    for seed in range(REPEATS):
        data, truth = simulate(family, grouped, seed)
        fit = model(family, grouped, data).fit(seed=seed, tune=500, draws=500, progress=False)
        table = fit.summary(prob=0.9)
        nuts.append(table)
        for name, value in truth.items():
            covered += table.loc[name, "lower"] < value < table.loc[name, "upper"]
            total += 1
    record(family, grouped, covered, total)
    low, high = stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], total, 0.9)
    assert low <= covered <= high, f"{covered} of {total} intervals cover"

    data, _ = simulate(family, grouped, 0)
    reference = nuts[0]
    for method, distance in (("map", 0.6), ("laplace", 0.6), ("svi", 0.4)):
        mean = model(family, grouped, data).fit(method, seed=1, progress=False).summary()["mean"]
        apart = np.abs(mean - reference["mean"]) / reference["sd"]
        skewed = [name for name in apart.index if name in ("nu", "sd(1|g)")]
        if "nu" in skewed:  # the scale of a t goes with its degrees of freedom
            skewed.append("sigma")
        assert (apart.drop(skewed) < distance).all(), (method, apart.to_dict())
        assert (apart[skewed] < 1.5).all(), (method, apart.to_dict())
