"""Degrees of freedom, singular fits and crossed factors, against lmerTest and lme4.

Made by R 4.2.2 with lme4 1.1-31 and lmerTest 3.1-3, from tables written with 17 digits:

    ctl <- lmerControl("bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-10, maxfun = 1e5))
    m <- lmer(formula, data, REML = reml, control = ctl)
    coef(summary(m)); VarCorr(m); logLik(m); isSingular(m); ranef(m, condVar = TRUE)
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

ROOT = Path(__file__).parents[3]
SLEEP = pd.read_csv(ROOT / "datasets" / "tables" / "sleepstudy.csv").astype({"Subject": str})
CROSSED = pd.read_csv(ROOT / "tests" / "reference" / "crossed.csv")
MICE = pd.read_csv(ROOT / "tests" / "reference" / "factor_slope.csv")


def uneven():
    third = np.arange(1, len(SLEEP) + 1) % 3 == 1
    late = SLEEP.Subject.isin(["308", "309"]) & (SLEEP.Days > 4)
    return SLEEP[~third & ~late]


def line(kind):
    """Effects without spread, on a line, or nearly in a plane; formulas instead of a generator."""
    i = np.arange(120)
    g, x, z = i // 10, (i % 10) / 4.5 - 1, np.cos(1.7 * i)
    e = np.sin(1.0 + i * i * 0.37) + 0.7 * np.cos(3.1 * i)
    b, c = np.sin(2.3 * np.arange(12) + 0.5), np.cos(5.1 * np.arange(12))
    y = {
        "zero": 1 + 0.5 * x + e - pd.Series(e).groupby(g).transform("mean").to_numpy(),
        "line": 1 + 0.5 * x + b[g] * (1 + 0.9 * x) + e,
        "plane": 1 + 0.5 * x + b[g] * (1 + 0.9 * x - 0.4 * z) + 0.6 * c[g] * (x + z) + e,
    }[kind]
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": [f"g{k:02d}" for k in g]})


def students(rows=7300, s=297, d=112, k=14):
    """Students who rate some lecturers of departments, like lme4's InstEval at a tenth of its size."""
    i = np.arange(rows)
    a, b = i % s, (i * i * 31 + i * 17 + i // s) % d
    c = (b * 5 + (i % 11 == 0) * i) % k
    x = np.sin(0.7 * i) + np.cos(0.013 * i * i)
    y = 3.2 + 0.1 * x + 1.2 * np.sqrt(2) * np.sin(1.0 + 0.37 * i * i)
    y += 0.45 * np.sin(2.3 * np.arange(s) ** 2)[a] + 0.7 * np.cos(5.1 * np.arange(d) ** 2)[b]
    y += 0.2 * np.sin(1.9 * np.arange(k))[c]
    names = {"s": [f"s{j:03d}" for j in a], "d": [f"d{j:03d}" for j in b], "k": list(map(str, c))}
    return pd.DataFrame({"y": y, "x": x, **names})


def fit(formula, table, **options):
    return bz.Model(formula, table).fit("lme", progress=False, **options)


DEGREES = [
    ("Reaction ~ Days + (Days | Subject)", SLEEP, True, [17.0, 17.0]),
    ("Reaction ~ Days + (Days | Subject)", SLEEP, False, [18.0, 18.0]),
    ("Reaction ~ Days + (1 | Subject)", SLEEP, True, [22.81019827, 161.0]),
    ("Reaction ~ Days + (Days || Subject)", SLEEP, True, [18.15620223, 18.15620201]),
    ("Reaction ~ Days + (Days | Subject)", uneven(), True, [16.33204989, 13.66358097]),
    ("Reaction ~ Days + (Days | Subject)", uneven(), False, [17.26608421, 14.47338847]),
    ("y ~ x + (1 | subject) + (1 | item)", CROSSED, True, [32.34087338, 365.27573272]),
    ("y ~ x + (1 + x | subject) + (1 | item)", CROSSED, True, [32.77003971, 22.63542406]),
    ("y ~ stim + (1 + stim | mouse)", MICE, True, [18.98162302, 17.70476224, 18.51064654]),
    ("y ~ x + (1 | g)", line("zero"), True, [118.0, 118.0]),
    ("y ~ x + (1 | g)", line("zero"), False, [120.0, 120.0]),
    ("y ~ x + (1 + x | g)", line("line"), True, [11.00868655, 12.08384699]),
    ("y ~ x + (1 + x | g)", line("line"), False, [12.01694040, 13.37694416]),
    ("y ~ x + z + (1 + x + z | g)", line("plane"), True, [11.00175372, 11.02869123, 11.38683285]),
    ("y ~ x + z + (1 + x + z | g)", line("plane"), False, [12.02693693, 12.26474574, 12.70988221]),
]


@pytest.mark.parametrize(("formula", "table", "reml", "expected"), DEGREES)
def test_degrees_of_freedom_are_those_of_lmertest(formula, table, reml, expected):
    exact = fit(formula, table, reml=reml).draws.table
    coefficients = exact[exact["tested"].astype(bool)]
    np.testing.assert_allclose(coefficients["df"], expected, rtol=2e-5)
    assert np.isinf(exact.loc["sigma", "df"])


def test_p_values_and_intervals_take_the_t_distribution():
    table = fit("Reaction ~ Days + (Days | Subject)", SLEEP).summary()
    assert table.loc["Days", "p_value"] == pytest.approx(3.263790020e-06, rel=1e-5)
    reach = 2.1098155778331806 * table.loc["Days", "se"]  # qt(0.975, 17)
    assert table.loc["Days", "upper"] == pytest.approx(table.loc["Days", "mean"] + reach, rel=1e-6)
    normal = fit("Reaction ~ Days + (Days | Subject)", SLEEP, df="normal").summary()
    assert normal.loc["Days", "p_value"] == pytest.approx(1.2746e-11, rel=1e-3)
    np.testing.assert_allclose(normal[["mean", "se"]], table[["mean", "se"]], rtol=1e-12)


def test_known_errors_leave_the_normal_distribution_where_nothing_varies():
    error = np.full(12, 0.5)
    data = {"y": 0.1 * np.cos(np.arange(12)), "e": error, "g": [str(i) for i in range(12)]}
    found = fit("measured(y, e) ~ 1 + (1 | g)", data)
    assert found.summary().loc["sd(1|g)", "mean"] == 0
    assert np.isinf(found.draws.table.loc["Intercept", "df"])


SINGULAR = [
    ("zero", True, -152.3668141793, {"x": 0.5162770538, "sd(1|g)": 0.0, "sigma": 0.84835044}),
    (
        "line",
        True,
        -170.886213803,
        {"sd(1|g)": 0.72927365, "sd(x|g)": 0.55766342, "corr(g)[Intercept,x]": 1.0},
    ),
    ("line", False, -169.2499043149, {"x": 0.5590068299, "sd(1|g)": 0.69478733}),
    (
        "plane",
        False,
        -177.9020606121,
        {
            "z": 0.06217910916,
            "sd(z|g)": 0.49896845,
            "corr(g)[Intercept,x]": 0.841297,
            "corr(g)[Intercept,z]": -0.521041,
            "corr(g)[x,z]": 0.023047,
        },
    ),
]


@pytest.mark.parametrize(("kind", "reml", "log_likelihood", "expected"), SINGULAR)
def test_singular_fits_agree_and_name_the_boundary(kind, reml, log_likelihood, expected):
    effects = {"zero": "1", "line": "1 + x", "plane": "1 + x + z"}[kind]
    common = "x + z" if kind == "plane" else "x"
    found = fit(f"y ~ {common} + ({effects} | g)", line(kind), reml=reml)
    assert found.draws.log_likelihood == pytest.approx(log_likelihood, rel=1e-10)
    table = found.summary()
    for name, value in expected.items():
        assert table.loc[name, "mean"] == pytest.approx(value, abs=2e-6)
    name = "`sd(1|g)`" if kind == "zero" else "`corr(g)`"
    (finding,) = found.diagnose()
    assert name in finding and "boundary" in finding
    assert np.isfinite(found.predict().to_numpy()).all()


def test_a_fit_near_its_boundary_is_not_singular():
    found = fit("y ~ x + z + (1 + x + z | g)", line("plane"))
    assert found.draws.log_likelihood == pytest.approx(-180.1558379575, rel=1e-10)
    assert found.diagnose() == []


def test_uncorrelated_effects_at_zero_are_named_one_by_one():
    table = line("zero").assign(h=[str(i % 10) for i in range(120)])
    found = fit("y ~ x + (1 + x || g) + (1 | h)", table)
    exact = found.summary()
    zero = [name for name in ("sd(1|g)", "sd(x|g)", "sd(1|h)") if exact.loc[name, "mean"] == 0]
    assert "sd(1|g)" in zero
    (finding,) = found.diagnose()
    for name in ("sd(1|g)", "sd(x|g)", "sd(1|h)"):
        assert (f"`{name}`" in finding) == (name in zero)


CROSSED_CASES = [
    (
        True,
        -11980.52202383,
        [3.174188381622, 0.078088239204],
        [0.061396411237, 0.014292444971],
        [35.160973214, 7006.876383178],
        [0.3433449827, 0.4562180369, 0.1357145358, 1.1981141573],
        {"1|s[s000]": 0.04333586064, "1|d[d001]": 0.3584887697, "1|k[0]": -0.04810581224},
        {"1|s[s000]": 0.2011506904, "1|d[d001]": 0.1607958240, "1|k[0]": 0.08619745369},
    ),
    (
        False,
        -11975.31452207,
        [3.174180287414, 0.078105571481],
        [0.060563761761, 0.014291531544],
        [38.063995706, 7007.786962593],
        [0.3431796135, 0.4550993689, 0.1308811035, 1.1980495600],
        {"1|s[s000]": 0.04219866269, "1|d[d001]": 0.3569039633, "1|k[0]": -0.04676763469},
        {"1|s[s000]": 0.2010380164, "1|d[d001]": 0.1602671548, "1|k[0]": 0.08484072074},
    ),
]


@pytest.mark.parametrize(
    ("reml", "log_likelihood", "mean", "se", "df", "spread", "modes", "conditional"), CROSSED_CASES
)
def test_sparsely_crossed_factors(reml, log_likelihood, mean, se, df, spread, modes, conditional):
    table = students()
    found = fit("y ~ x + (1 | s) + (1 | d) + (1 | k)", table, reml=reml, draws=200)
    exact = found.draws.table
    assert found.diagnose() == []
    assert found.draws.log_likelihood == pytest.approx(log_likelihood, rel=1e-11)
    rows = exact.loc[["Intercept", "x"]]
    np.testing.assert_allclose(rows["estimate"], mean, rtol=1e-7)
    np.testing.assert_allclose(rows["se"], se, rtol=1e-6)
    np.testing.assert_allclose(rows["df"], df, rtol=1e-5)
    names = ["sd(1|s)", "sd(1|d)", "sd(1|k)", "sigma"]
    np.testing.assert_allclose(exact.loc[names, "estimate"], spread, rtol=1e-6)
    np.testing.assert_allclose(exact.loc[list(modes), "estimate"], list(modes.values()), rtol=1e-5)
    # lme4 takes the coefficients for known, Henderson's equations do not
    assert (exact.loc[list(conditional), "se"] > list(conditional.values())).all()
    assert exact.loc["1|s[s000]", "se"] == pytest.approx(conditional["1|s[s000]"], rel=0.01)


def test_errors_of_group_effects_count_the_coefficients_in():
    found = fit("Reaction ~ Days + (Days | Subject)", SLEEP).draws.table
    sd, corr, sigma = (
        found.loc[["sd(1|Subject)", "sd(Days|Subject)"], "estimate"].to_numpy(),
        found.loc["corr(Subject)[Intercept,Days]", "estimate"],
        found.loc["sigma", "estimate"],
    )
    covariance = np.outer(sd, sd) * [[1, corr], [corr, 1]]
    one = np.column_stack([np.ones(10), np.arange(10.0)])
    x, z = np.tile(one, (18, 1)), np.kron(np.eye(18), one)
    precision = np.kron(np.eye(18), np.linalg.inv(covariance / sigma**2))
    unknown = sigma**2 * np.linalg.inv(
        np.block([[x.T @ x, x.T @ z], [z.T @ x, z.T @ z + precision]])
    )
    known = sigma**2 * np.linalg.inv(z.T @ z + precision)
    # attr(ranef(m, condVar = TRUE)$Subject, "postVar")
    np.testing.assert_allclose(np.sqrt(np.diag(known)[:2]), [12.07083651, 2.304836978], rtol=1e-6)
    rows = found.loc[["1|Subject[308]", "Days|Subject[308]"]]
    np.testing.assert_allclose(rows["estimate"], [2.258565501, 9.198971904], rtol=1e-6)
    np.testing.assert_allclose(rows["se"], np.sqrt(np.diag(unknown)[2:4]), rtol=1e-6)
