"""Posteriors by every sampler against closed forms and quadrature, by z-tests."""

import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import special, stats

import bayeszoo as bz

from .hand import PRIORS, log_rows
from .quadrature import LEVELS, Axis, integrate, z_of, z_scores

RNG = np.random.default_rng(11)
N = 14
GAMMA, COUNTS = RNG.gamma(2.0, 1.5, N), RNG.poisson(RNG.gamma(2.0, 1.5, N)).astype(float)
X = RNG.normal(size=N)
G = np.arange(N) // 3
PRIOR = bz.Normal(0.5, 1.5)


def draws_of(fit):
    return {name: v.to_numpy() for name, v in fit.idata.posterior.data_vars.items() if v.ndim == 2}


def judged(ledger, model, exact, what, reference="quadrature", seed=1, **options):
    fit = model.fit("nuts", seed=seed, progress=False, **options)
    ledger.sampled(reference, what, "nuts", z_scores(draws_of(fit), exact))


ALONE = {
    # family: response, link, scalars with their grids, prior of the scalars
    "normal": (X + 1, lambda e: e, {"sigma": Axis(-1.5, 2)}, bz.Exponential(1)),
    "lognormal": (GAMMA, np.exp, {"sigma": Axis(-2, 2)}, bz.Exponential(1)),
    "gamma": (GAMMA, np.exp, {"alpha": Axis(-2.5, 4)}, bz.Gamma(2, 0.5)),
    "inverse_gaussian": (GAMMA, np.exp, {"lam": Axis(-3, 5)}, bz.Gamma(2, 0.5)),
    "negative_binomial": (COUNTS, np.exp, {"alpha": Axis(-6, 5)}, bz.Gamma(2, 0.5)),
    "zero_inflated_poisson": (COUNTS, np.exp, {"psi": Axis(-6, 14)}, bz.Beta(2, 2)),
    "beta": (GAMMA / (1 + GAMMA), special.expit, {"kappa": Axis(-2, 5)}, bz.Gamma(2, 0.2)),
    "student": (X + 1, lambda e: e, {"sigma": Axis(-4, 3, 101), "nu": Axis(-7, 5, 101)},
                bz.LogNormal(0, 0.5)),
    "poisson": (COUNTS, np.exp, {}, None),
    "exponential": (GAMMA, np.exp, {}, None),
    "bernoulli": ((X > 0) * 1.0, special.expit, {}, None),
}  # fmt: skip
QUICK = ("gamma",)


@pytest.mark.parametrize(
    "family", [pytest.param(f, marks=() if f in QUICK else pytest.mark.slow) for f in ALONE]
)
def test_one_mean_of_every_family(family, ledger):
    y, inverse, scalars, prior = ALONE[family]
    kind = "logit" if family == "zero_inflated_poisson" else "log"
    axes = {"Intercept": Axis(-8, 12, 181)}
    axes |= {name: Axis(a.low, a.high, a.points, kind) for name, a in scalars.items()}

    def density(theta):
        wide = {name: np.asarray(value)[..., None] for name, value in theta.items()}
        total = log_rows(family, y, inverse(wide["Intercept"]), wide).sum(axis=-1)
        total = total + PRIORS["Normal"](theta["Intercept"], 0.5, 1.5)
        for name in scalars:
            total = total + PRIORS[prior.name](theta[name], *[v for _, v in prior.arguments])
        return total

    priors = {"Intercept": PRIOR, **dict.fromkeys(scalars, prior)}
    model = bz.Model("y ~ 1", {"y": y}, family=family, priors=priors)
    judged(ledger, model, integrate(density, axes), f"{family}: y ~ 1, {N} rows")


