"""MAP is maximum likelihood under flat priors: R and lme4 on the same data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

HERE = Path(__file__).parent.parent / "reference"
VALUES = pd.read_csv(HERE / "values.csv")


def flat(model_of):
    """A model with all priors flat."""
    names = model_of({}).prior_table().index
    priors = {}
    for name in names:
        if name.startswith("corr("):
            priors[name] = bz.LKJ(1)
        else:
            scale = name.startswith("sd(") or name in ("sigma", "alpha")
            priors[name] = bz.Flat(low=0) if scale else bz.Flat()
    return model_of(priors)


@pytest.mark.parametrize(
    ("case", "formula"),
    [
        ("sleep_correlated", "Reaction ~ Days + (Days | Subject)"),
        ("sleep_uncorrelated", "Reaction ~ Days + (Days || Subject)"),
        ("sleep_intercept", "Reaction ~ Days + (1 | Subject)"),
        ("nested", "y ~ x + (1 | school/class)"),
        ("crossed", "y ~ x + (1 | subject) + (1 | item)"),
    ],
)
def test_mixed_models_equal_lme4(case, formula):
    rows = VALUES[(VALUES["case"] == case) & (VALUES["method"] == "lme_ml")]
    assert len(rows), f"no reference for {case}: {sorted(set(VALUES['case']))}"
    data = (
        pd.read_csv(HERE / rows["data"].iloc[0])
        if case[:5] != "sleep"
        else bz.datasets.sleepstudy()
    )
    model = flat(lambda priors: bz.Model(formula, data, priors=priors))
    fit = model.fit("map", progress=False)
    assert fit.draws.converged
    table = fit.summary()["mean"]
    for _, row in rows[rows["quantity"].isin(["estimate", "sd", "corr", "sigma"])].iterrows():
        assert table[row["term"]] == pytest.approx(row["value"], rel=2e-3, abs=2e-3), row["term"]
    loglik = rows.loc[rows["quantity"] == "loglik", "value"].iloc[0]
    assert fit.draws.stats["lp"].item() == pytest.approx(loglik, abs=1e-5)


@pytest.mark.parametrize(
    ("case", "family", "formula"),
    [
        ("counts", "poisson", "y ~ x + offset(log(exposure)) + (1 | group)"),
        ("binary", "bernoulli", "y ~ x + (1 | group)"),
    ],
)
def test_laplace_likelihood_of_generalised_mixed_models(case, family, formula):
    rows = VALUES[(VALUES["data"] == f"{case}.csv") & (VALUES["method"] == "glmer_laplace")]
    data = pd.read_csv(HERE / f"{case}.csv")
    model = flat(lambda priors: bz.Model(formula, data, family=family, priors=priors))
    fit = model.fit("map", progress=False)
    table = fit.summary()["mean"]
    for _, row in rows[rows["quantity"].isin(["estimate", "sd"])].iterrows():
        assert table[row["term"]] == pytest.approx(row["value"], rel=1e-4), row["term"]


def test_a_boundary_is_named():
    rng = np.random.default_rng(2)
    data = {"y": rng.normal(size=90), "g": np.repeat(np.arange(9), 10)}
    y = data["y"]
    data["y"] = y - np.repeat(y.reshape(9, 10).mean(axis=1), 10)  # no spread between groups at all
    fit = bz.fit("y ~ 1 + (1 | g)", data, method="map", progress=False)
    assert any("sd(1|g)" in finding and "boundary" in finding for finding in fit.diagnose())


def test_separation_is_found():
    x = np.linspace(-1, 1, 40)
    data = {"y": (x > 0).astype(int), "x": x}
    model = flat(lambda priors: bz.Model("y ~ x", data, family="bernoulli", priors=priors))
    findings = model.fit("map", progress=False).diagnose()
    assert any("separate" in finding for finding in findings)
    proper = bz.fit("y ~ x", data, family="bernoulli", method="map", progress=False)
    assert proper.diagnose() == []
