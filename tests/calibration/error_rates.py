"""Error rates: how often does the 95 % interval of an effect that is exactly null leave out zero?

Nominal is 5 %. A model whose assumptions hold (`true`) has to reach it within binomial noise; the
rates of models whose assumptions fail (`wrong`) are shown, since they are what a careless analysis
risks.

`python tests/calibration/error_rates.py` simulates, fits and writes docs/trust/error_rates.csv;
`--sets` and `--slow-sets` say how many data sets quick and slow methods get.
"""

import argparse
import re
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import bayeszoo as bz

PROMISE = {
    "ols": "small samples",
    "lme": "small samples",
    "nuts": "posterior",
    "svi": "approximate posterior",
    "laplace": "approximate posterior",
}
"""Where a true model reaches 5 % in theory; methods that are not named: in large samples. Posteriors
reach it on average over their priors, and for a null effect as far as the priors are weak."""
NOMINAL, LEVEL = 0.05, 0.99
"""The rate of a right interval, and the probability of the binomial interval around what is found."""
SLOW = {"nuts": {"chains": 2, "tune": 300, "draws": 500}, "svi": {"draws": 1000}}
"""Methods that take long, with their options."""
ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "error_rates"
TABLE = ROOT / "docs" / "trust" / "error_rates.csv"


# ------------------------------------------------------------------------- data without an effect


def halves(n):
    return np.arange(n) % 2


def grouped(rng, sizes, between, sd=1.0, slope_sd=0.0):
    """A linear predictor with effects of mice; `stim` varies within mice, or from mouse to mouse."""
    mouse = np.repeat(np.arange(len(sizes)), sizes)
    stim = halves(len(sizes))[mouse] if between else halves(len(mouse))
    eta = rng.normal(0, sd, len(sizes))[mouse] + rng.normal(0, slope_sd, len(sizes))[mouse] * stim
    return eta, {"stim": stim, "mouse": mouse}


def normal_noise(rng):
    return {"y": rng.normal(2, 1.5, 30), "stim": halves(30)}


def gamma_noise(rng):
    return {"y": rng.gamma(3, 2, 60), "stim": halves(60)}


def skewed_noise(rng):
    stim = (np.arange(50) >= 40).astype(int)
    return {"y": rng.lognormal(0, 1, 50), "stim": stim}


def heavy_tails(rng):
    return {"y": rng.standard_t(3, 40), "stim": halves(40)}


def unequal_spread(rng):
    """The smaller group varies more."""
    stim = (np.arange(60) >= 45).astype(int)
    return {"y": rng.normal(0, np.where(stim, 3.0, 1.0)), "stim": stim}


def repeated(rng):
    eta, data = grouped(rng, [10] * 8, between=False)
    return data | {"y": rng.normal(eta, 1.0)}


def unbalanced(rng):
    eta, data = grouped(rng, [3, 5, 8, 12, 20, 40], between=False, slope_sd=0.0)
    return data | {"y": rng.normal(eta, 1.0)}


def effects_that_vary(rng):
    eta, data = grouped(rng, [20] * 8, between=False, slope_sd=0.7)
    return data | {"y": rng.normal(eta, 1.0)}


def pseudoreplicates(rng):
    eta, data = grouped(rng, [20] * 10, between=True)
    return data | {"y": rng.normal(eta, 1.0)}


def five_groups(rng):
    eta, data = grouped(rng, [15] * 5, between=True)
    return data | {"y": rng.normal(eta, 1.0)}


def gamma_groups(rng):
    eta, data = grouped(rng, [16] * 10, between=False, sd=0.8, slope_sd=0.4)
    return data | {"y": rng.gamma(5, np.exp(1 + eta) / 5)}


def counts(rng):
    return {"y": rng.poisson(3.0, 60), "stim": halves(60)}


def overdispersed_counts(rng):
    return {"y": rng.poisson(3.0 * rng.gamma(1.5, 1 / 1.5, 100)), "stim": halves(100)}


def grouped_counts(rng):
    eta, data = grouped(rng, [10] * 20, between=True, sd=0.6)
    return data | {"y": rng.poisson(np.exp(1 + eta))}


def choices(rng):
    return {"y": (rng.random(80) < 0.4).astype(int), "stim": halves(80)}


# ------------------------------------------------------------------------------------ the studies


@dataclass(frozen=True)
class Study:
    """A method on data without an effect, by a model that is true of them or wrong."""

    simulate: object
    formula: str
    family: str
    method: str
    true: bool
    options: dict = field(default_factory=dict)

    @property
    def data(self):
        return self.simulate.__name__.replace("_", " ")

    @property
    def label(self):
        words = [f"{key}={value}" for key, value in self.options.items() if key == "robust"]
        return " ".join([self.method, *words])

    @property
    def promise(self):
        return "large samples" if self.options else PROMISE.get(self.method, "large samples")

    @property
    def key(self):
        name = f"{self.data} {self.formula} {self.family} {self.label}"
        return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


PLAIN, ONE, BOTH = "y ~ stim", "y ~ stim + (1 | mouse)", "y ~ stim + (1 + stim | mouse)"
SPREAD = "y ~ stim\nsigma ~ stim"
HC3 = {"robust": "HC3"}


