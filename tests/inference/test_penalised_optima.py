"""Penalised modes through the front door are the optima of regularised regression.

Reference: nemos 0.2.8, float64, `PopulationGLM(observation_model=..., regularizer=...,
regularizer_strength=0.05)` (elastic net: (0.05, 0.5); group lasso:
`GLM`, one group of four), tol 1e-12.
"""

import numpy as np
import pytest

import bayeszoo as bz

PRIORS = {"ridge": bz.Ridge(0.05), "lasso": bz.Lasso(0.05), "en": bz.ElasticNet(0.05, 0.5)}
OPTIMA = {
    ("ridge", "poisson"): [
        [0.17149131, 0.22591442],
        [0.41033994, -0.02215208],
        [-0.03582501, -0.39671239],
        [0.27334942, 0.30391581],
        [0.00371210, 0.01967028],
    ],
    ("ridge", "normal"): [
        [0.00839807, 0.06825612],
        [0.47607657, 0.00316000],
        [0.05179575, -0.30638557],
        [0.31830440, 0.28969363],
        [-0.00296061, -0.05086544],
    ],
    ("lasso", "poisson"): [
        [0.18988991, 0.24294047],
        [0.38761597, -0.00000000],
        [-0.00000000, -0.37190365],
        [0.24460525, 0.27663503],
        [0.00000000, 0.00000000],
    ],
    ("lasso", "normal"): [
        [0.00573487, 0.06705569],
        [0.46177197, 0.00000000],
        [0.02593404, -0.28702610],
        [0.30270560, 0.27097936],
        [-0.00000000, -0.02833640],
    ],
    ("en", "poisson"): [
        [0.18108966, 0.23517139],
        [0.39926394, -0.00329879],
        [-0.01668565, -0.38387377],
        [0.25923641, 0.28995262],
        [0.00000000, 0.00205229],
    ],
    ("en", "normal"): [
        [0.00697030, 0.06767683],
        [0.46899140, 0.00000000],
        [0.03898923, -0.29690200],
        [0.31061106, 0.28048704],
        [-0.00000000, -0.03970261],
    ],
}
"""Intercepts, then four coefficients, of two neurons."""
GROUP_LASSO = [0.19806803, 0.35749963, -0.03371317, 0.24102213, 0.00241562]


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 4))
    eta = x @ np.array([[0.5, 0], [0, -0.4], [0.3, 0.3], [0, 0]])
    counts = rng.poisson(np.exp(0.2 + eta)).astype(float)
    return {"poisson": counts, "normal": eta + rng.normal(size=(400, 2)), "X": x}


@pytest.mark.parametrize("name, family", OPTIMA)
def test_a_penalty_of_some_strength_has_the_optimum_of_regularised_regression(name, family):
    priors = {"Intercept": bz.Flat(), "X": PRIORS[name]}
    fit = bz.fit(
        f"{family} ~ X", data(), family=family, method="map", priors=priors, progress=False
    )
    posterior = fit.idata.posterior
    found = np.vstack([posterior["Intercept"].values[0], posterior["X"].values[0, 0]])
    np.testing.assert_allclose(found, OPTIMA[name, family], atol=1e-7)
    assert fit.diagnose() == []


def test_a_group_lasso_is_about_a_term_as_a_whole():
    one = {"y": data()["poisson"][:, 0], "X": data()["X"]}
    priors = {"Intercept": bz.Flat(), "X": bz.GroupLasso(0.05)}
    fit = bz.fit("y ~ X", one, family="poisson", method="map", priors=priors, progress=False)
    np.testing.assert_allclose(fit.summary()["mean"], GROUP_LASSO, atol=1e-7)
