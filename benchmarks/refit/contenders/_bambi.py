"""bambi fits, whichever sampler; shared by the `bambi_*` contenders."""

from __future__ import annotations

import os
from collections.abc import Callable

from _contender import PRIOR_SD, Fit
from _sampling import watch_numpyro
from mcmc.jobs import CHAINS, DRAWS, TUNE
from tables import TableJob

FAMILIES = {"normal": "gaussian", "gamma": "gamma"}


def prepare_bambi(job: TableJob, sampler: str) -> Callable:
    """Import bambi and return its fit, with its default priors.

    Args:
        job: Its model.
        sampler: bambi's `inference_method`.

    Returns:
        A function of a data frame, a seed and whether the slope has a prior of its own.
    """
    import arviz as az
    import bambi as bmb

    taken = watch_numpyro() if sampler == "numpyro" else None

    def fit(table, seed: int, other: bool) -> Fit:
        priors = {job.slope: bmb.Prior("Normal", mu=0, sigma=PRIOR_SD)} if other else None
        options = {"family": FAMILIES[job.family], "link": job.link, "priors": priors}
        idata = bmb.Model(job.formula, table, **options).fit(
            draws=DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=min(CHAINS, len(os.sched_getaffinity(0))),
            random_seed=seed,
            inference_method=sampler,
            progressbar=False,
        )
        posterior = idata.posterior
        scalars = [name for name in posterior.data_vars if posterior[name].ndim == 2]
        main = [name for name in scalars if not name.endswith("__")]
        az.summary(idata, var_names=main, round_to="none")
        sampling = taken() if taken else posterior.attrs.get("sampling_time")
        return Fit(posterior[job.slope].values, sampling)

    return fit
