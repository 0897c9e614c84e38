"""A few fits, made once, of which questions are asked."""

from __future__ import annotations

from functools import cache

import numpy as np

import bayeszoo as bz
from fuzzing.columns import GOOD, Column
from fuzzing.tables import Recipe, build

MODELS = {
    "ols": ("y ~ x * h + z", "normal", "ols"),
    "plain": ("y ~ x", "normal", "map"),
    "spread": ("y ~ x\nsigma ~ h", "normal", "map"),
    "drawn": ("y ~ x", "normal", "laplace"),
    "twin": ("y ~ x + (1 | g)", "normal", "laplace"),
    "line": ("y ~ x", "normal", "ols"),
    "levels": ("y ~ x * h", "normal", "ols"),
    "counts": ("n ~ x", "poisson", "map"),
    "rates": ("n ~ x", "poisson", "laplace"),
    "slope": ("n ~ x", "poisson", "glm"),
    "map": ("y ~ x + h + (1 | g)", "normal", "map"),
    "lme": ("y ~ x + h + (1 | g)", "normal", "lme"),
    "laplace": ("n ~ x + h", "poisson", "laplace"),
    "glm": ("n ~ x + h", "poisson", "glm"),
    "nuts": ("y ~ x + h", "normal", "nuts"),
    "conv": ("n ~ conv(x, bspline(4, 5)) + h", "poisson", "map"),
    "spline": ("log(w) ~ poly(x, 2) + C(h, contr.sum) + tuning(z, bspline(5))", "normal", "ols"),
    "prop": ("prop(k, m) ~ x + h", "binomial", "laplace"),
    "wide": ("spikes ~ x + h", "poisson", "map"),
}


@cache
def fitted(name: str) -> bz.Fit:
    """Returns the fit of a name."""
    formula, family, method = MODELS[name]
    data = build(Recipe(tuple(Column(c, "good") for c in GOOD), 30, form="dict", seed=1))
    data["spikes"] = np.random.default_rng(0).poisson(1.0, (30, 2))
    options = {"nuts": {"draws": 50, "tune": 50, "chains": 2}}.get(method, {})
    return bz.fit(formula, data, family=family, method=method, progress=False, **options)
