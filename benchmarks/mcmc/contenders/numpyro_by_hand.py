"""The same correlated model written by hand in NumPyro: what an expert gets without a formula.

Predictor centred, effects non-centred through a Cholesky factor, weak priors at the data's scale,
double precision, one virtual device per chain.
"""

from __future__ import annotations

import _contender
from mcmc.jobs import CHAINS, DRAWS, TUNE, Job

PACKAGES = ("numpyro", "jax", "arviz")


def hand_model(job: Job, x, group, groups: int, y):
    """Write the model of a job down.

    Args:
        job: Tells family and slope name.
        x: Predictor, (obs,).
        group: Group number, (obs,).
        groups: How many groups.
        y: Response, (obs,).

    Returns:
        A NumPyro callable without arguments.
    """
    import jax.numpy as jnp
    import numpy as np
    import numpyro
    from numpyro import distributions as dist

    normal = job.family == "normal"
    scale = y.std() if normal else 1.0
    centre = y.mean() if normal else np.log(y.mean())
    widths = jnp.array([2.5 * scale, 2.5 * scale / x.std()])

    def model() -> None:
        middle = numpyro.sample("middle", dist.Normal(centre, widths[0]))
        slope = numpyro.sample(job.slope, dist.Normal(0, widths[1]))
        numpyro.deterministic("Intercept", middle - slope * x.mean())
        sds = numpyro.sample("sds", dist.HalfNormal(widths).to_event(1))
        factor = numpyro.sample("factor", dist.LKJCholesky(2, 2))
        numpyro.deterministic("corr", factor[1, 0])
        raw = numpyro.sample("raw", dist.Normal(0, 1).expand([groups, 2]).to_event(2))
        effects = raw @ (sds[:, None] * factor).T
        eta = middle + slope * (x - x.mean()) + effects[group, 0] + effects[group, 1] * x
        if normal:
            spread = numpyro.sample("sigma", dist.HalfNormal(scale))
            numpyro.sample("y", dist.Normal(eta, spread), obs=y)
        else:
            shape = numpyro.sample("alpha", dist.HalfNormal(10))
            numpyro.sample("y", dist.Gamma(shape, shape * jnp.exp(-eta)), obs=y)

    return model


def run(job: Job, seed: int) -> _contender.Outcome:
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
    import pandas as pd
    from numpyro.infer import MCMC, NUTS

    table = job.table()
    group, levels = pd.factorize(table[job.group])
    columns = (table[name].to_numpy() for name in (job.slope, job.response))
    x, y = columns
    kernel = NUTS(hand_model(job, x, group, len(levels), y))
    mcmc = MCMC(kernel, num_warmup=TUNE, num_samples=DRAWS, num_chains=CHAINS, progress_bar=False)
    mcmc.run(jax.random.key(seed))
    idata = az.from_numpyro(mcmc, log_likelihood=False)
    spread = "sigma" if job.family == "normal" else "alpha"
    main = ["Intercept", job.slope, "sds", "corr", spread]
    summary = az.summary(idata, var_names=main, round_to="none")
    flat = az.extract(idata, var_names=main, combined=False)

    def draws() -> dict:
        named = {name: flat[name].values for name in main if name != "sds"}
        return named | {f"sds{k}": flat["sds"].values[..., k] for k in range(2)}

    return _contender.Outcome(
        ess_min=summary["ess_bulk"].min(), draws=draws, note="correlated; model written by hand"
    )


if __name__ == "__main__":
    _contender.main(run, PACKAGES)