@pytest.mark.parametrize(
    ("law", "kind", "low", "high"),
    [
        (stats.norm(0.3, 0.2), "real", -8, 12),
        (stats.gamma(3, scale=0.1), "log", -12, 4),
        (stats.beta(3, 90), "logit", -12, 6),
    ],
)
def test_quadrature_itself(law, kind, low, high):
    """On grids as coarse as those here: a step of half a standard deviation."""
    axis = Axis(low, high, 181, kind)
    found = integrate(lambda theta: law.logpdf(theta["a"]), {"a": axis})["a"]
    at = axis.natural(found.places)[0]
    np.testing.assert_allclose(found.below, law.cdf(at), atol=5e-6)
    wanted = law.expect(axis.coordinate, epsabs=1e-12)
    np.testing.assert_allclose(found.mean, wanted, atol=1e-7)


def test_logistic_regression_in_two_dimensions(ledger):
    y = np.array([0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1.0])

    def density(theta):
        eta = theta["Intercept"][..., None] + theta["x"][..., None] * X
        rows = log_rows("bernoulli", y, special.expit(eta), {}).sum(axis=-1)
        return (
            rows
            + stats.norm(0, 1.5).logpdf(theta["Intercept"])
            + stats.t(4, 0, 1).logpdf(theta["x"])
        )

    exact = integrate(density, {"Intercept": Axis(-7, 7), "x": Axis(-9, 12, 261)})
    priors = {"Intercept": bz.Normal(0, 1.5), "x": bz.StudentT(4, 0, 1)}
    model = bz.Model("y ~ x", {"y": y, "x": X}, family="bernoulli", priors=priors)
    judged(ledger, model, exact, "bernoulli: y ~ x", draws=2000)
    mode = model.fit("map", progress=False).summary()["mean"]
    step = 1e-5
    point = {name: np.asarray(mode[name]) for name in ("Intercept", "x")}
    slope = [
        float(density({**point, n: point[n] + step}) - density({**point, n: point[n] - step}))
        / 2e-5
        for n in point
    ]
    scaled = [s * exact[n].sd for s, n in zip(slope, point, strict=True)]
    ledger.relative(
        "gradient by SciPy", "bernoulli: y ~ x", "map", scaled, [0, 0], 1e-4, scale=[1, 1]
    )


def normal_with_groups(theta, y, se2):
    """Log density of y with a normal mean and group effects integrated out, groups being blocks."""
    tau2 = theta["sd(1|g)"] ** 2
    total = 0.0
    for k in np.unique(G[: len(y)]):
        rows = G[: len(y)] == k
        precision = 1 / se2[..., rows]
        left = y[rows] - theta["Intercept"][..., None]
        inside = 1 + tau2 * precision.sum(axis=-1)
        pull = (left * precision).sum(axis=-1)
        square = (left**2 * precision).sum(axis=-1) - tau2 * pull**2 / inside
        total = total - 0.5 * (square + np.log(inside) - np.log(precision).sum(axis=-1))
    return total


