"""The same correlated model written by hand in NumPyro: what an expert gets without a formula.

Predictors centred, effects non-centred (through a Cholesky factor where there is a slope), weak
priors at the data's scale, double precision, one virtual device per chain.
"""

from __future__ import annotations

import _contender
from hand import hand_model, main_names
from mcmc.jobs import CHAINS, DRAWS, TUNE
from tables import TableJob

PACKAGES = ("numpyro", "jax", "arviz")


def run(job: TableJob, seed: int) -> _contender.Outcome:
    """Fit a job and summarise the main parameters.

    Args:
        job: Model and table.
        seed: Seed of the sampler.

    Returns:
        The outcome.
    """
    import numpyro

    numpyro.set_host_device_count(CHAINS)
    numpyro.enable_x64()
    import arviz as az
    import jax
    from numpyro.infer import MCMC, NUTS

    kernel = NUTS(hand_model(job, job.frame()))
    mcmc = MCMC(kernel, num_warmup=TUNE, num_samples=DRAWS, num_chains=CHAINS, progress_bar=False)
    mcmc.run(jax.random.key(seed))
    idata = az.from_numpyro(mcmc, log_likelihood=False)
    main = main_names(job)
    summary = az.summary(idata, var_names=main, round_to="none")

    def draws() -> dict:
        out = {}
        for name in main:
            array = idata.posterior[name].values
            parts = array.reshape(*array.shape[:2], -1)
            out |= {name + str(k) * (array.ndim > 2): parts[..., k] for k in range(parts.shape[2])}
        return out

    note = "correlated; " * bool(job.bars[0].slope) + "model written by hand"
    return _contender.Outcome(ess_min=summary["ess_bulk"].min(), draws=draws, note=note)


if __name__ == "__main__":
    _contender.main(run, PACKAGES)
