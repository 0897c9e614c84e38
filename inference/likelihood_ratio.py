"""Likelihood ratio tests of nested fits.

    statistic = 2 (log likelihood of the larger - that of the smaller) ~ chi2(further parameters)

Where the smaller model is the larger one with a variance at 0, the boundary of what variances can be,
half of all data sets put the estimate there. With one further variance and its q covariances the
statistic is a 50:50 mixture of chi2(df - 1) and chi2(df), so the plain p value is up to twice too
large.

Source: Stram and Lee (1994), Biometrics 50, 1171-1177 (correction 1995, Biometrics 51, 1196).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ..errors import FitError, OptionError, listing
from ..formula.terms import INTERCEPT, MEAN
from .fit import Fit

ROUNDING = 1e-6
"""A statistic this far below 0, beside the log likelihood, is rounding."""

Blocks = dict[str, list[frozenset[str]]]
"""For each grouping factor the sets of its effects that are correlated with each other."""


def likelihood_ratio(*fits: Fit) -> pd.DataFrame:
    """Tests each fit against the one before it.

    Args:
        *fits: fits by "ols", "glm", "lme" or "glmm" of the same rows, each with all terms of the one
            before it and more; those by "lme" with `reml=False`, unless only group effects differ.

    Returns:
        One row for each step, named by the larger formula, with columns `smaller` (its formula),
        `log_likelihood_smaller log_likelihood parameters_smaller parameters df statistic p_value
        p_value_plain distribution`. `p_value` is that of the mixture where one variance is new; where
        several are, no simple mixture is known and it is the plain one, which is too large.

    Raises:
        OptionError: fewer than two fits, fits of other data or families, fits that are not nested, or
            restricted likelihoods of different coefficients.
        FitError: a fit has no maximised likelihood, or the larger model's is below the smaller one's.

    Example:
        >>> import bayeszoo as bz
        >>> data = {"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 3.0]}
        >>> fits = [bz.Model(f, data).fit("ols", progress=False) for f in ("y ~ 1", "y ~ x")]
        >>> int(bz.likelihood_ratio(*fits)["df"].iloc[0])
        1
    """
    if len(fits) < 2:
        raise OptionError(
            f"likelihood_ratio takes two fits or more, the smaller first, not {len(fits)}."
        )
    for fit in fits:
        _check(fit)
    steps = [_step(a, b) for a, b in pairwise(fits)]
    return pd.DataFrame(steps, index=[_text(fit) for fit in fits[1:]])


def _text(fit: Fit) -> str:
    return fit.model.spec.schema.formula.text.strip()


def _check(fit: Any) -> None:
    if not isinstance(fit, Fit):
        raise OptionError(f"likelihood_ratio takes fits, not {type(fit).__name__}.")
    if not fit.backend.frequentist:
        raise FitError(
            f'likelihood_ratio compares maximised likelihoods, but "{fit.method}" of `{_text(fit)}` '
            'is Bayesian. Compare such fits with fit.loo(), or fit by "ols", "glm" or "lme".'
        )
    if fit.draws.log_likelihood is None:
        raise FitError(
            f"the fit of `{_text(fit)}` has no log likelihood, because files do not keep it. Fit it "
            "again."
        )
    if fit.draws.converged is False:
        raise FitError(
            f"the fit of `{_text(fit)}` did not converge, so its likelihood is not the largest one."
        )


def _step(small: Fit, large: Fit) -> dict[str, Any]:
    _same_data(small, large)
    fixed = _fixed(small, large)
    variances, covariances = _variances(small, large)
    df = fixed + variances + covariances
    if not df:
        raise OptionError(
            f"`{_text(small)}` and `{_text(large)}` are the same model, so there is nothing to test."
        )
    values = [float(fit.draws.log_likelihood or 0.0) for fit in (small, large)]
    statistic = 2 * (values[1] - values[0])
    if statistic < -ROUNDING * max(abs(values[0]), 1.0):
        raise FitError(
            f"the likelihood of `{_text(large)}` is below that of `{_text(small)}`, which it contains "
            f"({values[1]:.6g} < {values[0]:.6g}), so one of them is not at its maximum. Look at "
            "fit.diagnose()."
        )
    statistic = max(statistic, 0.0)
    plain = _tail(statistic, df)
    mixed = variances == 1
    return {
        "smaller": _text(small),
        "log_likelihood_smaller": values[0],
        "log_likelihood": values[1],
        "parameters_smaller": small.draws.parameters,
        "parameters": large.draws.parameters,
        "df": df,
        "statistic": statistic,
        "p_value": 0.5 * (_tail(statistic, df - 1) + plain) if mixed else plain,
        "p_value_plain": plain,
        "distribution": f"(chi2({df - 1}) + chi2({df})) / 2" if mixed else f"chi2({df})",
    }


def _tail(statistic: float, df: int) -> float:
    """P(chi2(df) >= statistic); chi2(0) is always 0."""
    from scipy import stats

    return float(stats.chi2.sf(statistic, df)) if df else float(statistic <= 0)


def _same_data(small: Fit, large: Fit) -> None:
    """Refuses fits of different rows, responses, families or kinds of likelihood."""
    a, b = small.model, large.model
    pair = f"`{_text(small)}` and `{_text(large)}`"
    if (a.spec.family.name, a.spec.links) != (b.spec.family.name, b.spec.links):
        raise OptionError(
            f"{pair} differ in family or link ({a.spec.family.name}, {dict(a.spec.links)['mu']}; "
            f"{b.spec.family.name}, {dict(b.spec.links)['mu']}), so they are not nested."
        )
    if not np.array_equal(a.design.rows, b.design.rows):
        raise OptionError(
            f"{pair} use {a.design.size:,} and {b.design.size:,} rows, and not the same ones: a column "
            "of one formula lacks values. Fit both to the rows that are complete for the larger one."
        )
    first, second = a.design.response, b.design.response
    same = first.keys() == second.keys() and all(
        np.array_equal(array, second[name]) for name, array in first.items()
    )
    offset, other = (m.design.predictors[MEAN].offset for m in (a, b))
    if not same or not np.array_equal(offset, other):
        raise OptionError(f"{pair} differ in the response, its weights, or the offset.")
    restricted = [bool(f.info["settings"].get("reml", False)) for f in (small, large)]
    if restricted[0] != restricted[1]:
        raise OptionError(
            f"one of {pair} maximises the restricted likelihood and the other does not. Refit with "
            "reml=False."
        )


def _columns(fit: Fit) -> pd.DataFrame:
    """The columns of the coefficients."""
    schema = fit.model.spec.schema.predictors[0]
    matrix = fit.model.design.predictors[MEAN].matrix
    ones = np.ones((len(matrix), int(schema.intercept)))
    names = [*(INTERCEPT,) * schema.intercept, *schema.column_names]
    return pd.DataFrame(np.hstack([ones, matrix]), columns=names)


def _fixed(small: Fit, large: Fit) -> int:
    """How many coefficients are new."""
    a, b = _columns(small), _columns(large)
    restricted = bool(small.info["settings"].get("reml", False))
    if a.columns.equals(b.columns) and np.array_equal(a, b):
        return 0
    if restricted:
        raise OptionError(
            "restricted likelihoods of models with different coefficients "
            f"(`{_text(small)}`, `{_text(large)}`) cannot be compared. Refit with reml=False."
        )
    norms = np.linalg.norm(a, axis=0)
    if a.shape[1]:
        q, _ = np.linalg.qr(b.to_numpy())
        scaled = a.to_numpy() / np.where(norms > 0, norms, 1.0)
        left = np.linalg.norm(scaled - q @ (q.T @ scaled), axis=0)
        lacking = [f"`{name}`" for name, size in zip(a.columns, left, strict=True) if size > 1e-6]
        if lacking:
            raise OptionError(
                f"`{_text(small)}` is not part of `{_text(large)}`, which lacks {listing(lacking)}. "
                "Give the smaller model first."
            )
    return b.shape[1] - a.shape[1]


def _blocks(fit: Fit) -> Blocks:
    out: Blocks = {}
    for group in fit.model.spec.schema.predictors[0].groups:
        names = group.effect_names
        sets = [frozenset(names)] if group.term.correlated else [frozenset([n]) for n in names]
        out.setdefault(group.term.group, []).extend(sets)
    return out


def _variances(small: Fit, large: Fit) -> tuple[int, int]:
    """How many variances and covariances of group effects are new."""
    a, b = _blocks(small), _blocks(large)
    for factor, blocks in a.items():
        for block in blocks:
            if not any(block <= other for other in b.get(factor, [])):
                named = listing(f"`{name}`" for name in sorted(block))
                raise OptionError(
                    f"`{_text(small)}` is not part of `{_text(large)}`, which lacks effects of "
                    f"`{factor}` or correlations of them ({named}). Give the smaller model first."
                )

    def count(blocks: Blocks) -> tuple[int, int]:
        sizes = [len(block) for sets in blocks.values() for block in sets]
        return sum(sizes), sum(size * (size - 1) // 2 for size in sizes)

    before, after = count(a), count(b)
    return after[0] - before[0], after[1] - before[1]
