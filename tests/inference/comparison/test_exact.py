"""Leave-one-out, k-fold and leave-one-group-out against closed forms.

With flat priors on coefficients and sigma, the response of a row given others is a Student t variable:

    y_i | rest ~ t(nu, x_i' b, s^2 (1 + x_i' (X'X)^-1 x_i)),   nu = n - p - 1,   s^2 = squares / nu

because p(sigma | y) ~ sigma^-(n - p) exp(-squares / 2 sigma^2).
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logsumexp

import bayeszoo as bz
from bayeszoo.inference.comparison.held_out import left_out_densities
from bayeszoo.inference.comparison.plans import fold_plans
from bayeszoo.inference.comparison.refits import refits, without
from bayeszoo.inference.evaluate import flatten

FLAT = {"Intercept": bz.Flat(), "x": bz.Flat(), "sigma": bz.Flat(low=0)}
ROWS = 24


def left_out(y, x, scored, trained):
    """log p of some rows given others, shape (len(scored),)."""
    X = np.column_stack([np.ones(len(x)), x])
    b, squares, *_ = np.linalg.lstsq(X[trained], y[trained], rcond=None)
    nu = trained.sum() - 3
    scale = np.sqrt(squares[0] / nu)
    leverage = np.einsum("ij,jk,ik->i", X, np.linalg.inv(X[trained].T @ X[trained]), X)
    return stats.t.logpdf(y, nu, X @ b, scale * np.sqrt(1 + leverage))[scored]


def one_by_one(data):
    y, x = data["y"].to_numpy(), data["x"].to_numpy()
    every = np.arange(len(y))
    return np.concatenate([left_out(y, x, [i], every != i) for i in every])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    x = rng.normal(size=ROWS)
    table = pd.DataFrame({"x": x, "y": 1 + 0.7 * x + rng.normal(size=ROWS)})
    table.loc[5, ["x", "y"]] = 3.2, -3.0  # far out: importance sampling fails here
    return table


@pytest.fixture(scope="module")
def fit(data):
    model = bz.Model("y ~ x", data, priors=FLAT)
    return model.fit("nuts", draws=2000, tune=500, chains=2, seed=3, progress=False)


def monte_carlo_error(fit, draws_each):
    """The standard error of log mean_s p(y_i | theta_s) of every row, from independent draws."""
    logs = fit.log_likelihood().to_numpy().reshape(-1, ROWS)
    relative = np.exp(logs - logsumexp(logs, axis=0) + np.log(len(logs)))
    return relative.std(axis=0) / np.sqrt(draws_each)


def test_importance_sampling_meets_the_closed_form_where_it_says_so(fit, data):
    exact = one_by_one(data)
    plain = fit.loo(pointwise=True)
    k = plain["pareto_k"].to_numpy()
    assert k[5] > plain["good_k"] and plain["warning"]
    good = k < 0.5
    assert good.sum() > 15
    error = 4 * monte_carlo_error(fit, 1000) + 0.01
    assert np.all(np.abs(plain["loo_i"].to_numpy() - exact)[good] < error[good])


@pytest.mark.parametrize("options", [{"moment_match": True}, {"refit": True}])
def test_bad_rows_are_mended(fit, data, options):
    exact = one_by_one(data)
    plain, mended = fit.loo(pointwise=True), fit.loo(pointwise=True, seed=1, **options)
    before, after = (np.abs(r["loo_i"].to_numpy() - exact) for r in (plain, mended))
    bad = plain["pareto_k"].to_numpy() > plain["good_k"]
    assert bad[5] and before[5] > 0.5
    assert after[5] < before[5] / 2
    assert after[5] < 0.3  # log of a mean over 4,000 draws, far in a tail
    np.testing.assert_array_equal(after[~bad], before[~bad])
    assert not mended["warning"] and plain["warning"]
    assert abs(mended["elpd_loo"] - exact.sum()) < abs(plain["elpd_loo"] - exact.sum()) / 2
    assert mended["p_loo"] > plain["p_loo"]
    assert "1 of 24 observations had a Pareto k above" in mended["note"]
    assert "elpd_loo" in str(mended)


def test_k_fold_of_flat_priors(data):
    calm = data.assign(y=data["y"].where(data["y"] > -2, 0.0))
    model = bz.Model("y ~ x", calm, priors=FLAT)
    fit = model.fit("nuts", draws=1000, tune=300, chains=2, seed=3, progress=False)
    table = bz.compare({"a": fit, "b": fit}, by="kfold", folds=4, seed=2, progress=False)
    y, x = calm["y"].to_numpy(), calm["x"].to_numpy()
    plans = fold_plans([model], 4, None, 2)
    assert sorted(np.concatenate([p.scored for p in plans])) == list(range(ROWS))
    exact = np.empty(ROWS)
    for plan in plans:
        exact[plan.scored] = left_out(y, x, plan.scored, plan.trained)
    error = np.sqrt(np.sum(monte_carlo_error(fit, 500) ** 2))  # errors of one fold go together
    assert abs(table.loc["a", "elpd_kfold"] - exact.sum()) < 4 * 2 * error
    # two sets of refits of one model differ by Monte-Carlo error alone
    assert table["elpd_diff"].max() < 4 * 3 * error


def test_k_fold_of_maximum_likelihood_is_exact(data):
    fit = bz.fit("y ~ x", data, method="map", priors=FLAT, progress=False)
    other = bz.fit("y ~ 1", data, method="map", progress=False)
    table = bz.compare({"a": fit, "b": other}, by="kfold", folds=6, progress=False)
    y, X = data["y"].to_numpy(), np.column_stack([np.ones(ROWS), data["x"]])
    total = 0.0
    for plan in fold_plans([fit.model], 6, None, 0):
        b, squares, *_ = np.linalg.lstsq(X[plan.trained], y[plan.trained], rcond=None)
        sigma = np.sqrt(squares[0] / plan.trained.sum())
        total += stats.norm.logpdf(y, X @ b, sigma)[plan.scored].sum()
    assert table.loc["a", "elpd_kfold"] == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("method", ["laplace", "lme", "map"])
def test_a_left_out_group_is_a_new_one(method):
    rng = np.random.default_rng(8)
    groups, each = 8, 5
    g = np.repeat(np.arange(groups), each)
    x = rng.normal(size=len(g))
    data = {"g": g, "x": x, "y": x + rng.normal(size=groups)[g] + 0.5 * rng.normal(size=len(g))}
    fit = bz.fit("y ~ x + (1 | g)", data, method=method, progress=False)
    rows = np.flatnonzero(g == 3)
    mask = g == 3
    (refit,) = refits(fit, [mask])
    found = left_out_densities(fit, refit, rows, ~mask, seed=0)
    flat = flatten(refit.draws.natural)
    b, tau, sigma = flat["mu.coefficients"], flat["mu.group0.sd"], flat["sigma"][:, None]
    mean = b[:, :1] + b[:, 1:] * x[rows]
    logs = stats.norm.logpdf(data["y"][rows], mean, np.hypot(tau, sigma))
    expected = logsumexp(logs, axis=0) - np.log(len(logs))
    # the mean of p(y | theta, u) over new u, relative to that of p(y | theta)
    u = rng.standard_normal((200, *mean.shape)) * tau
    p = np.exp(stats.norm.logpdf(data["y"][rows], mean + u, sigma) - expected)
    assert np.all(np.abs(found - expected) < 4 * p.std(axis=(0, 1)) / np.sqrt(4000))


def test_compare_by_group_sums_over_groups_and_counts_them():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(6), [3, 4, 5, 6, 7, 8])
    data = {"g": g, "y": rng.normal(size=6)[g] + rng.normal(size=len(g))}
    fits = {f: bz.fit(f, data, method="map", progress=False) for f in ("y ~ 1 + (1 | g)", "y ~ 1")}
    table = bz.compare(fits, by="group:g", progress=False)
    (plain,) = [fit for f, fit in fits.items() if "|" not in f]
    sums = []
    for level in range(6):
        (refit,) = refits(plain, [g == level])
        mean, sigma = (
            float(np.ravel(refit.draws.natural[n])[0]) for n in ("mu.coefficients", "sigma")
        )
        sums.append(stats.norm.logpdf(data["y"][g == level], mean, sigma).sum())
    assert table.loc["y ~ 1", "elpd_group"] == pytest.approx(np.sum(sums), rel=1e-6)
    assert table.loc["y ~ 1", "se"] == pytest.approx(np.sqrt(6 * np.var(sums)), rel=1e-5)


def test_a_refit_without_a_row_is_a_fit_of_the_other_rows(data):
    model = bz.Model("y ~ x", data, priors=FLAT)
    left = without(model, np.arange(ROWS) == 5)
    assert model.design.response.keys() == {"y"}, "the model itself is not changed"
    found = left.fit("map", progress=False).summary()["mean"]
    expected = bz.fit("y ~ x", data.drop(5), method="map", priors=FLAT, progress=False).summary()
    np.testing.assert_allclose(found, expected["mean"], rtol=1e-5)
