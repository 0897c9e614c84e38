"""Small data sets and quick fits that the tests of effects share."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz


@pytest.fixture(scope="session")
def unbalanced():
    """Factors g and h with very unequal cells, a number x that interacts with g, counts k."""
    rng = np.random.default_rng(1)
    n = 80
    table = pd.DataFrame(
        {
            "g": rng.choice(list("abc"), n, p=[0.6, 0.3, 0.1]),
            "h": rng.choice(["u", "v"], n, p=[0.8, 0.2]),
            "x": rng.normal(2, 1, n),
            "mouse": rng.choice(["m1", "m2", "m3", "m4", "m5", "m6"], n),
            "level": rng.integers(1, 4, n),
            "on": rng.random(n) < 0.4,
            "exposure": rng.uniform(1, 3, n),
        }
    )
    effects = dict(zip(sorted(table["mouse"].unique()), rng.normal(0, 0.5, 6), strict=True))
    table["neuron"] = table["mouse"] + "_" + rng.integers(1, 3, n).astype(str)
    shift = table["mouse"].map(effects)
    table["y"] = 1 + table["x"] * (table["g"] == "b") + 2 * (table["h"] == "v") + rng.normal(size=n)
    table["k"] = rng.poisson(np.exp(0.1 + 0.3 * table["x"] + 0.5 * (table["g"] == "b") + shift))
    return table


@pytest.fixture(scope="session")
def counts(unbalanced):
    """A Poisson mixed model with 200 draws."""
    return bz.fit(
        "k ~ g * x + h + (1 | mouse) + (1 | mouse:neuron)",
        unbalanced,
        family="poisson",
        method="laplace",
        draws=200,
        progress=False,
    )


def columns(table, *names):
    """Returns columns of a table as an array."""
    return table[list(names)].to_numpy(dtype=float)
