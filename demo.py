"""The demonstration: one simulated recording, one model, four methods, one table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from .console import text_table
from .errors import FileError
from .inference.fit import Fit

FORMULA = "Power ~ stim + (1 + stim | mouse)"
LOG_FORMULA = "log(Power) ~ stim + (1 + stim | mouse)"
NOTE = """\
The effect is a log ratio: exp(0.3) = 1.35 means 35 % more power. nuts, map and svi fit the gamma
model to Power. lme is a normal model, so it is fitted to log(Power); for gamma data of constant
shape log(Power) has the same slopes (only its intercept lies lower), so all rows estimate one
number. Intervals are 95 %: credible ones of nuts and svi, a confidence interval of lme, whose sd
is its standard error. map is one point, without a spread."""


def demo(folder: str | Path = "demo-output", seed: int = 1) -> dict[str, Fit]:
    """Simulates the power of twelve mice's recordings and estimates the effect of stimulation.

    Args:
        folder: where the NUTS fit is saved; made where it does not exist.
        seed: of the simulation and of the methods.

    Returns:
        The fits by method.

    Raises:
        FileError: the folder cannot be made.
    """
    from . import datasets
    from .inference.model import Model

    target = Path(folder) / "lfp-nuts.nc"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder `{folder}`: {error.strerror}.") from None
    data, truth = datasets.lfp(mice=12, trials=100, effect=0.3, effect_cv=0.6, seed=seed)
    print(
        f"Simulated: {len(data)} trials of {data['mouse'].nunique()} mice, half of them stimulated."
        f"\nTrue effect of stim on log Power: {truth['stim']:g}, sd over mice "
        f"{truth['sd(stim|mouse)']:.2g}.\n"
    )
    model = Model(FORMULA, data, family="gamma")
    print(model, "\n", flush=True)
    logarithmic = Model(LOG_FORMULA, data)
    plan = {"nuts": model, "map": model, "svi": model, "lme": logarithmic}
    fits: dict[str, Fit] = {}
    for method, chosen in plan.items():
        fits[method] = chosen.fit(method, seed=seed, progress=False)
        if fits[method].interrupted:
            raise KeyboardInterrupt
        print(fits[method].verdict(), flush=True)
    print(f"\n{text_table(effects(fits, truth['stim']))}\n\n{NOTE}\n")
    fits["nuts"].save(target)
    print(f'Saved: {target}; bz.load("{target.as_posix()}") restores the fit.')
    return fits


def effects(fits: dict[str, Fit], truth: float) -> pd.DataFrame:
    """Returns the effect of `stim` by every method, side by side with the truth.

    Args:
        fits: method -> fit.
        truth: the effect that was simulated.

    Returns:
        One row per method: what it was fitted to, mean, sd, interval, and the ratio exp(mean).
    """
    rows: dict[str, dict[str, Any]] = {}
    for method, fit in fits.items():
        spec = fit.model.spec
        row = fit.summary().loc["stim"]
        rows[method] = {
            "fitted to": f"{spec.schema.response}, {spec.family.name}",
            **{name: float(row[name]) for name in ("mean", "sd", "lower", "upper")},
            "ratio": math.exp(row["mean"]),
        }
    blank = dict.fromkeys(("sd", "lower", "upper"), math.nan)
    rows["truth"] = {"fitted to": "", "mean": truth, **blank, "ratio": math.exp(truth)}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "stim by"
    return table
