"""Fits that the charts of grouped data share."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

FORMULA = "Power ~ stim + (1 + stim | mouse)"


@pytest.fixture(scope="session")
def lfp():
    return bz.datasets.lfp(mice=5, trials=20, seed=1, labels=("control", "light"))[0]


@pytest.fixture(scope="session")
def grouped(lfp):
    """method -> fit of the same data."""
    mixed, plain = bz.Model(FORMULA, lfp), bz.Model("Power ~ stim", lfp)
    gamma = bz.Model(FORMULA, lfp, family="gamma")
    quiet = {"progress": False}
    return {
        "laplace": gamma.fit("laplace", draws=200, **quiet),
        "map": gamma.fit("map", **quiet),
        "lme": mixed.fit("lme", draws=200, **quiet),
        "ols": plain.fit("ols", draws=200, **quiet),
    }


@pytest.fixture(scope="session")
def sleep_fit(sleepstudy):
    return bz.Model("Reaction ~ Days + (1 + Days | Subject)", sleepstudy).fit(
        "lme", draws=200, progress=False
    )


@pytest.fixture(scope="session")
def counts():
    """Counts of 8 neurons, with odd names of columns."""
    rng = np.random.default_rng(3)
    neuron = np.repeat([f"n{i}" for i in range(8)], 40)
    table = pd.DataFrame({"neuron": neuron, "c[d].e": np.tile(["p", "q"], 160)})
    table["a.b"] = rng.normal(size=320)
    table["exposure"] = rng.uniform(0.5, 1.5, 320)
    rate = np.exp(0.5 + 0.4 * table["a.b"] + 0.5 * rng.normal(size=8)[neuron_index(neuron)])
    return table.assign(count=rng.poisson(rate * table["exposure"]))


def neuron_index(neuron):
    return np.array([int(name[1:]) for name in neuron])


@pytest.fixture(scope="session")
def count_fit(counts):
    formula = "count ~ `a.b` + `c[d].e` + offset(log(exposure)) + (1 | neuron)"
    return bz.Model(formula, counts, family="poisson").fit("glmm", draws=200, progress=False)
