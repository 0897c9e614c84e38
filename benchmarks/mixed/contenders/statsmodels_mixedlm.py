"""statsmodels' MixedLM: one grouping factor only; crossed factors would make one dense block."""

from __future__ import annotations

from collections.abc import Callable

import _contender
from tables import TableJob

PACKAGES = ("statsmodels",)


def prepare(job: TableJob) -> Callable:
    """Import statsmodels and return its fit."""
    import numpy as np
    from statsmodels.regression.mixed_linear_model import MixedLM

    (bar,) = job.bars

    def fit(table) -> _contender.Fit:
        text = f"{job.response} ~ {' + '.join(job.common)}"
        model = MixedLM.from_formula(text, table, re_formula=bar.slope, groups=bar.name)
        result = model.fit()
        result.summary()
        cov = np.asarray(result.cov_re)
        sds = np.sqrt(np.diag(cov))
        told = {name: float(result.fe_params[name]) for name in job.common}
        told |= {
            "Intercept": float(result.fe_params["Intercept"]),
            "sigma": float(result.scale**0.5),
        }
        told |= {f"sd(1|{bar.name})": float(sds[0]), f"sd({bar.slope}|{bar.name})": float(sds[1])}
        told[f"corr({bar.name})"] = float(cov[0, 1] / sds.prod())
        return _contender.Fit(told, "says converged" if result.converged else "says not converged")

    return fit


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES, caches=False, jobs=("sleepstudy", "normal_1m"))
