"""Statements about parameters: reading, probabilities, refusals."""

import numpy as np
import pytest
from scipy import stats

import bayeszoo as bz
from bayeszoo.inference.effects.names import match_name
from bayeszoo.inference.effects.statements import evaluate, names_in, read_statement

NAMES = dict.fromkeys(
    ["x", "x2", "x:z", "C(g)[b]", "C(g)[c]", "log(x)", "sd(1|mouse)", "1|mouse[m1]", "1|mouse[m2]",
     "corr(mouse)[Intercept,x]", "cos(x, 2)[a b]"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x + 2 * x2 > 0", 2 + 2 * 3),
        ("-x ** 2 > 0", -4),
        ("(x - x2) / 4 - -1 > 0", -0.25 + 1),
        ("2 ** x ** 2 > 0", 16),
        ("exp(log(x)) + sqrt(x * 8) + abs(-x2) > 0", np.exp(7) + 4 + 3),
        ("log(x + 0) > 0", np.log(2)),
        ("x:z - x > 0", 5 - 2),
        ("`C(g)[b]` - C(g)[c] > 0", 10),
        ("1|mouse[m1] - 1 | mouse[m2] > 0", 1),
        ("1e-1 * sd(1|mouse) > 0", 0.4),
        ("corr(mouse)[Intercept, x] > 0", 0.3),
        ("cos(x, 2)[a b] * 1.5 > 0", 9),
        ("8 / 2 / 2 * x > 0", 4),
    ],
)
def test_arithmetic_over_printed_names(text, value):
    values = dict(zip(NAMES, [2, 3, 5, 20, 10, 7, 4, 2, 1, 0.3, 6], strict=True))
    statement = read_statement(text, NAMES)
    assert evaluate(statement.sides[0], values, np) == pytest.approx(value)
    assert set(names_in(statement)) <= set(NAMES)


def test_the_longest_name_wins_and_ends_at_a_word():
    assert match_name("x:z > 0", 0, NAMES) == ("x:z", 3)
    assert match_name("xx > 0", 0, NAMES) is None
    assert match_name("log(x) > 0", 0, NAMES) == ("log(x)", 6)


@pytest.fixture(scope="module")
def fit(unbalanced):
    return bz.fit("y ~ g + x + (1 | mouse)", unbalanced, method="laplace", progress=False)


def test_probabilities_are_shares_of_draws(fit):
    posterior = fit.idata.posterior
    x = posterior["x"].to_numpy().reshape(-1)
    g = posterior["g"].sel(g_dim="b").to_numpy().reshape(-1)
    table = fit.hypothesis(["x > 0.3", "g[b] < 2*x", "0 < x < 0.5", "1|mouse[m1] > 1|mouse[m2]"])
    assert table["hypothesis"].tolist()[0] == "x > 0.3"
    assert table["probability"].tolist()[:3] == [
        (x > 0.3).mean(),
        (g < 2 * x).mean(),
        ((x > 0) & (x < 0.5)).mean(),
    ]
    np.testing.assert_allclose(
        table["mean"][:3], [(x - 0.3).mean(), (g - 2 * x).mean(), x.mean()], rtol=1e-9
    )
    np.testing.assert_allclose(table["sd"][1], (g - 2 * x).std(ddof=1), rtol=1e-9)


def test_least_squares_hypotheses_are_one_sided_tests(unbalanced):
    fit = bz.fit("y ~ g + x", unbalanced, method="ols", progress=False)
    row = fit.hypothesis("g[b] - 2 * x > 0.1").loc[0]
    test = fit.result.t_test("g[b] - 2 * x = 0.1")
    estimate = float(np.squeeze(test.effect)) - 0.1
    np.testing.assert_allclose(row["mean"], estimate, rtol=1e-9)
    np.testing.assert_allclose(row["se"], np.squeeze(test.sd), rtol=1e-9)
    np.testing.assert_allclose(
        row["p_value"], stats.t.sf(estimate / row["se"], test.df_denom), rtol=1e-8
    )
    np.testing.assert_allclose(row["probability"], 1 - row["p_value"], rtol=1e-12)
    less = fit.hypothesis("g[b] - 2 * x < 0.1").loc[0]
    np.testing.assert_allclose(less["p_value"], row["probability"], rtol=1e-12)
    curved = fit.hypothesis("exp(x) > 1").loc[0]
    slope = fit.summary().loc["x"]
    np.testing.assert_allclose(curved["se"], np.exp(slope["mean"]) * slope["se"], rtol=1e-9)
    chain = fit.hypothesis("-1 < x < 1").loc[0]
    df = len(unbalanced) - 4
    ends = [stats.t.sf((1 + s * slope["mean"]) / slope["se"], df) for s in (1, -1)]
    np.testing.assert_allclose(chain["p_value"], max(ends), rtol=1e-8)
    np.testing.assert_allclose(chain["probability"], 1 - sum(ends), rtol=1e-8)


def test_parameters_of_variance_are_tested_by_draws(unbalanced):
    fit = bz.fit("y ~ g + x", unbalanced, method="ols", progress=False)
    row = fit.hypothesis("sigma > 0.2").loc[0]
    np.testing.assert_allclose(row["mean"], fit.summary().loc["sigma", "mean"] - 0.2, rtol=1e-9)
    assert row["probability"] > 0.99
    point = bz.fit("y ~ g + x", unbalanced, method="map", progress=False).hypothesis("x > 0")
    assert np.isnan(point["probability"][0])
