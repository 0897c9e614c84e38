"""The statsmodels twin of a mixed model, started at our optimum, where statsmodels can express it.

MixedLM knows one grouping factor with one correlated set of effects (exog_re), and independent
variance components nested in it (exog_vc). So it expresses one factor, nested factors, and, with one
group that holds all rows, crossed factors without correlations; not correlated effects of a second
factor, weights, or known errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .frequentist import Rows, load_statsmodels, quiet
from .mixed_system import Factor

LARGEST, MOST_GROUPS = 500_000, 1_000
"""Beyond so many numbers in MixedLM's matrices, or turns of its loop over groups, it takes long."""


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


def _rich(factor: Factor, span: slice) -> bool:
    """Whether the effects of a term are correlated."""
    return bool(np.tril(factor.mask[span, span], -1).any())


def _nested(inner: np.ndarray, outer: np.ndarray) -> bool:
    pairs = inner.astype(np.int64) * (int(outer.max()) + 1) + outer
    return len(np.unique(pairs)) == len(np.unique(inner))


def fit_twin(
    rows: Rows,
    factors: tuple[Factor, ...],
    names: list[list[str]],
    estimate: list[tuple[np.ndarray, np.ndarray]],
    coefficients: np.ndarray,
    sigma: float,
    reml: bool,
) -> Any:
    """Returns statsmodels' result, or None where it cannot express the model or does not get there.

    Args:
        rows: the data.
        factors: the grouping factors.
        names: printed names of each term's standard deviations.
        estimate: our standard deviations and correlations of each term, to start from.
        coefficients: our coefficients.
        sigma: our residual standard deviation.
        reml: restricted likelihood, or likelihood.
    """
    if rows.weighted or rows.known or not len(coefficients) or len(rows.y) > LARGEST:
        return None
    host = find_host(factors)
    single = host == -1
    width = sum(f.size * f.groups for f in factors) if single else max(f.size for f in factors)
    if host is None or len(rows.y) * width > LARGEST:
        return None
    load_statsmodels()
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    groups = np.zeros(len(rows.y), dtype=int) if single else factors[host].index
    if len(np.unique(groups)) > MOST_GROUPS:
        return None
    correlated, components, start = _components(factors, host, groups, names, estimate, sigma)
    with quiet():
        try:
            model = _model(rows, groups, correlated, components)
            join: Any = MixedLMParams.from_components
            params = join(coefficients, cov_re=start[0], vcomp=np.asarray(start[1]))
            result = model.fit(start_params=params, reml=reml)
            close = abs(result.scale / sigma**2 - 1) < 0.01
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            return None
    return result if close and np.isfinite(result.llf) else None


def _components(
    factors: tuple[Factor, ...],
    host: int | None,
    groups: np.ndarray,
    names: list[list[str]],
    estimate: list[tuple[np.ndarray, np.ndarray]],
    sigma: float,
) -> tuple[Any, dict[str, Any], tuple[np.ndarray, list[float]]]:
    """Splits the terms into one correlated set, and independent variance components."""
    correlated: Any = None
    covariance, variances = np.zeros((0, 0)), []
    components: dict[str, Any] = {}
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    for i, factor in enumerate(factors):
        for position, span in factor.terms:
            sd, corr = estimate[position]
            columns = factor.effects[:, span]
            if i == host and (_rich(factor, span) or (correlated is None and _plain(factors))):
                correlated = (columns, names[position])
                covariance = corr * np.outer(sd, sd) / sigma**2
                continue
            for j, name in enumerate(names[position]):
                components[name] = [_spread(factor.index[m], columns[m, j]) for m in members]
                # zero is a point from which statsmodels cannot leave
                variances.append(float(max(sd[j] / sigma, 1e-3) ** 2))
    return correlated, components, (covariance, variances)


def _plain(factors: tuple[Factor, ...]) -> bool:
    """Whether no term is correlated, so that a single effect may take the place of one."""
    return len(factors) == 1 and len(factors[0].terms) == 1 and factors[0].size == 1


def _spread(index: np.ndarray, values: np.ndarray) -> np.ndarray:
    """One column per group of a nested factor."""
    present, codes = np.unique(index, return_inverse=True)
    out = np.zeros((len(index), len(present)))
    out[np.arange(len(index)), codes] = values
    return out


def _model(rows: Rows, groups: np.ndarray, correlated: Any, components: dict[str, Any]) -> Any:
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    options: dict[str, Any] = {}
    if correlated is not None:
        options["exog_re"] = pd.DataFrame(correlated[0], columns=correlated[1])
    if components:
        labels = [
            [[f"{name}[{k}]" for k in range(part.shape[1])] for part in parts]
            for name, parts in components.items()
        ]
        options["exog_vc"] = VCSpec(list(components), labels, list(components.values()))
    return MixedLM(rows.y - rows.offset, rows.frame, groups=groups, **options)
