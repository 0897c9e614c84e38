"""One program per structure: other data, seeds, priors and lengths compile nothing."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.programs import COUNTS


def _table(seed, rows):
    rng = np.random.default_rng(seed)
    group = np.arange(rows) % 12
    x = rng.normal(size=rows)
    mean = np.exp(1 + 0.3 * x + 0.3 * rng.normal(size=12)[group])
    return pd.DataFrame({"y": rng.gamma(3, mean / 3), "x": x, "g": [f"g{k}" for k in group]})


CASES = {
    "nuts, exact": ("y ~ x + (1 + x | g)", "normal", "nuts"),
    "nuts, sampled": ("y ~ x + (1 | g)", "gamma", "nuts"),
    "nuts, no groups": ("y ~ x", "student", "nuts"),
    "map": ("y ~ x + (1 | g)", "gamma", "map"),
    "laplace": ("y ~ x + (1 | g)", "gamma", "laplace"),
    "glmm": ("y ~ x + (1 | g)", "gamma", "glmm"),
}


@pytest.mark.parametrize("case", CASES)
def test_refits_compile_nothing(case):
    formula, family, method = CASES[case]
    options = {"draws": 20, "tune": 20} if method == "nuts" else {}

    def fit(seed, rows, priors=None, **changed):
        model = bz.Model(formula, _table(seed, rows), family=family, priors=priors)
        return model.fit(method, seed=seed, progress=False, **(options | changed))

    fit(0, 240)
    before = COUNTS["compiled"]
    again = [
        fit(1, 240),
        fit(2, 236),
        fit(3, 240, priors={"x": bz.Normal(0.1, 0.7)}),
    ]
    if method == "nuts":
        again.append(fit(4, 240, draws=130))
    assert COUNTS["compiled"] == before
    assert all(np.isfinite(fit.summary()["mean"]).all() for fit in again)
