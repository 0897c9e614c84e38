"""One bambi run, whichever sampler; shared by the `bambi_*` contenders."""

from __future__ import annotations

import os

from _contender import Outcome
from mcmc.jobs import CHAINS, DRAWS, TUNE
from tables import TableJob

NOTE = "bambi's `(1 + x | g)` has no correlation: one parameter fewer than asked for"
FAMILIES = {"normal": "gaussian", "gamma": "gamma", "poisson": "poisson"}


def run_bambi(job: TableJob, seed: int, sampler: str) -> Outcome:
    """Fit a job with bambi's default priors and summarise the main parameters.

    PyMC counts half of the logical cores unless told; here every contender may use all of them.

    Args:
        job: Model and table.
        seed: Seed of the sampler.
        sampler: bambi's `inference_method`.

    Returns:
        The outcome; main parameters are all scalars: fixed effects, group sds, sigma or alpha.
    """
    import arviz as az
    import bambi as bmb

    model = bmb.Model(job.formula, job.frame(), family=FAMILIES[job.family], link=job.link)
    idata = model.fit(
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
    main = [name for name in scalars if not name.endswith("__")]  # nutpie adds transformed ones
    summary = az.summary(idata, var_names=main, round_to="none")
    return Outcome(
        ess_min=summary["ess_bulk"].min(),
        draws=lambda: {name: posterior[name].values for name in main},
        sampling=posterior.attrs.get("sampling_time"),
        note=NOTE if job.bars[0].slope else "",
    )
