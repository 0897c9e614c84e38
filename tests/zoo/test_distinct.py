"""Columns named like parameters of the family keep their own coefficients."""

import numpy as np
import pandas as pd

import bayeszoo as bz


def table() -> pd.DataFrame:
    generator = np.random.default_rng(4)
    sigma = generator.normal(size=40)
    return pd.DataFrame({"y": 1 + 2 * sigma + generator.normal(0, 0.1, 40), "sigma": sigma})


def test_a_column_named_like_a_parameter_is_told_apart_by_i() -> None:
    fit = bz.fit("y ~ I(sigma)", table(), method="ols", progress=False)
    means = fit.summary()["mean"]
    assert abs(means["I(sigma)"] - 2) < 0.1
    assert means["sigma"] < 0.2


def test_where_the_parameter_is_modelled_its_name_is_free() -> None:
    model = bz.Model("y ~ sigma\nsigma ~ 1", table())
    assert list(model.prior_table().index) == ["Intercept", "sigma", "sigma_Intercept"]
