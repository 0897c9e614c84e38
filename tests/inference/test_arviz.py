"""Every function of ArviZ takes a fit's InferenceData as it is."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.diagnosis.energy import bfmi
from bayeszoo.inference.idata import load_arviz

CHAINS, DRAWS = 4, 400


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(50)
    mouse = np.repeat(np.arange(8), 20)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=160),
            "stim": np.tile(["off", "low", "high", "low"], 40),
            "mouse": [f"m{j}" for j in mouse],
        }
    )
    shift = rng.multivariate_normal([0, 0], [[0.5, 0.2], [0.2, 0.3]], 8)[mouse]
    table["y"] = 1 + shift[:, 0] + (0.5 + shift[:, 1]) * table["x"] + rng.normal(size=160)
    table["n"] = rng.poisson(np.exp(0.3 + 0.2 * table["x"] + 0.5 * shift[:, 0]))
    return table


@pytest.fixture(scope="module")
def sampled(table):
    fit = bz.fit(
        "y ~ x + C(stim) + (1 + x | mouse)",
        table,
        draws=DRAWS,
        tune=500,
        chains=CHAINS,
        seed=1,
        progress=False,
    )
    fit.posterior_predictive(draws=200)
    fit.posterior_predictive()
    return fit


@pytest.fixture(scope="module")
def az():
    arviz = load_arviz()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield arviz


def quietly(function, *arguments, **options):
    """ArviZ warns of its own future; what it returns is what counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


def test_a_sampled_fit_of_which_all_is_well(sampled):
    assert sampled.diagnose() == []


def test_numbers(sampled, az):
    idata = sampled.idata
    table = quietly(az.summary, idata, round_to="none")
    ours = sampled.summary(groups=True)
    for printed, theirs in (("x", "x"), ("C(stim)[low]", "C(stim)[low]"), ("sigma", "sigma")):
        assert table.loc[theirs, "mean"] == pytest.approx(ours.loc[printed, "mean"])
        assert table.loc[theirs, "ess_bulk"] == pytest.approx(
            ours.loc[printed, "ess_bulk"], rel=1e-6
        )
        assert table.loc[theirs, "ess_tail"] == pytest.approx(
            ours.loc[printed, "ess_tail"], rel=1e-6
        )
        assert table.loc[theirs, "r_hat"] == pytest.approx(ours.loc[printed, "r_hat"], rel=1e-6)
    for function in (az.ess, az.rhat, az.mcse, az.hdi):
        assert "1|mouse" in quietly(function, idata)
    mine = sampled.loo(pointwise=True)
    assert quietly(az.loo, idata, pointwise=True).elpd_loo == pytest.approx(mine.elpd_loo)
    assert quietly(az.waic, idata).elpd_waic == pytest.approx(sampled.waic().elpd_waic)
    extracted = quietly(az.extract, idata, num_samples=50)
    assert extracted.sizes["sample"] == 50 and "corr(mouse)" in extracted
    y = idata.observed_data["y"].to_numpy()
    drawn = quietly(az.extract, idata, group="posterior_predictive")["y"].to_numpy().T
    assert 0.2 < quietly(az.r2_score, y, drawn)["r2"] < 0.9


def test_energy_is_the_hamiltonian(sampled, az):
    """Energy minus potential is kinetic: half a chi-square of as many degrees as unknowns."""
    stats = sampled.idata.sample_stats
    np.testing.assert_allclose(quietly(az.bfmi, sampled.idata), bfmi(stats["energy"].to_numpy()))
    assert (bfmi(stats["energy"].to_numpy()) > 0.5).all()
    kinetic = (stats["energy"] + stats["lp"]).to_numpy()
    assert (kinetic > 0).all()
    unknowns = 2 * kinetic.mean()
    assert kinetic.var() == pytest.approx(unknowns / 2, rel=0.25)
    assert abs(unknowns - round(unknowns)) < 6 * 2 * kinetic.std() / np.sqrt(kinetic.size)


def test_comparison_of_two_fits(sampled, table, az):
    other = bz.fit("y ~ x", table, method="laplace", progress=False)
    found = quietly(az.compare, {"full": sampled.idata, "small": other.idata})
    assert list(found.index) == ["full", "small"]


PLOTS = {
    "plot_trace": {"var_names": ["x", "C(stim)", "1|mouse", "corr(mouse)"]},
    "plot_posterior": {"var_names": ["x", "C(stim)"]},
    "plot_forest": {"combined": True},
    "plot_pair": {"var_names": ["Intercept", "x"], "divergences": True},
    "plot_energy": {},
    "plot_ppc": {"num_pp_samples": 20},
    "plot_rank": {"var_names": ["x", "sd(1|mouse)"]},
    "plot_autocorr": {"var_names": ["x"]},
    "plot_loo_pit": {"y": "y"},
    "plot_density": {"var_names": ["x"]},
    "plot_ess": {"var_names": ["x"]},
    "plot_mcse": {"var_names": ["x"]},
    "plot_violin": {"var_names": ["x"]},
    "plot_parallel": {"var_names": ["Intercept", "x"]},
    "plot_bpv": {},
}


@pytest.mark.parametrize("name", PLOTS)
def test_plots(sampled, az, name):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    assert quietly(getattr(az, name), sampled.idata, **PLOTS[name]) is not None
    plt.close("all")


def test_plots_of_counts_are_of_whole_numbers(table, az):
    import matplotlib.pyplot as plt

    fit = bz.fit("n ~ x + (1 | mouse)", table, family="poisson", method="laplace", progress=False)
    fit.posterior_predictive(draws=200)
    assert fit.idata.observed_data["n"].dtype.kind == "i"
    quietly(az.plot_ppc, fit.idata, num_pp_samples=20)
    fit.posterior_predictive()
    quietly(az.plot_loo_pit, fit.idata, y="n")
    plt.close("all")


def test_files(sampled, az, tmp_path):
    path = quietly(sampled.idata.to_netcdf, str(tmp_path / "fit.nc"))
    back = quietly(az.from_netcdf, path)
    assert set(back.groups()) == set(sampled.idata.groups())
    np.testing.assert_array_equal(
        back.posterior["corr(mouse)"], sampled.idata.posterior["corr(mouse)"]
    )


@pytest.mark.parametrize("method", ["laplace", "svi", "lme"])
def test_fits_with_one_chain(table, az, tmp_path, method):
    import matplotlib.pyplot as plt

    fit = bz.fit("y ~ x + C(stim) + (1 | mouse)", table, method=method, draws=300, progress=False)
    fit.posterior_predictive()
    idata = fit.idata
    summary = quietly(az.summary, idata, kind="stats", round_to="none")
    drawn = idata.posterior["x"].mean().item()
    assert summary.loc["x", "mean"] == pytest.approx(drawn)
    assert np.isfinite(quietly(az.loo, idata).elpd_loo) and "x" in quietly(az.hdi, idata)
    for name in ("plot_trace", "plot_forest", "plot_posterior"):
        quietly(getattr(az, name), idata, var_names=["x", "C(stim)"])
        plt.close("all")
    quietly(az.plot_ppc, idata, num_pp_samples=10)
    quietly(az.plot_loo_pit, idata, y="y")
    plt.close("all")
    back = quietly(az.from_netcdf, quietly(idata.to_netcdf, str(tmp_path / "fit.nc")))
    np.testing.assert_array_equal(back.posterior_predictive["y"], idata.posterior_predictive["y"])
