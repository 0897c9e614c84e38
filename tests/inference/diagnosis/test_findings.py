"""Each kind of trouble, in data that have it; and what the sentence names."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.errors import FitError, FormulaError
from bayeszoo.inference.diagnosis import DIAGNOSTICS

ROWS = 240


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(30)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=ROWS),
            "w": rng.normal(size=ROWS),
            "mouse": np.repeat([f"m{j}" for j in range(8)], ROWS // 8),
            "few": np.tile(list("pqr"), ROWS // 3),
            "stim": np.tile(["off", "on"], ROWS // 2),
        }
    )
    shift = np.repeat(rng.normal(size=8), ROWS // 8)
    table["y"] = 1 + 0.5 * table["x"] + shift + rng.normal(size=ROWS)
    return table


def findings(formula, data, method="laplace", **options):
    return bz.fit(formula, data, method=method, progress=False, **options).diagnose()


def only(formula, data, method="laplace", **options):
    (finding,) = findings(formula, data, method, **options)
    return finding


@pytest.mark.parametrize("method", ["laplace", "map", "ols"])
def test_nearly_collinear_columns_are_named_with_their_weights(table, method):
    rng = np.random.default_rng(31)
    near = table.assign(z=2 * table["x"] - 3 * table["w"] + 1e-3 * rng.normal(size=ROWS))
    found = only("y ~ x + w + z + stim", near, method)
    assert "`z` is nearly a combination" in found
    assert "2 `x`" in found and "-3 `w`" in found and "stim" not in found


def test_products_far_from_zero_are_named_and_centring_cures_them(table):
    far = table.assign(year=2000 + table["x"])
    assert "2e+03 `stim[on]`" in only("y ~ year * stim", far)
    assert findings("y ~ center(year) * stim", far) == []


def test_collinear_columns_of_further_parameters(table):
    rng = np.random.default_rng(32)
    near = table.assign(z=2 * table["x"] + 1e-3 * rng.normal(size=ROWS))
    assert "0.5 `z`" in only("y ~ w\nsigma ~ x + z", near)


def test_two_independent_combinations_are_two_findings(table):
    rng = np.random.default_rng(33)
    near = table.assign(
        u=table["x"] + 1e-3 * rng.normal(size=ROWS), v=-table["w"] + 1e-3 * rng.normal(size=ROWS)
    )
    found = findings("y ~ x + u + w + v", near)
    assert len(found) == 2 and sum("`x`" in f and "`u`" in f for f in found) == 1


def test_columns_of_one_basis_may_overlap(table):
    assert findings("y ~ x + I(x ** 2) + I(x ** 3) + bs(w, df=20)", table) == []


def test_exact_combinations_and_empty_cells_are_refused_by_every_method(table):
    exact = table.assign(z=2 * table["x"] - 3 * table["w"])
    with pytest.raises(FormulaError, match=r"collinear.*`x`, `w`"):
        bz.Model("y ~ x + w + z", exact)
    empty = table[(table["few"] != "r") | (table["stim"] != "on")]
    with pytest.raises(FormulaError, match="no row has this combination"):
        bz.Model("y ~ few * stim", empty)


def test_levels_without_weight(table):
    data = table.assign(n=(table["few"] != "r").astype(float))
    assert "`few[r]`: all rows have the weight 0" in only("weighted(y, n) ~ few", data)
    with pytest.raises(FitError, match=r"`few\[r\]` is 0 in every row that counts"):
        bz.fit("weighted(y, n) ~ few", data, method="ols")


def test_priors_that_the_data_contradict(table):
    priors = {"x": bz.Normal(10, 0.5), "w": bz.Normal(0, 1), "sigma": bz.Exponential(100)}
    found = findings("y ~ x + w", table, priors=priors)
    assert len(found) == 2
    assert any("`x`, Normal(10, 0.5)" in f and "disagree" in f for f in found)
    assert any("`sigma`, Exponential(100)" in f for f in found)


def test_a_prior_that_wins_against_the_data_is_a_conflict_too(table):
    assert "Normal(0, 0.03)" in only("y ~ x", table, priors={"x": bz.Normal(0, 0.03)}, draws=4000)


def test_conflicts_are_rare_where_the_prior_is_true():
    """Parameters from the prior, data from the model: under 1 conflict expected in 200 fits."""
    rng = np.random.default_rng(34)
    tables = []
    for _ in range(200):
        x = rng.normal(size=30)
        tables.append({"x": x, "y": rng.normal(0, 0.5) * x + rng.normal(size=30)})
    priors = {"x": bz.Normal(0, 0.5)}
    fits = bz.fit_many("y ~ x", tables, method="laplace", priors=priors, progress=False)
    assert sum(len(fit.diagnose()) for fit in fits) <= 4  # P(more) < 1e-3 at 0.27% each


def test_penalties_are_no_beliefs(table):
    assert findings("y ~ x", table, "map", priors={"x": bz.Ridge(10.0)}) == []


@pytest.mark.parametrize(("method", "remedy"), [("laplace", "prior"), ("lme", '"nuts"')])
def test_few_groups(table, method, remedy):
    rng = np.random.default_rng(35)
    data = table.assign(y=table["y"] + table["few"].map({"p": -3.0, "q": 0.0, "r": 3.0}))
    data["y"] += rng.normal(size=ROWS)
    found = only("y ~ x + (1 | few)", data, method)
    assert "`few` has only 3 level(s), so `sd(1|few)` is hardly known" in found and remedy in found
    told = {"sd(1|few)": bz.HalfNormal(5.0)}
    assert findings("y ~ x + (1 | few)", data, priors=told) == []


def test_rows_alone_in_their_groups(table):
    data = table.assign(row=[f"r{max(i, 9)}" for i in range(ROWS)])
    found = findings("y ~ x + (1 | row)", data)
    assert any("230 of 240 rows are alone in their group of `row`" in f for f in found)
    rng = np.random.default_rng(36)
    counts = data.assign(n=rng.poisson(np.exp(rng.normal(1, 0.7, ROWS))))
    # an effect of each row is how a Poisson model takes up overdispersion
    assert findings("n ~ x + (1 | row)", counts, family="poisson") == []


def test_effects_that_vary_within_no_group(table):
    data = table.assign(age=table["mouse"].str[1:].astype(float))
    found = findings("y ~ age + (1 + age | mouse)", data)
    assert any("`age` is the same in all rows of each `mouse`" in f for f in found)


def test_silent_neurons_and_pareto_k(table):
    rng = np.random.default_rng(37)
    spikes = rng.poisson(1.0, (ROWS, 4))
    spikes[:, 2] = 0
    data = {"spikes": spikes, "x": table["x"].to_numpy()}
    assert "neuron 2 of `spikes` is 0 in all 240 rows" in only(
        "spikes ~ x", data, "map", family="poisson"
    )
    rows = {"k": spikes[:, 2], "j": 1 + spikes[:, 2], "n": 3 + spikes[:, 2], "x": data["x"]}
    for response, family, what in (
        ("k", "poisson", "0"),
        ("j", "bernoulli", "1"),
        ("prop(n, n)", "binomial", "all of its trials"),
    ):
        found = only(f"{response} ~ x", rows, "map", family=family)
        assert f"is {what} in all 240 rows" in found
    odd = {"x": np.append(rng.normal(size=30), 6.0), "y": np.append(rng.normal(size=30), 40.0)}
    fit = bz.fit("y ~ x", odd, method="laplace", progress=False)
    assert fit.diagnose() == []
    k = fit.loo(pointwise=True).pareto_k
    (finding,) = fit.diagnose()
    assert "Pareto k" in finding and str(int(k.to_numpy().argmax())) in finding


def test_more_coefficients_than_rows_and_unfinished_optimisations(table):
    rng = np.random.default_rng(38)
    wide = {"y": rng.normal(size=12)} | {f"x{i}": rng.normal(size=12) for i in range(15)}
    found = findings("y ~ " + " + ".join(f"x{i}" for i in range(15)), wide, "map")
    assert any("16 coefficients but only 12 rows" in f for f in found)
    found = only("y ~ x", table, "svi", max_steps=250)
    assert "did not converge" in found and "Raise max_steps (it was 250)" in found


def test_many_predictors_are_fine_and_every_member_is_ranked():
    rng = np.random.default_rng(39)
    columns = {f"x{i}": rng.normal(size=2000) for i in range(200)}
    wide = {"y": rng.normal(size=2000), **columns}
    fit = bz.fit("y ~ " + " + ".join(columns), wide, method="map", progress=False)
    assert fit.diagnose() == []
    assert len({d.rank for d in DIAGNOSTICS.values()}) == len(DIAGNOSTICS) > 12
