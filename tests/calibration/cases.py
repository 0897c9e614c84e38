"""The models of simulation-based calibration: priors, draws and densities, written out in NumPy.

Nothing here comes from the package but the names of priors, so that the package and this file agree
only if both are right.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import stats
from scipy.special import betaln, expit, gammaln, xlog1py, xlogy

import bayeszoo as bz

ROWS, TRIALS = 48, 8

DRAW = {
    "Normal": lambda r, loc, scale: r.normal(loc, scale),
    "HalfNormal": lambda r, scale: abs(r.normal(0, scale)),
    "LogNormal": lambda r, loc, scale: r.lognormal(loc, scale),
    "Gamma": lambda r, shape, rate: r.gamma(shape, 1 / rate),
    "Beta": lambda r, a, b: r.beta(a, b),
    "LKJ": lambda r, eta: 2 * r.beta(eta, eta) - 1,  # of two effects
}


@dataclass(frozen=True)
class Family:
    """A mean by inverse link, priors, draws of y and log p(y) up to what no parameter enters."""

    inverse: object
    level: tuple
    draw: object
    log_density: object
    parameters: dict


def _zero_inflated(y, m, p):
    psi = p["psi"]
    return np.where(y == 0, np.log(1 - psi + psi * np.exp(-m)), np.log(psi) + y * np.log(m) - m)


def _negative_binomial(y, m, p):
    a = p["alpha"]
    return gammaln(y + a) - gammaln(a) - a * np.log1p(m / a) + y * np.log(m / (a + m))


def _beta(y, m, p):
    a, b = m * p["kappa"], (1 - m) * p["kappa"]
    return (a - 1) * np.log(y) + (b - 1) * np.log1p(-y) - betaln(a, b)


def _chance(trials):
    return lambda y, m, p: xlogy(y, m) + xlog1py(trials - y, -m)


def _gamma(y, m, p):
    a = p["alpha"]
    return a * np.log(a / m) + (a - 1) * np.log(y) - a * y / m - gammaln(a)


def _inverse_gaussian(y, m, p):
    return np.log(p["lam"]) / 2 - p["lam"] * (y - m) ** 2 / (2 * m**2 * y)


SCALE = {"sigma": ("LogNormal", -0.5, 0.4)}
COUNT, PLAIN = ("Normal", 1.0, 0.6), ("Normal", 0.3, 0.8)
FAMILIES = {
    "normal": Family(
        lambda eta: eta,
        PLAIN,
        lambda r, m, p: r.normal(m, p["sigma"]),
        lambda y, m, p: stats.norm.logpdf(y, m, p["sigma"]),
        SCALE,
    ),
    "student": Family(
        lambda eta: eta,
        PLAIN,
        lambda r, m, p: m + p["sigma"] * r.standard_t(p["nu"], m.shape),
        lambda y, m, p: stats.t.logpdf(y, p["nu"], m, p["sigma"]),
        SCALE | {"nu": ("Gamma", 2.0, 0.1)},
    ),
    "lognormal": Family(
        np.exp,
        PLAIN,
        lambda r, m, p: m * np.exp(r.normal(-(p["sigma"] ** 2) / 2, p["sigma"], m.shape)),
        lambda y, m, p: stats.norm.logpdf(np.log(y), np.log(m) - p["sigma"] ** 2 / 2, p["sigma"]),
        SCALE,
    ),
    "gamma": Family(
        np.exp,
        PLAIN,
        lambda r, m, p: r.gamma(p["alpha"], m / p["alpha"]),
        _gamma,
        {"alpha": ("LogNormal", 1.0, 0.5)},
    ),
    "exponential": Family(
        np.exp, PLAIN, lambda r, m, p: r.exponential(m), lambda y, m, p: -np.log(m) - y / m, {}
    ),
    "inverse_gaussian": Family(
        np.exp,
        PLAIN,
        lambda r, m, p: r.wald(m, p["lam"]),
        _inverse_gaussian,
        {"lam": ("LogNormal", 1.5, 0.5)},
    ),
    "poisson": Family(
        np.exp, COUNT, lambda r, m, p: r.poisson(m), lambda y, m, p: xlogy(y, m) - m, {}
    ),
    "negative_binomial": Family(
        np.exp,
        COUNT,
        lambda r, m, p: r.poisson(m * r.gamma(p["alpha"], 1 / p["alpha"], m.shape)),
        _negative_binomial,
        {"alpha": ("Gamma", 4.0, 1.5)},
    ),
    "zero_inflated_poisson": Family(
        np.exp,
        COUNT,
        lambda r, m, p: r.poisson(m) * (r.random(m.shape) < p["psi"]),
        _zero_inflated,
        {"psi": ("Beta", 4.0, 2.0)},
    ),
    "bernoulli": Family(expit, PLAIN, lambda r, m, p: r.random(m.shape) < m, _chance(1), {}),
    "binomial": Family(expit, PLAIN, lambda r, m, p: r.binomial(TRIALS, m), _chance(TRIALS), {}),
    "beta": Family(
        expit,
        PLAIN,
        lambda r, m, p: np.clip(r.beta(m * p["kappa"], (1 - m) * p["kappa"]), 1e-12, 1 - 1e-12),
        _beta,
        {"kappa": ("LogNormal", 2.3, 0.5)},
    ),
}

# structure -> (factor, effects of each of its levels)
STRUCTURES = {
    "none": (),
    "(1 | g)": (("g", ("1",)),),
    "(1 + x | g)": (("g", ("1", "x")),),
    "(1 | g/h)": (("g", ("1",)), ("g:h", ("1",))),
    "(1 | a) + (1 | b)": (("a", ("1",)), ("b", ("1",))),
}
SDS = {"1": ("HalfNormal", 0.6), "x": ("HalfNormal", 0.5)}


@cache
def factors():
    """Labels of every row: groups of unequal sizes, in no order, and a crossed design."""
    shuffled = np.random.default_rng(0).permutation(ROWS)
    g = np.repeat(list("dhbgacfe"), [3, 9, 4, 8, 5, 7, 6, 6])
    h = np.arange(ROWS) % 3
    whole = np.arange(ROWS)
    columns = {
        "g": g,
        "h": h,
        "a": np.array(list("stuvwxyz"))[whole % 8],
        "b": np.array(list("qpnmlk"))[whole // 8],
    }
    columns = {name: column[shuffled] for name, column in columns.items()}
    pairs = zip(columns["g"], columns["h"], strict=True)
    return columns, columns | {"g:h": np.array([f"{one}:{other}" for one, other in pairs])}


@dataclass(frozen=True)
class Case:
    """A family with group effects."""

    family: str
    structure: str

    @cached_property
    def formula(self):
        left = "prop(y, n)" if self.family == "binomial" else "y"
        groups = self.structure if self.structure != "none" else ""
        return f"{left} ~ x + {groups}".removesuffix(" + ")

    @cached_property
    def priors(self):
        """Name -> kind and numbers of a proper prior."""
        family = FAMILIES[self.family]
        priors = {"Intercept": family.level, "x": ("Normal", 0.0, 0.5)} | family.parameters
        for factor, effects in STRUCTURES[self.structure]:
            priors |= {f"sd({effect}|{factor})": SDS[effect] for effect in effects}
            if len(effects) == 2:
                priors[f"corr({factor})"] = ("LKJ", 2.0)
        return priors

    def levels(self, factor):
        """The levels of a factor with the row's position among them."""
        return np.unique(factors()[1][factor], return_inverse=True)

    @property
    def named_priors(self):
        """The priors as the package takes them."""
        return {name: getattr(bz, kind)(*numbers) for name, (kind, *numbers) in self.priors.items()}

    def simulate(self, rng):
        """Draws parameters from their priors, and data; returns both."""
        values = {name: DRAW[kind](rng, *numbers) for name, (kind, *numbers) in self.priors.items()}
        for factor, effects in STRUCTURES[self.structure]:
            noise = rng.normal(size=(len(effects), len(self.levels(factor)[0])))
            if len(effects) == 2:
                r = values[f"corr({factor})"]
                noise[1] = r * noise[0] + np.sqrt(1 - r**2) * noise[1]
            for effect, row in zip(effects, noise, strict=True):
                values[f"{effect}|{factor}"] = values[f"sd({effect}|{factor})"] * row
        data = {"x": rng.normal(0.3, 1.0, ROWS), "n": np.full(ROWS, TRIALS), **factors()[0]}
        one = {name: np.asarray(value)[None] for name, value in values.items()}
        y = FAMILIES[self.family].draw(rng, self.mean(one, data)[0], values)
        return values, data | {"y": y.astype(float)}

    def mean(self, values, data):
        """The mean of every row, for values with a leading dimension of draws."""
        eta = values["Intercept"][:, None] + values["x"][:, None] * data["x"]
        for factor, effects in STRUCTURES[self.structure]:
            place = self.levels(factor)[1]
            for effect in effects:
                times = data["x"] if effect == "x" else 1.0
                eta = eta + values[f"{effect}|{factor}"][:, place] * times
        return FAMILIES[self.family].inverse(eta)

    def quantities(self, values, data):
        """Name -> what is ranked, for values with a leading dimension of draws."""
        found = {name: values[name] for name in self.priors}
        for factor, effects in STRUCTURES[self.structure]:
            found |= {f"{e}|{factor}[1]": values[f"{e}|{factor}"][:, 1] for e in effects}
        parameters = {n: values[n][:, None] for n in FAMILIES[self.family].parameters}
        rows = FAMILIES[self.family].log_density(data["y"], self.mean(values, data), parameters)
        return found | {"log likelihood": rows.sum(axis=1)}
