"""Nothing is found in fits of which all is well: of every family, method and kind of term."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.zoo.families import FAMILIES

ROWS, GROUPS = 400, 8


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(20)
    mouse = np.repeat(np.arange(GROUPS), ROWS // GROUPS)
    table = pd.DataFrame(
        {
            "x": rng.normal(5.0, 2.0, ROWS),
            "stim": np.tile(["off", "on"], ROWS // 2),
            "mouse": [f"m{j}" for j in mouse],
            "trials": 12,
        }
    )
    table["eta"] = (
        0.2
        + 0.1 * (table["x"] - 5)
        + 0.3 * (table["stim"] == "on")
        + rng.normal(0, 0.4, GROUPS)[mouse]
    )
    return table


MEMBERS = sorted({member.name for member in FAMILIES.values()})


@pytest.mark.parametrize("family", MEMBERS)
def test_every_family(table, family):
    response = "prop(y, trials)" if FAMILIES[family].required else "y"
    formula = f"{response} ~ x * stim + (1 | mouse)"
    start = bz.Model(formula, table.assign(y=_any(FAMILIES[family])), family=family)
    scalars = {p.name: 3.0 for p in start.spec.family.parameters} | {"psi": 0.7, "sigma": 0.5}
    values = {
        "Intercept": 0.3,
        "x": 0.05,
        "stim": 0.2,
        "x:stim": 0.03,
        "sd(1|mouse)": 0.5,
        **{name: scalars[name] for name in start.spec.scalars},
    }
    data = start.simulate(values, seed=4)
    fit = bz.Model(formula, data, family=family).fit("laplace", progress=False)
    assert fit.diagnose() == []


def _any(family):
    """Responses that a family takes, of which only the support matters."""
    return (
        np.resize([0.0, 1.0], ROWS)
        if family.support.holds(np.zeros(1)).all() and (family.support.holds(np.ones(1)).all())
        else np.resize([0.3, 0.6], ROWS)
    )


@pytest.mark.parametrize("method", ["map", "svi", "lme"])
def test_every_method_with_groups(table, method):
    rng = np.random.default_rng(21)
    data = table.assign(y=table["eta"] + rng.normal(0, 0.3, ROWS))
    assert (
        bz.fit("y ~ x + stim + (1 | mouse)", data, method=method, progress=False).diagnose() == []
    )


@pytest.mark.parametrize("method", ["ols", "glm", "map"])
def test_every_method_without_groups(table, method):
    rng = np.random.default_rng(22)
    data = table.assign(y=table["eta"] + rng.normal(0, 0.3, ROWS))
    formula = "y ~ stim + bs(x, df=6):stim" if method == "map" else "y ~ x * stim"
    assert bz.fit(formula, data, method=method, progress=False).diagnose() == []


def test_temporal_terms_populations_and_modelled_scales(table):
    data, truth = bz.datasets.population(neurons=3, bins=2_000)
    fit = bz.fit(truth["formula"], data, family="poisson", method="map", progress=False)
    assert fit.diagnose() == []
    rng = np.random.default_rng(23)
    noisy = table.assign(y=table["eta"] + rng.normal(0, np.exp(0.2 * (table["x"] - 5))))
    fit = bz.fit("y ~ x\nsigma ~ x + stim", noisy, method="laplace", progress=False)
    assert fit.diagnose() == []


def test_priors_that_agree_with_the_data(table):
    rng = np.random.default_rng(24)
    data = table.assign(y=table["eta"] + rng.normal(0, 0.3, ROWS))
    priors = {
        "Intercept": bz.Normal(0, 1),
        "slopes": bz.Normal(0, 0.5),
        "sd(1|mouse)": bz.HalfNormal(1.0),
        "sigma": "exponential(1)",
    }
    model = bz.Model("y ~ x + stim + (1 | mouse)", data, priors=priors)
    assert model.fit("laplace", progress=False).diagnose() == []
