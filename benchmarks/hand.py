"""A mixed model written by hand in NumPyro; shared by the contenders by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from tables import Bar, TableJob

SPREAD = {"normal": "sigma", "gamma": "alpha"}


def main_names(job: TableJob) -> list[str]:
    """Names of the parameters that a summary lists."""
    sds = [f"sd_{bar.name}" for bar in job.bars]
    corrs = [f"corr_{bar.name}" for bar in job.bars if bar.slope]
    spread = [SPREAD[job.family]] if job.family in SPREAD else []
    return ["Intercept", *job.common, *sds, *corrs, *spread]


def hand_model(
    job: TableJob, table: pd.DataFrame, widen: Mapping[str, float] | None = None
) -> Callable[[], None]:
    """Write the model of a job down.

    Args:
        job: Tells family, predictors and group terms.
        table: Its data; the numbers become constants of the program, as in any such model.
        widen: Factors of the widths of some priors, by name.

    Returns:
        A NumPyro callable without arguments.
    """
    import jax.numpy as jnp
    import numpy as np
    import numpyro
    from numpyro import distributions as dist

    widen = widen or {}
    y = table[job.response].to_numpy()
    normal = job.family == "normal"
    scale = y.std() if normal else 1.0
    start = y.mean() if normal else np.log(y.mean())
    x = {name: table[name].to_numpy() for name in job.common}
    codes = [bar.codes(table) for bar in job.bars]

    def effects(bar: Bar, group, levels: int):
        width = [2.5 * scale, *(2.5 * scale / x[name].std() for name in [bar.slope] if name)]
        size = len(width)
        width = jnp.array(width) * widen.get(f"sd_{bar.name}", 1.0)
        sds = numpyro.sample(f"sd_{bar.name}", dist.HalfNormal(width).to_event(1))
        raw = numpyro.sample(
            f"raw_{bar.name}", dist.Normal(0, 1).expand([levels, size]).to_event(2)
        )
        if not bar.slope:
            return sds[0] * raw[group, 0]
        factor = numpyro.sample(f"factor_{bar.name}", dist.LKJCholesky(2, 2))
        numpyro.deterministic(f"corr_{bar.name}", factor[1, 0])
        effect = raw @ (sds[:, None] * factor).T
        return effect[group, 0] + effect[group, 1] * x[bar.slope]

    def model() -> None:
        eta = middle = numpyro.sample("middle", dist.Normal(start, 2.5 * scale))
        for name, column in x.items():
            wide = 2.5 * scale / column.std() * widen.get(name, 1.0)
            slope = numpyro.sample(name, dist.Normal(0, wide))
            eta = eta + slope * (column - column.mean())
            middle = middle - slope * column.mean()
        numpyro.deterministic("Intercept", middle)
        for bar, (group, levels) in zip(job.bars, codes, strict=True):
            eta = eta + effects(bar, group, levels)
        if job.family == "normal":
            spread = numpyro.sample("sigma", dist.HalfNormal(scale))
            numpyro.sample("y", dist.Normal(eta, spread), obs=y)
        elif job.family == "gamma":
            shape = numpyro.sample("alpha", dist.HalfNormal(10))
            numpyro.sample("y", dist.Gamma(shape, shape * jnp.exp(-eta)), obs=y)
        else:
            numpyro.sample("y", dist.Poisson(jnp.exp(eta)), obs=y)

    return model
