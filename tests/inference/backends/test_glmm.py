"""Generalised linear mixed models against glmer and glmmTMB."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.errors import FitError
from bayeszoo.inference.glmm import find_optimum
from bayeszoo.inference.marginalise import by_laplace

FOLDER = Path(__file__).parents[2] / "reference"
VALUES = pd.read_csv(FOLDER / "values.csv")
GLMER = VALUES[VALUES["method"] == "glmer_laplace"]
FAMILY = {"counts_glmer": "poisson", "binary_glmer": "bernoulli"}


def _wanted(case, quantity):
    rows = GLMER[(GLMER["case"] == case) & (GLMER["quantity"] == quantity)]
    return rows.set_index("term")["value"]


@pytest.mark.parametrize("case", FAMILY)
def test_agrees_with_glmer(case):
    formula = GLMER.loc[GLMER["case"] == case, "formula"].iloc[0]
    file = GLMER.loc[GLMER["case"] == case, "data"].iloc[0]
    model = bz.Model(formula, pd.read_csv(FOLDER / file), family=FAMILY[case])
    fit = model.fit("glmm", progress=False)
    table = fit.summary()
    assert fit.draws.converged and fit.diagnose() == []
    for quantity, column, tolerance in (
        ("estimate", "mean", 1e-5),
        ("sd", "mean", 1e-4),
        ("se", "se", 1e-4),
    ):
        wanted = _wanted(case, quantity)
        np.testing.assert_allclose(table.loc[wanted.index, column], wanted, rtol=tolerance)
    found = find_optimum(by_laplace(model.problem)).log_likelihood
    np.testing.assert_allclose(found, _wanted(case, "loglik").iloc[0], rtol=1e-8)


def test_gamma_with_correlated_slopes_agrees_with_glmmtmb(sleepstudy):
    """glmmTMB 1.1.5: glmmTMB(Reaction ~ Days + (Days | Subject), family = Gamma("log"))."""
    fit = bz.fit(
        "Reaction ~ Days + (Days | Subject)",
        sleepstudy,
        family="gamma",
        method="glmm",
        progress=False,
    )
    table = fit.summary()
    wanted = {
        "Intercept": 5.53251791782,
        "Days": 0.03384995542,
        "sd(1|Subject)": 0.1008578745,
        "sd(Days|Subject)": 0.0175084028,
        "corr(Subject)[Intercept,Days]": -0.0286769427,
        "alpha": 0.08085279104**-2,
    }
    np.testing.assert_allclose(table.loc[list(wanted), "mean"], list(wanted.values()), rtol=2e-4)
    errors = table.loc[["Intercept", "Days"], "se"]
    np.testing.assert_allclose(errors, [0.026276285541, 0.004628558785], rtol=2e-4)
    effects = fit.summary(groups=True).filter(like="|Subject[", axis=0)
    assert len(effects) == 36 and (effects["se"] > 0).all()


def test_variances_at_zero_are_zero_and_named():
    """glmmTMB 1.1.5 on the same counts: both sds below 2e-5, coefficients and errors as here."""
    data = pd.read_csv(FOLDER / "crossed.csv")
    data = data.assign(n=(data["y"] / 60).round().astype(int))
    formula = "n ~ x + (1 | subject) + (1 | item)"
    fit = bz.fit(formula, data, family="poisson", method="glmm", progress=False)
    table = fit.summary()
    np.testing.assert_allclose(
        table.loc[["Intercept", "x"], "mean"], [2.10158881156, 0.03955633946], rtol=1e-5
    )
    np.testing.assert_allclose(
        table.loc[["Intercept", "x"], "se"], [0.01799223086, 0.01768765203], rtol=1e-5
    )
    assert (table.loc[["sd(1|subject)", "sd(1|item)"], "mean"] == 0).all()
    findings = " ".join(fit.diagnose())
    assert "sd(1|subject)" in findings and "sd(1|item)" in findings


def test_independent_effects_with_an_offset():
    """glmmTMB 1.1.5: y ~ x + offset(log(exposure)) + (1 + x || group), poisson."""
    data = pd.read_csv(FOLDER / "counts.csv")
    formula = "y ~ x + offset(log(exposure)) + (x || group)"
    table = bz.fit(formula, data, family="poisson", method="glmm", progress=False).summary()
    wanted = [0.9650580308, 0.3557851294, 0.5324410350, 0.0268307002]
    names = ["Intercept", "x", "sd(1|group)", "sd(x|group)"]
    np.testing.assert_allclose(table.loc[names, "mean"], wanted, rtol=2e-4)
    np.testing.assert_allclose(table.loc["x", "se"], 0.02338139694, rtol=2e-3)


def test_map_with_flat_priors_is_the_same_optimum():
    data = pd.read_csv(FOLDER / "counts.csv")
    formula = "y ~ x + offset(log(exposure)) + (1 | group)"
    flat = {"Intercept": bz.Flat(), "x": bz.Flat(), "sd(1|group)": bz.Flat(low=0)}
    options = {"family": "poisson", "progress": False}
    mode = bz.fit(formula, data, priors=flat, method="map", **options).summary()["mean"]
    twin = bz.fit(formula, data, method="glmm", **options).summary()["mean"]
    np.testing.assert_allclose(mode, twin[mode.index], rtol=1e-5)


@pytest.mark.parametrize(
    ("formula", "family", "words"),
    [
        ("y ~ x", "poisson", "needs group effects"),
        ("y ~ x + student(1 | group)", "poisson", "not normal"),
        ("y ~ x + (1 | group)\nalpha ~ x", "negative_binomial", "one predictor"),
    ],
)
def test_refuses_in_words(formula, family, words):
    data = pd.read_csv(FOLDER / "counts.csv")
    with pytest.raises(FitError, match=words):
        bz.fit(formula, data, family=family, method="glmm", progress=False)
