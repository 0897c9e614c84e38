"""What each way of comparison says of one fit: by importance sampling, or by refits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..fit import Fit
from ..information import loo, waic
from ..many import derived_seed
from ..progress import Progress
from .elpd import Predicted
from .held_out import in_sample, left_out_densities
from .plans import Plan
from .refits import refits
from .same_data import Common


def by_importance(
    fits: Mapping[str, Fit], common: Common, moment_match: bool, refit: bool, seed: int
) -> tuple[dict[str, Predicted], list[str]]:
    """Leaves one row out by Pareto-smoothed importance sampling, with notes on rows where it fails."""
    found, notes = {}, []
    for name, fit in fits.items():
        options: dict[str, Any] = {"moment_match": moment_match, "refit": refit, "seed": seed}
        result = loo(fit, pointwise=True, scale="log", **options)
        found[name] = _predicted(result, "loo", _along(common.shift[name], result["loo_i"]))
        if result.get("note"):
            notes.append(f"`{name}`: {result['note']}")
        elif result["warning"]:
            notes.append(f"`{name}`: {unreliable(result)}")
    return found, notes


def unreliable(result: Any) -> str:
    """Says how many rows have a bad Pareto k, and what to do."""
    k = np.asarray(result["pareto_k"])
    bad = k > result["good_k"]
    label = result["pareto_k"]["obs"].to_numpy()[np.nonzero(bad)[0][np.argmax(k[bad])]]
    return (
        f"{int(bad.sum()):,} of {k.size:,} observations have a Pareto k above {result['good_k']:.2g} "
        f"(worst: row {label}, {k[bad].max():.2f}), so their share of elpd_loo is not to be trusted: "
        "the posterior changes much without them. loo(moment_match=True) or loo(refit=True) mends it, "
        'and by="kfold" does without; look at these rows too.'
    )


def by_waic(fits: Mapping[str, Fit], common: Common) -> tuple[dict[str, Predicted], list[str]]:
    """The widely applicable information criterion."""
    found, notes = {}, []
    for name, fit in fits.items():
        result = waic(fit, pointwise=True, scale="log")
        found[name] = _predicted(result, "waic", _along(common.shift[name], result["waic_i"]))
        if result["warning"]:
            notes.append(
                f"`{name}`: the log density of some observations varies by more than 0.4 over the "
                'posterior, where WAIC fails. Use by="loo", which says of each row whether it works.'
            )
    return found, notes


def by_refits(
    fits: Mapping[str, Fit],
    common: Common,
    plans: Sequence[Plan],
    grouped: bool,
    seed: int,
    progress: bool,
) -> tuple[dict[str, Predicted], list[str]]:
    """Predicts the rows of every fold by refits that did not see them; sums of groups if `grouped`."""
    found, notes = {}, []
    bar = Progress("refits", len(fits) * len(plans), progress)
    for number, (name, fit) in enumerate(fits.items()):
        y = fit.model.design.response["y"]
        each, stopped = np.full(y.shape, np.nan), []
        out = [np.array(np.broadcast_to(_rows(~p.trained, y), y.shape)) for p in plans]
        own = derived_seed(seed, number)
        for i, (plan, refit) in enumerate(zip(plans, refits(fit, out, own), strict=True)):
            each[plan.scored] = left_out_densities(
                fit, refit, plan.scored, plan.trained, derived_seed(own, i)
            )
            if refit.draws.converged is False:
                stopped.append(str(plan.label))
            bar.advance(1)
        known = in_sample(fit)
        penalty = float(known.sum() - each.sum())
        each = each + _along(common.shift[name], each)
        if grouped:
            each = np.array([each[plan.scored].sum() for plan in plans])
        if stopped:
            notes.append(
                f"`{name}` did not converge without fold(s) {', '.join(stopped)}, so that its "
                "prediction of them is not to be trusted. Give the method more steps."
            )
        samples = int(np.prod(np.shape(next(iter(fit.draws.natural.values())))[:2]))
        found[name] = Predicted(each, penalty, bool(stopped), samples)
    bar.close()
    return found, notes


def _predicted(result: Any, criterion: str, shift: np.ndarray) -> Predicted:
    each = np.asarray(result[f"{criterion}_i"]) + shift
    penalty = float(result[f"p_{criterion}"])
    return Predicted(each, penalty, bool(result["warning"]), int(result["n_samples"]))


def _rows(array: np.ndarray, like: Any) -> np.ndarray:
    """Gives an array of rows a second axis where there are neurons."""
    return array.reshape(len(array), *(1,) * (np.ndim(like) - 1))


def _along(shift: np.ndarray, like: Any) -> np.ndarray:
    return shift if shift.size == 1 else _rows(shift, like)
