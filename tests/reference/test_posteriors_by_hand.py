"""NUTS on bayeszoo's models against NUTS on the same models written by hand in NumPyro."""

import jax
import numpy as np
import pytest
from numpyro.infer import MCMC, NUTS

import bayeszoo as bz

from .by_hand import CASES, modelled_spread
from .quadrature import z_between

PARAMETERS = [
    pytest.param(make, id=make.__name__, marks=() if make is modelled_spread else pytest.mark.slow)
    for make in CASES
]


def sampled_by_hand(case, seed):
    """Returns the draws of every named quantity, and how many transitions diverged."""
    with jax.enable_x64(True):
        kernel = NUTS(case.model, target_accept_prob=case.target)
        run = MCMC(
            kernel, num_warmup=1500, num_samples=case.draws, num_chains=4, chain_method=case.chains,
            progress_bar=False,
        )  # fmt: skip
        run.run(jax.random.key(seed))
        draws = {name: np.asarray(v) for name, v in run.get_samples(group_by_chain=True).items()}
        return draws, int(run.get_extra_fields()["diverging"].sum())


@pytest.mark.parametrize("make", PARAMETERS)
def test_posterior_is_the_one_sampled_by_hand(make, ledger):
    case = make()
    theirs, diverged = sampled_by_hand(case, seed=6)
    fit = bz.fit(
        case.formula, case.data, family=case.family, method="nuts", seed=7, draws=case.draws, tune=1500,
        target_accept=0.98, progress=False, **case.options,
    )  # fmt: skip
    posterior = fit.idata.posterior
    z = []
    for name, variable in posterior.data_vars.items():
        ours, wanted = variable.to_numpy(), theirs[name]
        assert ours.shape == wanted.shape, name
        ours, wanted = (v.reshape(*v.shape[:2], -1) for v in (ours, wanted))
        fixed = np.ptp(wanted, axis=(0, 1)) == 0  # masked, or the diagonal of a correlation
        np.testing.assert_array_equal(ours[..., fixed], wanted[..., fixed])
        z += [z_between(ours[..., k], wanted[..., k]) for k in np.flatnonzero(~fixed)]
    ours = int(fit.idata.sample_stats["diverging"].sum())
    assert max(diverged, ours) <= 0.002 * 4 * case.draws, (diverged, ours)
    assert not [finding for finding in fit.diagnose() if "diverged" not in finding]
    what = f"{case.family}: {case.formula}".replace("\n", "; ")
    ledger.sampled("NUTS by hand (NumPyro)", what, "nuts", np.ravel(z))
