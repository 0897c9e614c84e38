"""Prior draws, simulation, and the plain NumPyro callable."""

import jax
import numpy as np
import pytest
from scipy import stats

import bayeszoo as bz


@pytest.fixture(scope="module")
def model(sleepstudy):
    return bz.Model("Reaction ~ Days + (Days | Subject)", sleepstudy)


def test_prior_draws_follow_the_printed_priors(model):
    prior = model.prior_predictive(draws=2000, seed=1).prior
    centred = prior["Intercept"] + 4.5 * prior["Days"]  # the default prior is about the mean design
    scale = model.spec.prior["Intercept"].arguments
    draws = centred.to_numpy().ravel()
    assert stats.kstest(draws, stats.norm(scale[0][1], scale[1][1]).cdf).pvalue > 1e-4
    sd = prior["sd(Days|Subject)"].to_numpy().ravel()
    width = dict(model.spec.prior["sd(Days|Subject)"].arguments)["scale"]
    assert stats.kstest(sd, stats.halfnorm(scale=width).cdf).pvalue > 1e-4
    effects = prior["1|Subject"].to_numpy()[0] / prior["sd(1|Subject)"].to_numpy()[0][:, None]
    assert stats.kstest(effects.ravel(), stats.norm.cdf).pvalue > 1e-4


def test_flat_priors_cannot_be_drawn(sleepstudy):
    model = bz.Model("Reaction ~ Days", sleepstudy, priors={"Days": bz.Flat()})
    with pytest.raises(bz.BayeszooError, match="Flat"):
        model.prior_predictive()


def test_simulated_data_give_their_parameters_back(sleepstudy):
    model = bz.Model("Reaction ~ Days + (1 | Subject)", sleepstudy)
    truth = {"Intercept": 100.0, "Days": 5.0, "sd(1|Subject)": 8.0, "sigma": 2.0}
    data = model.simulate(truth, seed=5)
    assert list(data.columns) == list(sleepstudy.columns) and len(data) == 180
    fit = bz.fit("Reaction ~ Days + (1 | Subject)", data, method="lme", progress=False)
    table = fit.summary(prob=0.999)
    for name, value in truth.items():
        assert table.loc[name, "lower"] < value < table.loc[name, "upper"]
    with pytest.raises(bz.BayeszooError, match="Nearest"):
        model.simulate({"Interceptt": 1.0})
    with pytest.raises(bz.BayeszooError, match="sigma"):
        model.simulate({"Intercept": 1.0, "Days": 1.0, "sd(1|Subject)": 1.0})


def test_the_numpyro_callable_runs_by_hand(model):
    from numpyro.infer import MCMC, NUTS

    with jax.enable_x64(True):
        mcmc = MCMC(NUTS(model.numpyro), num_warmup=300, num_samples=300, progress_bar=False)
        mcmc.run(jax.random.PRNGKey(0))
        draws = {name: np.asarray(value) for name, value in mcmc.get_samples().items()}
    assert {"Intercept", "Days", "sd(1|Subject)", "corr(Subject)", "1|Subject"} <= set(draws)
    assert abs(np.mean(draws["Days"]) - 10.467) < 1.5


def test_computed_responses_and_half_given_groups_are_refused(sleepstudy):
    values = {"Intercept": 1.0, "sigma": 1.0}
    for response in ("log(Reaction)", "standardize(Reaction)", "weighted(Reaction / 2, Days)"):
        model = bz.Model(f"{response} ~ 1", sleepstudy[sleepstudy["Days"] > 0])
        with pytest.raises(bz.BayeszooError, match="computed from its column"):
            model.simulate(values)
    weighted = bz.Model("weighted(Reaction, Days) ~ 1", sleepstudy)
    assert abs(weighted.simulate(values)["Reaction"].mean() - 1.0) < 0.5
    model = bz.Model("Reaction ~ Days + (Days || Subject)", sleepstudy)
    scales = {"sd(1|Subject)": 1.0, "sd(Days|Subject)": 1.0}
    with pytest.raises(bz.BayeszooError, match="all or none"):
        model.simulate({**values, **scales, "Days": 1.0, "1|Subject": np.zeros(18)})
