"""Intervals against ArviZ, and regions of practical equivalence."""

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference.effects.intervals import equal_tails, highest_density
from bayeszoo.inference.idata import load_arviz


@pytest.mark.parametrize("prob", [0.5, 0.9, 0.95])
def test_highest_density_agrees_with_arviz(prob):
    draws = np.random.default_rng(0).gamma(2.0, size=(1000, 3))
    low, high = highest_density(draws, prob)
    for k in range(3):
        np.testing.assert_allclose(
            [low[k], high[k]], load_arviz().hdi(draws[:, k], hdi_prob=prob), rtol=1e-12
        )
    tails = equal_tails(draws, prob)
    assert ((high - low) <= tails[1] - tails[0]).all()


def test_summary_takes_hdi_and_rope(counts):
    equal, shortest = counts.summary(), counts.summary(interval="hdi", rope=(-0.5, 0.5))
    draws = counts.idata.posterior["x"].to_numpy().reshape(-1)
    np.testing.assert_allclose(
        shortest.loc["x", ["lower", "upper"]].to_numpy(float),
        load_arviz().hdi(draws, hdi_prob=0.95),
        rtol=1e-12,
    )
    assert shortest.loc["x", "p_rope"] == (abs(draws) <= 0.5).mean()
    assert "p_rope" not in equal
    assert (shortest["mean"] == equal["mean"]).all()


def test_frequentist_rope_is_that_of_the_t_distribution(unbalanced):
    from scipy import stats

    fit = bz.fit("y ~ x", unbalanced, method="ols", progress=False)
    row = fit.summary(rope=(-0.2, 0.4)).loc["x"]
    df = len(unbalanced) - 2
    ends = [stats.t.cdf((end - row["mean"]) / row["se"], df) for end in (-0.2, 0.4)]
    np.testing.assert_allclose(row["p_rope"], ends[1] - ends[0], rtol=1e-12)
    slope = fit.slopes("x", rope=(-0.2, 0.4))
    np.testing.assert_allclose(slope["p_rope"], row["p_rope"], rtol=1e-8)


def test_intervals_of_effects_follow_the_option(counts):
    equal, shortest = counts.contrasts("g"), counts.contrasts("g", interval="hdi")
    assert (shortest["upper"] - shortest["lower"] <= equal["upper"] - equal["lower"]).all()
    table = counts.contrasts("g", rope=(-1e9, 1e9))
    assert (table["p_rope"] == 1).all()
    assert (table["p_direction"] >= 0.5).all()
