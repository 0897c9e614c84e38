"""The door: which of several fits of the same data predicts best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...errors import OptionError, listing, nearest, shown
from ..fit import Fit
from ..folds import GROUP
from ..options import choice, flag, whole
from .elpd import elpd_table
from .likelihoods import by_criterion, by_full_likelihood, by_ratio
from .plans import fold_plans, group_plans
from .predictions import by_importance, by_refits, by_waic
from .same_data import Common, same_data

BY = ("loo", "waic", "kfold", "aic", "bic", "lr")
SCALES = ("log", "negative_log", "deviance")
WEIGHTS = ("stacking", "bb-pseudo-bma", "pseudo-bma")


def compare(
    fits: Mapping[str, Fit] | Iterable[Fit],
    by: str | None = None,
    *,
    scale: str = "log",
    method: str = "stacking",
    moment_match: bool = False,
    refit: bool = False,
    folds: int = 5,
    gap: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> pd.DataFrame:
    """Compares fits of the same rows and response by how well they predict.

        elpd = sum_i log p(y_i | data without i)

    `"loo"` and `"waic"` need no refit; `"kfold"` refits every model without one fold at a time, and
    `"group:mouse"` without one mouse at a time, whose rows are then predicted with effects of a new
    mouse. Refits are by the method and settings of each fit, with the codings and priors of the whole
    data. Frequentist fits have `"aic"`, `"bic"`, and `"lr"`, the likelihood ratio test of nested fits.

    Responses that are functions of one column (`y`, `log(y)`, `I(1000 * y)`) are compared on the scale
    of the column: the log of the function's slope is added to the log density of every row.

    Args:
        fits: name -> fit; or several fits, which are then named by formula and family.
        by: "loo", "waic", "kfold", "group:" and a column, "aic", "bic" or "lr"; by default "loo", and
            "aic" where all fits are frequentist.
        scale: "log", "negative_log" or "deviance" (-2 log).
        method: of weighing the fits: "stacking", "bb-pseudo-bma" or "pseudo-bma".
        moment_match: for "loo": see `Fit.loo`.
        refit: for "loo": see `Fit.loo`.
        folds: for "kfold": how many. Rows are dealt out at random, the rows of each group in turn; in
            models with temporal terms folds are blocks of neighbouring rows.
        gap: rows left out on both sides of a block; by default the reach of the longest window.
        seed: of folds, refits and Bayesian bootstrap.
        progress: whether to show a bar while refitting.

    Returns:
        One row per fit, the best first. For predictions ArviZ's columns: `rank elpd_... p_... elpd_diff
        weight se dse warning scale`; standard errors of "group:" count groups, not rows. For "aic" and
        "bic": `rank aic delta weight parameters log_likelihood warning`. For "lr" the columns of
        `bz.likelihood_ratio`. What must be known beside is in `attrs["notes"]`, a list of sentences.

    Raises:
        OptionError: fewer than two fits, fits of different rows or responses, or of methods that `by`
            cannot compare; the message says what differs.

    Example:
        >>> import bayeszoo as bz
        >>> data, _ = bz.datasets.lfp(mice=4, trials=10)
        >>> formulas = ["Power ~ 1", "Power ~ stim"]
        >>> fits = [bz.fit(f, data, method="ols", progress=False) for f in formulas]
        >>> list(bz.compare(fits).columns)
        ['rank', 'aic', 'delta', 'weight', 'parameters', 'log_likelihood', 'warning']

    Source: Vehtari, Gelman and Gabry (2017), Stat. Comput. 27:1413; Yao et al. (2018), Bayesian Anal.
    13:917.
    """
    named = _named(fits)
    by = _criterion(named, by)
    choice("scale", scale, SCALES)
    choice("method", method, WEIGHTS)
    whole("seed", seed, 0, 2**31 - 1)
    flag("progress", progress)
    for name, value in {"moment_match": moment_match, "refit": refit}.items():
        if flag(name, value) and by != "loo":
            raise OptionError(f'{name}= is an option of by="loo"; by={shown(by)} does without.')
    common = same_data(named)
    if by in ("aic", "bic", "lr"):
        table, notes = _likelihoods(named, by, common)
    else:
        if by == "loo":
            found, notes = by_importance(named, common, moment_match, refit, seed)
        elif by == "waic":
            found, notes = by_waic(named, common)
        else:
            models = [fit.model for fit in named.values()]
            grouped = by.startswith(GROUP)
            if grouped:
                plans = group_plans(models, by, by.removeprefix(GROUP), gap)
            else:
                plans = fold_plans(models, folds, gap, seed)
            found, notes = by_refits(named, common, plans, grouped, seed, progress)
        known = [name for name, fit in named.items() if fit.backend.frequentist]
        if known and by in ("loo", "waic"):
            notes.append(
                f"the draws of {listing(f'`{n}`' for n in known)} are of the estimator's sampling "
                "distribution; they stand for a posterior under flat priors."
            )
        table = elpd_table(found, "group" if by.startswith(GROUP) else by, scale, method, seed)
    table.attrs["notes"] = [*common.notes, *notes]
    return table


def _named(fits: Any) -> dict[str, Fit]:
    """Returns fits by name.

    Raises:
        OptionError: fewer than two, or something that is no fit.
    """
    if isinstance(fits, Fit):
        raise OptionError('compare takes two fits or more: bz.compare({"a": fit_a, "b": fit_b}).')
    if isinstance(fits, Mapping):
        named = {str(name): fit for name, fit in fits.items()}
    elif isinstance(fits, Iterable) and not isinstance(fits, str | np.ndarray):
        given = list(fits)
        names = [_describe(fit) for fit in given]
        named = {
            name if names.count(name) == 1 else f"{name} ({i})": fit
            for i, (name, fit) in enumerate(zip(names, given, strict=True), start=1)
        }
    else:
        raise OptionError(f"compare takes a mapping from names to fits, not {type(fits).__name__}.")
    for name, fit in named.items():
        if not isinstance(fit, Fit):
            raise OptionError(
                f"compare takes fits, but `{name}` is of type {type(fit).__name__}. Fit the model "
                "first: model.fit()."
            )
    if len(named) < 2:
        raise OptionError(f"compare takes two fits or more, not {len(named)}.")
    return named


def _describe(fit: Any) -> str:
    if not isinstance(fit, Fit):
        return type(fit).__name__
    spec = fit.model.spec
    return (
        f"{'; '.join(spec.schema.formula.text.split(chr(10)))} [{spec.family.name}, {fit.method}]"
    )


def _criterion(fits: Mapping[str, Fit], by: Any) -> str:
    """Returns the way of comparison, or refuses one that does not suit the methods of the fits."""
    frequentist = [name for name, fit in fits.items() if fit.backend.frequentist]
    mixed = 0 < len(frequentist) < len(fits)
    if by is None:
        by = "aic" if frequentist and not mixed else "loo"
    grouped = isinstance(by, str) and by.startswith(GROUP)
    if not grouped and by not in BY:
        raise OptionError(
            f'by= takes {listing(repr(b) for b in BY)} or "group:" and a column, not {shown(by)}.'
            f"{nearest(str(by), BY)}"
        )
    if grouped or by == "kfold":
        return by
    if mixed:
        rest = [name for name in fits if name not in frequentist]
        raise OptionError(
            f"by={by!r} cannot compare frequentist fits ({listing(frequentist)}) with Bayesian ones "
            f'({listing(rest)}): "loo" and "waic" average over posteriors, "aic", "bic" and "lr" take '
            'maximised likelihoods. by="kfold" and by="group:..." predict left-out rows by any method.'
        )
    single = [name for name, fit in fits.items() if fit.backend.point]
    if single and by in ("loo", "waic"):
        raise OptionError(
            f"by={by!r} needs draws, but {listing(f'`{n}`' for n in single)} is one estimate. Fit by "
            '"nuts", "svi" or "laplace", or use by="kfold", which refits.'
        )
    return by


def _likelihoods(
    fits: Mapping[str, Fit], by: str, common: Common
) -> tuple[pd.DataFrame, list[str]]:
    bayesian = [name for name, fit in fits.items() if not fit.backend.frequentist]
    if bayesian:
        raise OptionError(
            f"by={by!r} compares maximised likelihoods, but {listing(f'`{n}`' for n in bayesian)} is "
            'Bayesian. Use by="loo" or by="kfold", or fit by "ols", "glm", "lme" or "glmm".'
        )
    fits, notes = by_full_likelihood(fits)
    return (by_ratio(fits) if by == "lr" else by_criterion(fits, by, common)), notes
