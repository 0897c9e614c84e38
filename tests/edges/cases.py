"""The edges, each with what is right there."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

import bayeszoo as bz

from .edge import Edge, by_hand, grouped_by_hand

RNG = np.random.default_rng(20261129)
N = 40
X = np.linspace(-2, 2, N)
E = RNG.normal(size=N)
G = np.array([f"g{i}" for i in np.arange(N) // 5])
CROSSED = np.array([f"g{i}" for i in np.arange(N) % 8])
STEP = (X > 0).astype(int)
FLAT = {"Intercept": bz.Flat(), "x": bz.Flat()}
LINE = np.column_stack([np.ones(N), X])
DRAWN = "exact finding"


def least_squares(design, y, names=("Intercept", "x")):
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    return lambda *_: dict(zip(names, beta, strict=True))


def poisson_fit(y, design, offset=None):
    found = sm.GLM(y, design, family=sm.families.Poisson(), offset=offset).fit(tol=1e-14)
    return lambda *_: dict(zip(("Intercept", "x"), found.params, strict=True))


def of_logs(logs, error):
    """Of counts so large that their logarithms are normal with known errors: by `lme`."""

    def answer(edge, method, fit):
        data = {**edge.data, "logs": logs, "error": error}
        formula = "measured(logs, error) ~ x + (1 | g)"
        table = bz.fit(formula, data, method="lme", reml=False, progress=False).summary()
        return dict(table["mean"])

    return answer


def moved(base, names, turn):
    """The answer of another fit by the same method, its parameters turned into those asked for."""

    def answer(edge, method, fit):
        table = base.model().fit(method, seed=2, progress=False, **base.options).summary()
        error = table["sd"] / np.sqrt(table["ess_bulk"]) if method == "nuts" else 0.0
        found, ends = turn(*table["mean"]), turn(*(table["mean"] + error))
        return {n: (v, abs(end - v)) for n, v, end in zip(names, found, ends, strict=True)}

    return answer


def separation():
    quasi = {"y": np.r_[STEP[:19], 0, 1, STEP[21:]], "x": np.r_[X[:19], 0, 0, X[21:]]}
    seven = {"s": 7 * STEP, "t": np.full(N, 7), "x": X}
    proper = {"map": "exact", "nuts": DRAWN, "laplace": "exact"}
    for name, family, formula, data in (
        ("complete separation", "bernoulli", "y ~ x", {"y": STEP, "x": X}),
        ("quasi separation", "bernoulli", "y ~ x", quasi),
        ("complete separation, binomial", "binomial", "prop(s, t) ~ x", seven),
    ):
        yield Edge(name, formula, data, {"glm": "finding"}, family, words="separate")
        yield Edge(name, formula, data, proper, family, answer=by_hand)
        improper = {"map": "finding", "laplace": "refused", "nuts": "refused", "svi": "refused"}
        yield Edge(f"{name}, flat", formula, data, improper, family, FLAT, words="separate")
    for family in ("bernoulli", "poisson"):
        data = {"y": STEP if family == "bernoulli" else 0 * STEP, "x": X, "g": CROSSED}
        formula = "y ~ x + (1 | g)"
        name = f"separation with groups, {family}"
        yield Edge(name, formula, data, {"glmm": "finding"}, family, words="separate")
    for value, family in ((1, "bernoulli"), (0, "bernoulli"), (0, "poisson")):
        data = {"y": np.full(N, value), "x": X}
        name = f"all {value}, {family}"
        yield Edge(name, "y ~ x", data, proper, family, answer=by_hand)
        words = {"glm": "finding" if family == "bernoulli" else "refused", "nuts": "refused"}
        yield Edge(f"{name}, flat", "y ~ x", data, words, family, FLAT, words="separate")
    data = {"y": np.zeros(N), "x": X}
    yield Edge(
        "all 0", "y ~ x", data, {"map": "finding"}, "negative_binomial", words="in all 40 rows"
    )


def noiseless():
    y = 1 + 2 * X
    no = dict.fromkeys(("nuts", "laplace", "svi"), "refused")
    yield Edge(
        "perfect fit", "y ~ x", {"y": y, "x": X},
        {"ols": "finding", "glm": "finding", "map": "finding", **no}, words="reproduce",
    )  # fmt: skip
    grouped = {"y": y + np.repeat(RNG.normal(size=8), 5), "x": X, "g": G}
    yield Edge(
        "perfect fit with groups", "y ~ x + (1 | g)", grouped,
        {"lme": "refused", "map": "refused", "nuts": "refused"}, words="reproduce",
    )  # fmt: skip
    for family in ("gamma", "lognormal", "student", "inverse_gaussian"):
        data = {"y": y if family == "student" else np.exp(y / 3), "x": X}
        words = {"map": "finding", "nuts": "refused"}
        yield Edge(f"perfect fit, {family}", "y ~ x", data, words, family, words="reproduce")
    for family in ("normal", "gamma", "beta", "inverse_gaussian"):
        words = {"map": "finding", "nuts": "refused"}
        words |= {} if family == "beta" else {"glm": "refused"}
        data = {"y": np.full(N, 0.3), "x": X}
        yield Edge(f"all equal, {family}", "y ~ x", data, words, family, words="in all 40 rows")
    zeros = {"y": np.zeros(N), "x": X}
    yield Edge(
        "all 0, normal", "y ~ x", zeros, {"ols": "finding", "map": "finding"}, words="in all 40"
    )
    equal = {"y": np.full(N, 3), "x": X}
    both = {"map": "exact", "nuts": "exact"}
    yield Edge("all equal, poisson", "y ~ x", equal, both, "poisson", answer=by_hand)
    one = {"y": np.array([3])}
    yield Edge("one row, poisson", "y ~ 1", one, both, "poisson", answer=by_hand)
    yield Edge("one row, normal", "y ~ 1", {"y": [3.0]}, {"ols": "refused"}, words="more rows")


def groups():
    y = 1 + X + E
    level = y - np.repeat(y.reshape(8, 5).mean(axis=1), 5) + 1
    yield Edge(
        "groups without spread", "y ~ 1 + (1 | g)", {"y": level, "g": G},
        {"lme": "exact", "map": "exact"}, answer=lambda *_: {"Intercept": level.mean()},
        priors={"Intercept": bz.Flat()},
    )  # fmt: skip
    yield Edge(
        "a group for each row", "y ~ x + (1 | g)", {"y": y, "x": X, "g": np.arange(N).astype(str)},
        {"lme": "refused", "nuts": "refused"}, words="noise of single rows",
    )  # fmt: skip
    alone = np.r_[np.arange(35), np.arange(5)].astype(str)
    yield Edge(
        "nearly a group for each row", "y ~ x + (1 | g)", {"y": y, "x": X, "g": alone},
        {"lme": "finding", "map": "finding", "nuts": "exact"}, answer=grouped_by_hand,
    )  # fmt: skip
    yield Edge(
        "one group", "y ~ x + (1 | g)", {"y": y, "x": X, "g": ["a"] * N}, {"lme": "refused"},
        words="only one level",
    )  # fmt: skip
    rng, many = np.random.default_rng(5), 10_000
    two = rng.normal(size=(many, 1)) + 0.7 * rng.normal(size=(many, 2)) + 3
    within = np.sum((two - two.mean(axis=1, keepdims=True)) ** 2) / many
    between = 2 * two.mean(axis=1).var() * many / (many - 1)
    right = {
        "Intercept": two.mean(), "sigma": within**0.5, "sd(1|g)": ((between - within) / 2) ** 0.5
    }  # fmt: skip
    data = {"y": two.ravel(), "g": np.repeat(np.arange(many), 2).astype(str)}
    expect = {"lme": "exact", "laplace": "exact", "nuts": "exact"}
    flat = {"Intercept": bz.Flat(), "sigma": bz.Flat(low=0), "sd(1|g)": bz.Flat(low=0)}
    yield Edge(
        "10,000 groups of 2", "y ~ 1 + (1 | g)", data, expect, priors=flat, answer=lambda *_: right
    )
    likely = right | {"sd(1|g)": ((between * (many - 1) / many - within) / 2) ** 0.5}
    yield Edge(
        "10,000 groups of 2", "y ~ 1 + (1 | g)", data, {"map": "exact"}, priors=flat,
        answer=lambda *_: likely,
    )  # fmt: skip


def counts():
    for size in (1e6, 1e9):
        rng = np.random.default_rng(6)
        data = {"y": rng.poisson(size * np.exp(0.1 * X)), "x": X}
        all_ = {"glm": "exact", "map": "exact", "nuts": "exact", "laplace": "exact", "svi": DRAWN}
        right = poisson_fit(data["y"], LINE)
        yield Edge(f"counts of {size:g}", "y ~ x", data, all_, "poisson", answer=right)
        yield Edge(
            f"counts of {size:g}", "y ~ x", data, {"map": "exact"}, "negative_binomial",
            answer=right,
        )  # fmt: skip
        spread = {"y": rng.poisson(size * rng.gamma(4, 0.25, N) * np.exp(0.1 * X)), "x": X}
        priors = {"Intercept": bz.Normal(17, 5), "x": bz.Normal(0, 1), "alpha": bz.Exponential(0.2)}
        as_gamma = Edge("", "y ~ x", spread, {}, "gamma", priors)  # to one part in `size`
        yield Edge(
            f"overdispersed counts of {size:g}", "y ~ x", spread, {"map": "exact"},
            "negative_binomial", priors, moved(as_gamma, ("Intercept", "x", "alpha"), lambda *v: v),
        )  # fmt: skip
        effects = np.repeat(0.3 * rng.normal(size=8), 5)
        grouped = {"y": rng.poisson(size * np.exp(0.1 * X + effects)), "x": X, "g": G}
        count = grouped["y"]
        yield Edge(
            f"grouped counts of {size:g}", "y ~ x + (1 | g)", grouped, {"glmm": "exact"}, "poisson",
            answer=of_logs(np.log(count), count**-0.5),
        )  # fmt: skip
        trials = np.full(N, size)
        wins = rng.binomial(int(size), 1 / (1 + np.exp(-X)), N)
        found = sm.GLM(
            np.column_stack([wins, trials - wins]), LINE, family=sm.families.Binomial()
        ).fit(tol=1e-14)
        yield Edge(
            f"{size:g} trials", "prop(s, t) ~ x", {"s": wins, "t": trials, "x": X},
            {"glm": "exact", "map": "exact", "nuts": "exact"}, "binomial",
            answer=lambda *_, b=found.params: dict(zip(("Intercept", "x"), b, strict=True)),
        )  # fmt: skip
        yield Edge(
            f"{size:g} trials with groups", "prop(s, t) ~ x + (1 | g)",
            {"s": wins, "t": trials, "x": X, "g": G},
            {"map": "exact finding", "glmm": "exact"}, "binomial",
            answer=of_logs(np.log(wins / (trials - wins)), (1 / wins + 1 / (trials - wins)) ** 0.5),
        )  # fmt: skip
    rare = np.zeros(2000)
    rare[[5, 900]] = 1
    rng = np.random.default_rng(7)
    x = rng.normal(size=2000)
    some = {"map": "exact", "nuts": "exact"}
    data = {"y": rare, "x": x - x.mean()}
    yield Edge("two events in 2,000 rows", "y ~ x", data, some, "poisson", answer=by_hand)
    exposed = {"y": rng.poisson(2, N), "x": X, "e": np.full(N, 2e8)}
    formula = "y ~ x + offset(log(e))"
    yield Edge("rates of 1e-8", formula, exposed, some, "poisson", answer=by_hand)


def scales():
    y = 1 + X + 0.5 * E
    z = RNG.normal(size=N)
    base = Edge("", "y ~ x + z", {"y": y, "x": X, "z": z}, {})
    every = {"ols": "exact", "glm": "exact", "map": "exact", "nuts": "exact", "laplace": "exact"}
    names = ("Intercept", "x", "z", "sigma")
    mixed = {"y": y, "x": X * 1e-12, "z": z * 1e12}
    yield Edge(
        "predictors of 1e-12 and 1e12", "y ~ x + z", mixed, every,
        answer=moved(base, names, lambda a, b, c, s: (a, b * 1e12, c * 1e-12, s)),
    )  # fmt: skip
    grouped = Edge("", "y ~ x + z + (1 | g)", {**base.data, "g": G}, {})
    yield Edge(
        "predictors of 1e-12 and 1e12 with groups", "y ~ x + z + (1 | g)", {**mixed, "g": G},
        {"lme": "exact", "map": "exact"},
        answer=moved(grouped, names, lambda a, b, c, _, s: (a, b * 1e12, c * 1e-12, s)),
    )  # fmt: skip
    yield Edge(
        "a response of 1e150", "y ~ x", {"y": y * 1e150, "x": X}, {"ols": "refused"},
        words="Change its unit",
    )  # fmt: skip
    for factor in (1e-90, 1e90):
        yield Edge(
            f"a response of {factor:g}", "y ~ x + z", {**base.data, "y": y * factor}, every,
            answer=moved(base, names, lambda *v, k=factor: [k * number for number in v]),
        )  # fmt: skip
    plain = Edge("", "y ~ x", {"y": y, "x": X}, {})
    for name, start, step in (("years", 1985.0, 0.5), ("seconds since 1970", 1.7e9, 3600.0)):
        data = {"y": y, "x": start + step * X}
        yield Edge(
            f"dates as {name}", "y ~ x", data, every,
            answer=moved(
                plain, ("x", "sigma"), lambda a, b, s, step=step: (b / step, s)
            ),
        )  # fmt: skip
    offset = {"y": y + 1e9, "x": X, "o": np.full(N, 1e9)}
    rounded = Edge("", "y ~ x", {"y": (y + 1e9) - 1e9, "x": X}, {})
    yield Edge(
        "an offset of 1e9", "y ~ x + offset(o)", offset, {"ols": "exact", "map": "exact"},
        answer=moved(rounded, ("Intercept", "x", "sigma"), lambda *v: v),
    )  # fmt: skip
    both = {"y": y, "x": X, "z": 2 * X + 1}
    yield Edge(
        "exactly collinear", "y ~ x + z", both, dict.fromkeys(every, "refused"), words="collinear"
    )
    near = {"y": y, "x": X, "z": X + 1e-6 * z}
    finding = dict.fromkeys(("ols", "map", "laplace"), "finding")
    yield Edge("nearly collinear", "y ~ x + z", near, finding, words="combination")
    rng = np.random.default_rng(8)
    many = rng.normal(size=(2000, 300))
    wide = {f"x{i}": column for i, column in enumerate(many.T)}
    response = many[:, 0] - many[:, 7] + rng.normal(size=2000)
    beta = np.linalg.lstsq(np.column_stack([np.ones(2000), many]), response, rcond=None)[0]
    flat = {name: bz.Flat() for name in ("Intercept", *wide)} | {"sigma": bz.Flat(low=0)}
    yield Edge(
        "300 predictors", f"y ~ {' + '.join(wide)}", {"y": response, **wide},
        {"ols": "exact", "map": "exact"}, priors=flat,
        answer=lambda *_: {"Intercept": beta[0], "x0": beta[1], "x7": beta[8], "x299": beta[300]},
    )  # fmt: skip
    few = {"y": response[:30], **{name: column[:30] for name, column in list(wide.items())[:50]}}
    formula = f"y ~ {' + '.join(list(wide)[:50])}"
    yield Edge("fewer rows than predictors", formula, few, {"ols": "refused"}, words="more rows")
    yield Edge(
        "fewer rows than predictors", formula, few, {"map": "finding", "laplace": "finding"},
        words="priors decide",
    )  # fmt: skip
    far = np.where(np.arange(N) % 13 == 6, 1e6, y)
    yield Edge(
        "outliers of a million", "y ~ x", {"y": far, "x": X}, {"ols": "exact"},
        answer=least_squares(LINE, far),
    )  # fmt: skip
    cauchy = {"Intercept": bz.Normal(0, 10), "x": bz.Normal(0, 10), "sigma": bz.Exponential(1)}
    yield Edge(
        "outliers of a million", "y ~ x", {"y": far, "x": X}, {"map": "exact"}, "student",
        {**cauchy, "nu": bz.Gamma(2, 0.5)}, by_hand,
    )  # fmt: skip


def responses():
    edge = 1 / (1 + np.exp(-8 * X - 12 * E))
    edge = np.clip(edge, 1e-15, 1 - 1e-12)
    yield Edge(
        "shares of 1e-15 and nearly 1", "y ~ x", {"y": edge, "x": X}, {"map": "exact"}, "beta",
        answer=by_hand,
    )  # fmt: skip
    rng = np.random.default_rng(9)
    sizes = rng.gamma(2.0, np.exp(0.3 * X) / 2)
    base = Edge("", "y ~ x", {"y": sizes, "x": X}, {}, "gamma")
    for power in (-90, 90):
        data = {"y": sizes * 10.0**power, "x": X}
        yield Edge(
            f"gamma responses of 1e{power}", "y ~ x", data, {"map": "exact", "nuts": "exact"}, "gamma",
            answer=moved(
                base, ("Intercept", "x", "alpha"),
                lambda a, b, s, k=power: (a + k * np.log(10), b, s),
            ),
        )  # fmt: skip
    for power, words in ((-300, "Change its unit"), (300, "exceeds 1e+100")):
        data = {"y": sizes * 10.0**power, "x": X}
        name = f"gamma responses of 1e{power}"
        refused = {"map": "refused", "nuts": "refused"}
        yield Edge(name, "y ~ x", data, refused, "gamma", words=words)
    y = 1 + X + E
    some = np.where(np.arange(N) % 2, 0.0, 1.0)
    kept = Edge("", "y ~ x", {"y": y[::2], "x": X[::2]}, {})
    weighted = {"y": y, "x": X, "w": some}
    yield Edge(
        "weights of 0", "weighted(y, w) ~ x", weighted, {"ols": "exact", "glm": "exact"},
        answer=moved(kept, ("Intercept", "x", "sigma"), lambda *v: v),
    )  # fmt: skip
    huge = {"y": y, "x": X, "w": np.full(N, 1e12)}
    flat = {**FLAT, "sigma": bz.Flat(low=0)}
    residual = y - LINE @ np.linalg.lstsq(LINE, y, rcond=None)[0]
    right = least_squares(LINE, y)() | {"sigma": np.sqrt(np.mean(residual**2))}
    yield Edge(
        "weights of 1e12", "weighted(y, w) ~ x", huge,
        {"ols": "exact", "map": "exact", "nuts": "exact"}, priors=flat, answer=lambda *_: right,
    )  # fmt: skip


EDGES = [
    edge for maker in (separation, noiseless, groups, counts, scales, responses) for edge in maker()
]