@pytest.mark.parametrize("marginalize", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_hierarchical_normal(marginalize, ledger):
    y = 1 + 0.8 * np.array([-1, 0.3, 0.5, 1.2, -0.4])[G] + X

    def density(theta):
        se2 = np.broadcast_to((theta["sigma"] ** 2)[..., None], (*theta["sigma"].shape, N))
        return (
            normal_with_groups(theta, y, se2)
            + stats.norm(0, 2).logpdf(theta["Intercept"])
            + stats.halfnorm(0, 1).logpdf(theta["sd(1|g)"])
            - theta["sigma"]
        )

    axes = {"Intercept": Axis(-6, 7, 101), "sd(1|g)": Axis(-22, 2, 221, "log")}
    exact = integrate(density, {**axes, "sigma": Axis(-1.5, 2.5, 81, "log")})
    priors = {"Intercept": bz.Normal(0, 2), "sd(1|g)": bz.HalfNormal(1), "sigma": bz.Exponential(1)}
    model = bz.Model("y ~ 1 + (1 | g)", {"y": y, "g": G.astype(str)}, priors=priors)
    what = f"normal: y ~ 1 + (1 | g), marginalize={marginalize}"
    judged(ledger, model, exact, what, draws=2000, marginalize=marginalize, target_accept=0.99)


@pytest.mark.slow
def test_known_variances_of_rows(ledger):
    y, se = 1 + X, RNG.uniform(0.4, 1.5, N)

    def density(theta):
        shape = np.broadcast_shapes(*[np.shape(v) for v in theta.values()])
        se2 = np.broadcast_to(se**2, (*shape, N))
        return (
            normal_with_groups(theta, y, se2)
            + stats.norm(0, 5).logpdf(theta["Intercept"])
            + stats.halfcauchy(0, 1).logpdf(theta["sd(1|g)"])
        )

    axes = {"Intercept": Axis(-25, 27, 601), "sd(1|g)": Axis(-25, 25, 501, "log")}
    priors = {"Intercept": bz.Normal(0, 5), "sd(1|g)": bz.HalfCauchy(1)}
    data = {"y": y, "se": se, "g": G.astype(str)}
    model = bz.Model("measured(y, se) ~ 1 + (1 | g)", data, priors=priors)
    exact = integrate(density, axes)
    judged(ledger, model, exact, "measured(y, se) ~ 1 + (1 | g)", draws=2000, target_accept=0.99)


@pytest.mark.slow
def test_poisson_lognormal_rows(ledger):
    """One effect for each row, integrated by Gauss-Hermite's rule at each row's mode."""
    y = np.array([0, 3, 1, 8, 2, 0, 1, 4.0])
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def density(theta):
        shape = np.broadcast_shapes(*[np.shape(v) for v in theta.values()])
        b, tau = (np.broadcast_to(theta[n], shape)[..., None] for n in ("Intercept", "sd(1|g)"))
        total = 0.0
        for value in y:
            z = np.zeros((*shape, 1))
            for _ in range(60):
                rate = np.exp(b + tau * z)
                z = z + np.clip((tau * (value - rate) - z) / (1 + tau**2 * rate), -1, 1)
            width = (1 + tau**2 * np.exp(b + tau * z)) ** -0.5
            at = z + width * nodes
            log = stats.poisson(np.exp(b + tau * at)).logpmf(value) - at**2 / 2 + nodes**2 / 2
            total = total + special.logsumexp(log, b=weights, axis=-1) + np.log(width[..., 0])
        return total + stats.norm(0, 2).logpdf(theta["Intercept"]) - theta["sd(1|g)"]

    axes = {"Intercept": Axis(-14, 13, 241), "sd(1|g)": Axis(-22, 3.5, 201, "log")}
    priors = {"Intercept": bz.Normal(0, 2), "sd(1|g)": bz.Exponential(1)}
    data = {"y": y, "g": [f"r{i}" for i in range(len(y))]}
    model = bz.Model("y ~ 1 + (1 | g)", data, family="poisson", priors=priors)
    exact = integrate(density, axes)
    judged(ledger, model, exact, "poisson: y ~ 1 + (1 | row)", draws=2500, target_accept=0.98)


def test_conjugate_binomial_and_poisson(ledger):
    """Uniform p is a logistic intercept: Beta; a flat log rate: Gamma(sum, exposure)."""
    wins, tries = np.array([3, 5, 0, 4.0]), np.array([10, 7, 3, 9.0])
    model = bz.Model(
        "prop(n, t) ~ 1", {"n": wins, "t": tries}, family="binomial",
        priors={"Intercept": dist.Logistic(0.0, 1.0)},
    )  # fmt: skip
    fit = model.fit("nuts", seed=2, progress=False)
    law = stats.beta(1 + wins.sum(), 1 + (tries - wins).sum())
    check(
        ledger, special.expit(draws_of(fit)["Intercept"]), law, "uniform p: beta", "prop(n, t) ~ 1"
    )
    exposure = np.array([1.0, 0.3, 4.0, 2.2])
    model = bz.Model(
        "y ~ 1 + offset(log(e))", {"y": wins, "e": exposure}, family="poisson",
        priors={"Intercept": bz.Flat()},
    )  # fmt: skip
    fit = model.fit("nuts", seed=3, progress=False)
    law = stats.gamma(wins.sum(), scale=1 / exposure.sum())
    check(
        ledger,
        np.exp(draws_of(fit)["Intercept"]),
        law,
        "flat log rate: gamma",
        "y ~ offset(log(e))",
    )


def check(ledger, draws, law, reference, what):
    z = z_of(draws, law.mean(), law.ppf(LEVELS), LEVELS)
    ledger.sampled(f"closed form, {reference}", what, "nuts", z)


SLOW = [pytest.param(method, marks=pytest.mark.slow) for method in ("nuts", "laplace")]


@pytest.mark.parametrize("method", ["map", *SLOW])
def test_one_way_effects_of_known_variance(method, ledger):
    """With sd and noise known the posterior is normal, effects included."""
    se, tau = np.full(N, 0.7), 1.3
    y = 1 + X + np.array([-1, 0.3, 0.5, 1.2, -0.4])[G]
    priors = {"Intercept": bz.Normal(0, 2), "sd(1|g)": bz.Uniform(tau - 1e-7, tau + 1e-7)}
    data = {"y": y, "se": se, "g": G.astype(str)}
    fit = bz.fit(
        "measured(y, se) ~ 1 + (1 | g)", data, priors=priors, method=method, seed=4, progress=False
    )
    design = np.column_stack([np.ones(N), G[:, None] == np.arange(5)])
    precision = np.diag([1 / 4] + [tau**-2] * 5) + design.T @ design / 0.49
    mean = np.linalg.solve(precision, design.T @ y / 0.49)
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    posterior = fit.idata.posterior
    draws = np.concatenate(
        [posterior["Intercept"].to_numpy()[..., None], posterior["1|g"]], axis=-1
    )
    what = "measured(y, se) ~ 1 + (1 | g), sd known"
    if method == "map":  # the mode of the effects given the mode of the rest, which is the mean
        ledger.relative("closed form, normal", what, method, draws[0, 0], mean, 1e-5, scale=sd)
        return
    laws = [stats.norm(*each) for each in zip(mean, sd, strict=True)]
    z = [z_of(draws[..., k], mean[k], law.ppf(LEVELS), LEVELS) for k, law in enumerate(laws)]
    ledger.sampled("closed form, normal", what, method, z)


@pytest.mark.slow
def test_linear_model_with_a_factor_under_flat_priors(ledger):
    """p(beta, sigma) = 1: coefficients are t with n - p - 1 degrees of freedom."""
    f = np.array(list("abc"))[np.arange(30) % 3]
    x = RNG.normal(size=30)
    design = np.column_stack([np.ones(30), f == "b", f == "c", x, x * (f == "b"), x * (f == "c")])
    y = design @ [1, -0.5, 0.3, 0.8, 0.2, -1] + RNG.normal(size=30)
    beta = np.linalg.lstsq(design, y)[0]
    df = 30 - 6 - 1
    scale = np.sqrt(
        np.diag(np.linalg.inv(design.T @ design)) * np.sum((y - design @ beta) ** 2) / df
    )
    priors = {n: bz.Flat() for n in ("Intercept", "f", "x", "f:x")} | {"sigma": bz.Flat(low=0)}
    fit = bz.fit("y ~ f * x", {"y": y, "x": x, "f": f}, priors=priors, seed=5, progress=False)
    p = fit.idata.posterior
    parts = [p["Intercept"].to_numpy()[..., None], p["f"], p["x"].to_numpy()[..., None], p["f:x"]]
    draws = np.concatenate(parts, axis=-1)
    for k, name in enumerate(["Intercept", "f[b]", "f[c]", "x", "f:x[b]", "f:x[c]"]):
        check(ledger, draws[..., k], stats.t(df, beta[k], scale[k]), "t", f"y ~ f * x: {name}")
