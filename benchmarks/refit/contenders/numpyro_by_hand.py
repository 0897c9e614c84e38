"""The same correlated model written by hand in NumPyro, as in the `mcmc` jobs."""

from __future__ import annotations

from collections.abc import Callable

import _contender
from hand import hand_model, main_names
from mcmc.jobs import CHAINS, DRAWS, TUNE
from tables import TableJob

PACKAGES = ("numpyro", "jax", "arviz")


def prepare(job: TableJob) -> Callable:
    """Import NumPyro and return its fit."""
    import numpyro

    numpyro.set_host_device_count(CHAINS)
    numpyro.enable_x64()
    import arviz as az
    import jax
    from _sampling import watch_numpyro
    from numpyro.infer import MCMC, NUTS

    taken = watch_numpyro()

    def fit(table, seed: int, other: bool) -> _contender.Fit:
        kernel = NUTS(hand_model(job, table, {job.slope: 2.0} if other else None))
        lengths = {"num_warmup": TUNE, "num_samples": DRAWS, "num_chains": CHAINS}
        mcmc = MCMC(kernel, **lengths, progress_bar=False)
        mcmc.run(jax.random.key(seed))
        idata = az.from_numpyro(mcmc, log_likelihood=False)
        az.summary(idata, var_names=main_names(job), round_to="none")
        return _contender.Fit(idata.posterior[job.slope].values, taken())

    return fit


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES)
