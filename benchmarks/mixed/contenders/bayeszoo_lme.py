"""bayeszoo through the front door: estimates, standard errors and the table."""

from __future__ import annotations

from collections.abc import Callable

import _contender
from summaries import named
from tables import TableJob

PACKAGES = ("bayeszoo", "jax")


def prepare(job: TableJob) -> Callable:
    """Import bayeszoo and return its fit."""
    import bayeszoo as bz

    def fit(table) -> _contender.Fit:
        return _contender.Fit(
            named(bz.fit(job.formula, table, method="lme", progress=False).summary())
        )

    return fit


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES)