def _studies():
    def add(simulate, formula, family, true, *methods):
        for method in methods:
            name, _, robust = method.partition(" ")
            yield Study(simulate, formula, family, name, true, HC3 if robust else {})

    every = ("laplace", "nuts", "svi")
    yield from add(normal_noise, PLAIN, "normal", True, "ols", "ols HC3", "glm", *every)
    yield from add(gamma_noise, PLAIN, "normal", False, "ols", "ols HC3")
    yield from add(gamma_noise, PLAIN, "gamma", True, "glm", *every)
    yield from add(skewed_noise, PLAIN, "normal", False, "ols", "ols HC3", "laplace")
    yield from add(skewed_noise, PLAIN, "lognormal", True, "laplace")
    yield from add(heavy_tails, PLAIN, "normal", False, "ols", "ols HC3")
    yield from add(heavy_tails, PLAIN, "student", True, "laplace", "nuts")
    yield from add(unequal_spread, PLAIN, "normal", False, "ols", "laplace")
    yield from add(unequal_spread, PLAIN, "normal", True, "ols HC3")
    yield from add(unequal_spread, SPREAD, "normal", True, "laplace", "nuts")
    yield from add(repeated, PLAIN, "normal", False, "ols")
    yield from add(repeated, ONE, "normal", True, "lme", *every)
    yield from add(unbalanced, ONE, "normal", True, "lme", "laplace", "nuts")
    yield from add(effects_that_vary, PLAIN, "normal", False, "ols", "ols HC3")
    yield from add(effects_that_vary, ONE, "normal", False, "lme", "nuts")
    yield from add(effects_that_vary, BOTH, "normal", True, "lme", "laplace", "nuts")
    yield from add(pseudoreplicates, PLAIN, "normal", False, "ols", "ols HC3", "glm", "nuts")
    yield from add(pseudoreplicates, ONE, "normal", True, "lme", *every)
    yield from add(five_groups, PLAIN, "normal", False, "ols")
    yield from add(five_groups, ONE, "normal", True, "lme", "laplace", "nuts")
    yield from add(gamma_groups, PLAIN, "gamma", False, "glm", "laplace")
    yield from add(gamma_groups, ONE, "gamma", False, "glmm", "laplace")
    yield from add(gamma_groups, BOTH, "gamma", True, "glmm", "laplace", "nuts")
    yield from add(counts, PLAIN, "poisson", True, "glm", "laplace", "nuts")
    yield from add(overdispersed_counts, PLAIN, "poisson", False, "glm", "laplace")
    yield from add(overdispersed_counts, PLAIN, "negative_binomial", True, "laplace", "nuts")
    yield from add(grouped_counts, PLAIN, "poisson", False, "glm", "laplace")
    yield from add(grouped_counts, ONE, "poisson", True, "glmm", "laplace", "nuts")
    yield from add(choices, PLAIN, "bernoulli", True, "glm", "laplace", "nuts")


STUDIES = tuple(_studies())


def intervals(study, sets, first=0):
    """Returns the 95 % interval of the null effect in each data set."""
    seed = zlib.crc32(study.data.encode())
    tables = [study.simulate(np.random.default_rng([seed, i])) for i in range(first, first + sets)]
    options = SLOW.get(study.method, {}) | study.options
    found = bz.fit_many(
        study.formula,
        tables,
        family=study.family,
        method=study.method,
        seed=first,
        reduce=lambda fit: fit.summary().loc["stim", ["lower", "upper"]],
        progress=False,
        **options,
    )
    return found.reindex(range(sets))


def rate(table):
    """Returns data sets, fits that failed, false positives, and their rate with its interval.

    A fit that failed, or found no interval, is no false positive.
    """
    size = len(table)
    positive = int(((table["lower"] > 0) | (table["upper"] < 0)).sum())
    tail = (1 - LEVEL) / 2
    lower = stats.beta.ppf(tail, positive, size - positive + 1) if positive else 0.0
    upper = stats.beta.isf(tail, positive + 1, size - positive) if positive < size else 1.0
    return {
        "data sets": size,
        "failed": int(table["lower"].isna().sum()),
        "false positives": positive,
        "rate": round(positive / size, 4),
        "lower": round(lower, 4),
        "upper": round(upper, 4),
    }


def row(study, table):
    """Returns a row of the table of error rates."""
    found = rate(table)
    inside = found["lower"] <= NOMINAL <= found["upper"]
    verdict = "5 % inside" if inside else "above" if found["rate"] > NOMINAL else "below"
    return {
        "data": study.data,
        "model": "true" if study.true else "wrong",
        "formula": study.formula.replace("\n", "; "),
        "family": study.family,
        "method": study.label,
        "5 % promised in": study.promise if study.true else "",
        **found,
        "verdict": verdict,
    }


def main(sets, slow_sets, methods, data):
    """Fits what is missing, and writes the table of all that is there."""
    KEPT.mkdir(parents=True, exist_ok=True)
    rows = []
    for study in STUDIES:
        file = KEPT / f"{study.key}.csv"
        kept = pd.read_csv(file) if file.exists() else pd.DataFrame()
        wanted = slow_sets if study.method in SLOW else sets
        chosen = study.method in methods and study.data in data
        if chosen and len(kept) < wanted:
            begun = time.perf_counter()
            more = intervals(study, wanted - len(kept), len(kept))
            kept = pd.concat([kept, more], ignore_index=True)
            kept.to_csv(file, index=False)
            print(f"{study.key}: {time.perf_counter() - begun:.0f} s", flush=True)
        if len(kept):
            rows.append(row(study, kept))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(TABLE, index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000, help="data sets of quick methods")
    parser.add_argument("--slow-sets", type=int, default=200, help="data sets of nuts and svi")
    for option, name in (("--methods", "method"), ("--data", "data")):
        known = sorted({getattr(study, name) for study in STUDIES})
        parser.add_argument(option, nargs="+", choices=known, default=known)
    main(**vars(parser.parse_args()))
