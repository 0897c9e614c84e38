"""bayeszoo's NUTS through the front door; not named `bayeszoo.py`, which would shadow the package.

The persistent compile cache is where `BAYESZOO_CACHE` says; the driver sets it.
"""

from __future__ import annotations

import re

import _contender
from mcmc.jobs import CHAINS, DRAWS, TUNE
from tables import TableJob

PACKAGES = ("bayeszoo", "numpyro", "jax")


def main_draws(fit, names: list[str]) -> dict:
    """Draws of the parameters that the summary lists.

    Args:
        fit: A bayeszoo fit.
        names: The index of its summary; `corr(mouse)[Intercept,stim]` is one entry of a matrix.

    Returns:
        Name to array `(chain, draw)`.
    """
    posterior, draws = fit.idata.posterior, {}
    for name in names:
        if name in posterior:
            draws[name] = posterior[name].values
            continue
        variable, inner = re.fullmatch(r"(.*)\[(.*)\]", name).groups()
        array = posterior[variable]
        labels = dict(zip(array.dims[2:], re.split(r",\s*", inner), strict=True))
        draws[name] = array.sel(labels).values
    return draws


def run(job: TableJob, seed: int) -> _contender.Outcome:
    """Fit a job with default priors and make the summary table.

    Args:
        job: Model and table.
        seed: Seed of the sampler.

    Returns:
        The outcome; main parameters are the rows of the summary.
    """
    import bayeszoo as bz

    model = bz.Model(job.formula, job.frame(), family=job.family, link=job.link)
    options = {"draws": DRAWS, "tune": TUNE, "chains": CHAINS}
    fit = model.fit("nuts", seed=seed, progress=False, **options)
    summary = fit.summary()
    return _contender.Outcome(
        ess_min=summary["ess_bulk"].min(),
        draws=lambda: main_draws(fit, list(summary.index)),
        note="correlated group effects" if job.bars[0].slope else "",
    )


if __name__ == "__main__":
    _contender.main(run, PACKAGES)
