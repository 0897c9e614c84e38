import numpy as np
import pandas as pd
import pytest
from scipy.special import polygamma

import bayeszoo as bz


def test_same_seed_same_data():
    one, _ = bz.datasets.lfp(seed=3)
    two, _ = bz.datasets.lfp(seed=3)
    other, _ = bz.datasets.lfp(seed=4)
    pd.testing.assert_frame_equal(one, two)
    assert not one["Power"].equals(other["Power"])


def test_shape_and_balance():
    data, truth = bz.datasets.lfp(mice=12, trials=30)
    assert list(data.columns) == ["Power", "stim", "mouse", "trial"]
    assert len(data) == 360
    assert (data.groupby("mouse")["stim"].sum() == 15).all()
    assert (data["Power"] > 0).all()
    assert list(truth["baselines"].index) == sorted(data["mouse"].unique())


@pytest.mark.parametrize("effect", [0.3, -0.5])
def test_moments_recover_each_mouse(effect):
    """Means of n gamma trials have relative standard error 1 / sqrt(alpha n)."""
    trials, alpha = 20_000, 5.0
    data, truth = bz.datasets.lfp(mice=8, trials=trials, effect=effect, seed=1, alpha=alpha)
    means = data.groupby(["mouse", "stim"])["Power"].mean().unstack()
    error = 1 / np.sqrt(alpha * trials / 2)
    logs = np.log(means)
    z_baseline = (logs[0] - np.log(truth["baselines"])) / error
    z_effect = (logs[1] - logs[0] - truth["effects"]) / (error * np.sqrt(2))
    assert np.abs(z_baseline).max() < 4
    assert np.abs(z_effect).max() < 4
    variation = data.groupby(["mouse", "stim"])["Power"].agg(lambda x: x.var() / x.mean() ** 2)
    np.testing.assert_allclose(variation, 1 / alpha, rtol=0.1)


def test_population_moments():
    mice = 20_000
    _, truth = bz.datasets.lfp(mice=mice, trials=2, effect=0.4, correlation=-0.7, seed=2)
    logs, effects = np.log(truth["baselines"]), truth["effects"]
    error = 1 / np.sqrt(mice)
    assert abs(logs.mean() - truth["Intercept"]) < 4 * truth["sd(1|mouse)"] * error
    assert abs(effects.mean() - truth["stim"]) < 4 * truth["sd(stim|mouse)"] * error
    assert logs.std() == pytest.approx(truth["sd(1|mouse)"], rel=4 * error)
    assert effects.std() == pytest.approx(truth["sd(stim|mouse)"], rel=4 * error)
    correlation = np.corrcoef(logs, effects)[0, 1]
    assert correlation == pytest.approx(truth["corr(mouse)[Intercept,stim]"], abs=4 * error)


def test_baselines_differ_several_fold():
    _, truth = bz.datasets.lfp()
    assert truth["baselines"].max() / truth["baselines"].min() > 3


def test_negative_correlation_means_smaller_effects_in_high_baseline_mice():
    for effect in (0.3, -0.3):
        _, truth = bz.datasets.lfp(mice=5, effect=effect, correlation=-1.0)
        order = truth["baselines"].sort_values().index
        assert (np.diff(np.abs(truth["effects"][order])) < 0).all()


def test_null_is_exactly_null():
    data, truth = bz.datasets.lfp(effect=0.0, seed=5)
    assert (truth["effects"] == 0).all()
    assert truth["stim"] == 0
    assert truth["sd(stim|mouse)"] == 0
    assert "corr(mouse)[Intercept,stim]" not in truth
    other, _ = bz.datasets.lfp(effect=1.0, seed=5)
    control = data["stim"] == 0
    pd.testing.assert_frame_equal(data[control], other[control])


def test_truth_has_the_printed_names():
    for labels in (None, ("light off", "light on"), ("stim", "control")):
        data, truth = bz.datasets.lfp(labels=labels)
        model = bz.Model("Power ~ stim + (1 + stim | mouse)", data, family="gamma")
        fit = model.fit("map", progress=False)
        names = [name for name in truth if name not in ("baselines", "effects")]
        assert list(fit.summary().index) == names


def test_samples_of_a_trial_share_its_power():
    """Log gamma noise has variance trigamma(alpha); the mean of n samples has an n-th of it."""
    trials, samples, shared, alpha = 4_000, 5, 0.4, 5.0
    data, truth = bz.datasets.lfp(
        mice=2, trials=trials, effect=0, samples=samples, trial_sd=shared, alpha=alpha, seed=6
    )
    assert data.shape == (2 * trials * samples, 5)
    assert (data.groupby(["mouse", "trial"])["stim"].nunique() == 1).all()
    assert truth["sd(1|mouse:trial)"] == shared
    logs = np.log(data["Power"])
    cell = logs.groupby([data["mouse"], data["trial"]])
    within = float(cell.var().mean())
    between = cell.mean().groupby("mouse").var()
    noise = float(polygamma(1, alpha))
    assert within == pytest.approx(noise, rel=0.05)  # standard error about 1 %
    expected = shared**2 + noise / samples
    error = expected * np.sqrt(2 / trials)
    assert (between - expected).abs().max() < 4.5 * error


def test_one_sample_without_a_trial_effect_is_a_trial():
    plain, _ = bz.datasets.lfp(seed=7, effect=0)
    sampled, _ = bz.datasets.lfp(seed=7, effect=0, samples=1, trial_sd=0)
    assert sampled.columns.tolist() == [*plain.columns, "sample"]
    pd.testing.assert_frame_equal(sampled[["stim", "mouse", "trial"]], plain.drop(columns="Power"))


def test_samples_are_fitted_by_the_true_model():
    data, truth = bz.datasets.lfp(mice=4, trials=10, samples=3, seed=1)
    formula = "Power ~ stim + (1 + stim | mouse) + (1 | mouse:trial)"
    fit = bz.fit(formula, data, family="gamma", method="map", progress=False)
    names = [name for name in truth if name not in ("baselines", "effects")]
    assert sorted(fit.summary().index) == sorted(names)


@pytest.mark.parametrize(
    "options",
    [
        {"mice": 1},
        {"trials": 1.5},
        {"seed": -1},
        {"effect": np.nan},
        {"alpha": 0},
        {"baseline": -1},
        {"correlation": 1.1},
        {"labels": ("a", "a")},
        {"samples": 0},
        {"trial_sd": 0.3},
        {"trial_sd": -1, "samples": 2},
    ],
)
def test_refuses(options):
    with pytest.raises(bz.BayeszooError, match=next(iter(options))):
        bz.datasets.lfp(**options)
