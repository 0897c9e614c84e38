"""Comparison of maximised likelihoods: AIC, BIC and likelihood ratio tests.

    AIC = 2 k - 2 log L,   BIC = k log n - 2 log L,   weight = exp(-AIC difference / 2) / sum

Source: Akaike (1974), IEEE Trans. Autom. Control 19:716; Schwarz (1978), Ann. Stat. 6:461; Burnham and
Anderson (2002), Model Selection and Multimodel Inference, section 2.9.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...errors import FitError, OptionError, listing
from ...formula.terms import MEAN
from ..fit import Fit
from ..likelihood_ratio import likelihood_ratio
from .same_data import Common


def by_criterion(fits: Mapping[str, Fit], by: str, common: Common) -> pd.DataFrame:
    """Returns AIC or BIC of every fit, the best first.

    Raises:
        FitError: a fit has no maximised likelihood.
    """
    rows = {}
    for name, fit in fits.items():
        value, parameters = _likelihood(name, fit)
        design = fit.model.design
        ones = np.broadcast_to(common.shift[name], (design.size,))
        value += float(ones.sum())
        count = float(np.sum(design.response.get("weights", np.ones(design.size))))
        price = 2.0 if by == "aic" else np.log(count)
        rows[name] = {
            by: price * parameters - 2 * value,
            "parameters": parameters,
            "log_likelihood": value,
            "warning": fit.draws.converged is False,
        }
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values(by, kind="stable")
    delta = table[by] - table[by].iloc[0]
    weight = np.exp(-delta / 2)
    table.insert(0, "rank", np.arange(len(table)))
    table.insert(2, "delta", delta)
    table.insert(3, "weight", weight / weight.sum())
    return table.astype({"parameters": int, "warning": bool})


def by_ratio(fits: Mapping[str, Fit]) -> pd.DataFrame:
    """Returns likelihood ratio tests of nested fits, each against the next smaller one."""
    order = sorted(fits, key=lambda name: _likelihood(name, fits[name])[1])
    table = likelihood_ratio(*(fits[name] for name in order))
    table.index = pd.Index(order[1:])
    table["smaller"] = order[:-1]
    return table


def by_full_likelihood(fits: Mapping[str, Fit]) -> tuple[dict[str, Fit], list[str]]:
    """Refits by maximum likelihood where restricted likelihoods cannot be compared.

    A restricted likelihood is that of contrasts that the coefficients leave, so it is comparable only
    between models of the same coefficients.
    """
    restricted = [name for name, fit in fits.items() if fit.info["settings"].get("reml")]
    if not restricted or (len(restricted) == len(fits) and _same_coefficients(fits)):
        return dict(fits), []
    out = dict(fits)
    for name in restricted:
        chosen = {**fits[name].info["settings"], "reml": False}
        seed = fits[name].info.get("seed", 0)
        out[name] = fits[name].model.fit(fits[name].method, seed=seed, progress=False, **chosen)
    named = listing(f"`{name}`" for name in restricted)
    return out, [
        f"{named} had maximised the restricted likelihood (REML), which depends on the coefficients of "
        "the model; refitted by maximum likelihood (reml=False) for this comparison."
    ]


def _same_coefficients(fits: Mapping[str, Fit]) -> bool:
    found = []
    for fit in fits.values():
        schema = fit.model.spec.schema.predictors[0]
        found.append((schema.intercept, fit.model.design.predictors[MEAN].matrix))
    first, *others = found
    return all(first[0] == o[0] and np.array_equal(first[1], o[1]) for o in others)


def _likelihood(name: str, fit: Fit) -> tuple[float, int]:
    if not fit.backend.frequentist:
        raise OptionError(
            f'`{name}` is a fit by "{fit.method}", which maximises no likelihood. Compare it by "loo" '
            'or "kfold", or fit it by "ols", "glm", "lme" or "glmm".'
        )
    if fit.draws.log_likelihood is None or fit.draws.parameters is None:
        raise FitError(f"the file of `{name}` does not hold its log likelihood. Fit it again.")
    return float(fit.draws.log_likelihood), int(fit.draws.parameters)
