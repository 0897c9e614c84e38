"""bayeszoo's NUTS through the front door.

Its sampling is timed around the pool of threads that runs the chains; all compiling is before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import _contender
from mcmc.jobs import CHAINS, DRAWS, TUNE
from tables import TableJob

PACKAGES = ("bayeszoo", "numpyro", "jax")


class TimedPool(ThreadPoolExecutor):
    """A pool that knows how long the last one was open."""

    seconds: float | None = None

    def __enter__(self) -> TimedPool:
        self.start = time.perf_counter()
        return super().__enter__()

    def __exit__(self, *error: object) -> bool | None:
        out = super().__exit__(*error)
        TimedPool.seconds = time.perf_counter() - self.start
        return out


def prepare(job: TableJob) -> Callable:
    """Import bayeszoo and return its fit, with its default priors."""
    import bayeszoo as bz
    from bayeszoo.inference import interrupt

    interrupt.ThreadPoolExecutor = TimedPool

    def fit(table, seed: int, other: bool) -> _contender.Fit:
        priors = {job.slope: bz.Normal(0, _contender.PRIOR_SD)} if other else None
        model = bz.Model(job.formula, table, family=job.family, link=job.link, priors=priors)
        options = {"draws": DRAWS, "tune": TUNE, "chains": CHAINS}
        found = model.fit("nuts", seed=seed, progress=False, **options)
        found.summary()
        return _contender.Fit(found.idata.posterior[job.slope].values, TimedPool.seconds)

    return fit


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES)
