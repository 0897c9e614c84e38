"""Densities of a function of a column as densities of the column."""

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference.backend import Draws
from bayeszoo.inference.backends import find_backend
from bayeszoo.inference.comparison.transformation import log_derivative, read_response
from bayeszoo.inference.fit import Fit

ROWS = 40
Y = np.exp(np.random.default_rng(3).normal(size=ROWS))
DATA = {"y": Y, "x": np.linspace(-1, 1, ROWS), "w": np.arange(ROWS) % 3 + 1.0, "odd name": Y}


@pytest.mark.parametrize(
    ("response", "slope"),
    [
        ("log(y)", 1 / Y),
        ("np.log(y)", 1 / Y),
        ("log2(y)", 1 / Y / np.log(2)),
        ("log10(y)", 1 / Y / np.log(10)),
        ("log1p(y)", 1 / (1 + Y)),
        ("sqrt(y)", 0.5 / np.sqrt(Y)),
        ("exp(y)", np.exp(Y)),
        ("I(y * 1000)", np.full(ROWS, 1000.0)),
        ("I(-y / 2 + 3)", np.full(ROWS, 0.5)),
        ("I(1 / y)", 1 / Y**2),
        ("I(y ** 3)", 3 * Y**2),
        ("log(y / 5 + 0.1)", 1 / (Y + 0.5)),
        ("{2 * y - 1}", np.full(ROWS, 2.0)),
        ("log(`odd name`)", 1 / Y),
        ("weighted(log(y), w)", 1 / Y),
        ("center(y)", np.ones(ROWS)),  # by differences, as it was learned
        ("scale(log(y))", 1 / Y / np.std(np.log(Y), ddof=1)),
        ("squash(y)", 1 / (1 + Y**2)),
    ],
)
def test_slopes(response, slope):
    model = bz.Model(f"{response} ~ x", DATA, functions={"squash": np.arctan})
    found = read_response(model)
    assert len(found.columns) == 1
    np.testing.assert_allclose(log_derivative(model, found), np.log(slope), atol=1e-9)


def made_up(formula, family, natural):
    return Fit(bz.Model(formula, DATA, family=family), find_backend("laplace"), Draws(natural), {})


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by", ["loo", "waic"])
def test_lognormal_and_normal_of_the_logarithm_are_one_model(by, weighted):
    rng = np.random.default_rng(0)
    coefficients = rng.normal([0.0, 0.3], 0.1, (2, 200, 2))
    sigma = rng.gamma(100, 0.01, (2, 200))
    mean = coefficients + np.stack([sigma**2 / 2, np.zeros_like(sigma)], axis=-1)
    left, right = ("weighted(y, w)", "weighted(log(y), w)") if weighted else ("y", "log(y)")
    one = made_up(f"{left} ~ x", "lognormal", {"mu.coefficients": mean, "sigma": sigma})
    two = made_up(f"{right} ~ x", "normal", {"mu.coefficients": coefficients, "sigma": sigma})
    table = bz.compare({"one": one, "two": two}, by=by)
    np.testing.assert_allclose(table["elpd_diff"], 0, atol=1e-8)
    np.testing.assert_allclose(table["dse"], 0, atol=1e-8)
    assert any("slope |d log(y) / d y|" in note for note in table.attrs["notes"])


def test_units_do_not_matter():
    formulas = ("y ~ x", "I(y * 1000) ~ x")
    table = bz.compare([bz.fit(f, DATA, method="ols", progress=False) for f in formulas])
    np.testing.assert_allclose(table["delta"], 0, atol=1e-9)


def test_censored_rows_have_probabilities_on_every_scale():
    data = {**DATA, "status": np.where(np.arange(ROWS) % 5 == 0, "right", "none")}
    rng = np.random.default_rng(0)
    natural = {"mu.coefficients": rng.normal(0, 0.1, (2, 50, 2)), "sigma": np.ones((2, 50))}
    mean = natural["mu.coefficients"] + np.array([0.5, 0.0])
    models = [
        (bz.Model("censored(log(y), status) ~ x", data), natural),
        (
            bz.Model("censored(y, status) ~ x", data, family="lognormal"),
            {**natural, "mu.coefficients": mean},
        ),
    ]
    fits = [Fit(m, find_backend("nuts"), Draws(n), {}) for m, n in models]
    table = bz.compare(fits, by="waic")
    np.testing.assert_allclose(table["elpd_diff"], 0, atol=1e-8)


@pytest.mark.parametrize(
    ("response", "words"),
    [("I(y ** 0)", "one-to-one"), ("I(x ** 2)", "one-to-one"), ("I(y // 1)", "one-to-one")],
)
def test_what_is_no_change_of_scale_is_refused(response, words):
    column = "x" if "x" in response else "y"
    other = "y" if column == "x" else "x"
    a = bz.Model(f"{column} ~ w", DATA)
    b = bz.Model(f"{response} ~ {other}", DATA)
    rng = np.random.default_rng(0)
    natural = {"mu.coefficients": rng.normal(size=(1, 20, 2)), "sigma": np.ones((1, 20))}
    fits = [Fit(m, find_backend("nuts"), Draws(natural), {}) for m in (a, b)]
    with pytest.raises(bz.BayeszooError, match=words):
        bz.compare(fits, by="waic")
