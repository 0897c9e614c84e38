"""A mixed model in statsmodels' MixedLM, where it can express it.

MixedLM knows one grouping factor with one correlated set of effects (exog_re), and independent
variance components nested in it (exog_vc). So it expresses one factor, nested factors, and, with one
group that holds all rows, crossed factors without correlations; not correlated effects of a second
factor, weights, or known errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..frequentist import Rows, load_statsmodels, quiet
from .system import Factor

LARGEST, MOST_GROUPS = 500_000, 1_000
"""Beyond so many numbers in MixedLM's matrices, or turns of its loop over groups, it takes long."""
MOST_NUMBERS = 100_000_000
"""Beyond so many numbers in its matrices it is not asked at all."""


@dataclass(frozen=True, eq=False)
class Twin:
    """A model of statsmodels, not yet fitted.

    Attributes:
        model: the MixedLM.
        correlated: the position of the term whose effects are in exog_re; None where there is none.
        components: for each variance component its term's position, and which effect of it.
    """

    model: Any
    correlated: int | None
    components: tuple[tuple[int, int], ...]


def find_host(factors: tuple[Factor, ...]) -> int | None:
    """Returns the factor whose groups hold all others' groups.

    -1 for crossed factors without correlations; None where MixedLM cannot express the model.
    """
    correlated = [i for i, f in enumerate(factors) for _, span in f.terms if _rich(f, span)]
    for i in np.argsort([f.groups for f in factors]):
        nested = all(_nested(other.index, factors[i].index) for other in factors)
        if nested and (not correlated or correlated == [i]):
            return int(i)
    return None if correlated else -1


def obstacle(rows: Rows, factors: tuple[Factor, ...]) -> str:
    """Returns what of the model MixedLM cannot express, as the end of a sentence; empty if nothing."""
    if rows.weighted:
        return "rows that count differently: `weighted(...)`"
    if rows.known:
        return "known errors: `measured(...)`"
    if not rows.names:
        return "a model without any coefficient"
    host = find_host(factors)
    if host is None:
        return (
            "correlated effects of one grouping factor beside another that is crossed with it, or of "
            "two factors (write `||` for uncorrelated ones)"
        )
    numbers = len(rows.y) * _width(factors, host)
    if numbers > MOST_NUMBERS:
        return f"so large a model: its matrices would be dense, with {numbers:,} numbers"
    return ""


def takes_long(rows: Rows, factors: tuple[Factor, ...]) -> bool:
    """Whether a fit that nobody asked to be statsmodels' own would take long."""
    host = find_host(factors)
    large = host is None or len(rows.y) * _width(factors, host) > LARGEST
    turns = len(np.unique(_groups(rows, factors, host)))
    return large or turns > MOST_GROUPS


def make_twin(rows: Rows, factors: tuple[Factor, ...], names: list[list[str]]) -> Twin:
    """Builds the model of statsmodels.

    Args:
        rows: the data.
        factors: the grouping factors.
        names: printed names of each term's standard deviations.
    """
    load_statsmodels()
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    host = find_host(factors)
    groups = _groups(rows, factors, host)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    options: dict[str, Any] = {}
    correlated, components, labels, matrices = None, [], [], []
    for i, factor in enumerate(factors):
        for position, span in factor.terms:
            columns = factor.effects[:, span]
            if i == host and (_rich(factor, span) or (correlated is None and _plain(factors))):
                correlated = position
                options["exog_re"] = pd.DataFrame(columns, columns=names[position])
                continue
            for j in range(columns.shape[1]):
                parts = [_spread(factor.index[m], columns[m, j]) for m in members]
                name = names[position][j]
                labels.append([[f"{name}[{k}]" for k in range(part.shape[1])] for part in parts])
                matrices.append(parts)
                components.append((position, j))
    if components:
        named = [names[position][j] for position, j in components]
        options["exog_vc"] = VCSpec(named, labels, matrices)
    model = MixedLM(rows.y - rows.offset, rows.frame, groups=groups, **options)
    return Twin(model, correlated, tuple(components))


def fit_near(
    twin: Twin,
    estimate: list[tuple[np.ndarray, np.ndarray]],
    coefficients: np.ndarray,
    sigma: float,
    reml: bool,
) -> Any:
    """Returns statsmodels' result, started at our optimum; None where it does not stay there.

    Args:
        twin: the model.
        estimate: our standard deviations and correlations of each term.
        coefficients: our coefficients.
        sigma: our residual standard deviation.
        reml: restricted likelihood, or likelihood.
    """
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    covariance = np.zeros((0, 0))
    if twin.correlated is not None:
        sd, corr = estimate[twin.correlated]
        covariance = corr * np.outer(sd, sd) / sigma**2
    # zero is a point from which statsmodels cannot leave
    variances = [max(estimate[i][0][j] / sigma, 1e-3) ** 2 for i, j in twin.components]
    join: Any = MixedLMParams.from_components
    with quiet():
        try:
            params = join(coefficients, cov_re=covariance, vcomp=np.asarray(variances))
            result = twin.model.fit(start_params=params, reml=reml)
            close = abs(result.scale / sigma**2 - 1) < 0.01
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            return None
    return result if close and np.isfinite(result.llf) else None


def _groups(rows: Rows, factors: tuple[Factor, ...], host: int | None) -> np.ndarray:
    if host is None or host == -1:
        return np.zeros(len(rows.y), dtype=int)
    return factors[host].index


def _width(factors: tuple[Factor, ...], host: int) -> int:
    """Columns of MixedLM's matrix of effects."""
    if host == -1:
        return sum(f.size * f.groups for f in factors)
    return max(f.size for f in factors)


def _rich(factor: Factor, span: slice) -> bool:
    """Whether the effects of a term are correlated."""
    return bool(np.tril(factor.mask[span, span], -1).any())


def _nested(inner: np.ndarray, outer: np.ndarray) -> bool:
    pairs = inner.astype(np.int64) * (int(outer.max()) + 1) + outer
    return len(np.unique(pairs)) == len(np.unique(inner))


def _plain(factors: tuple[Factor, ...]) -> bool:
    """Whether no term is correlated, so that a single effect may take the place of one."""
    return len(factors) == 1 and len(factors[0].terms) == 1 and factors[0].size == 1


def _spread(index: np.ndarray, values: np.ndarray) -> np.ndarray:
    """One column per group of a nested factor."""
    present, codes = np.unique(index, return_inverse=True)
    out = np.zeros((len(index), len(present)))
    out[np.arange(len(index)), codes] = values
    return out
