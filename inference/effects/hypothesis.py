"""Probabilities of statements about parameters: `fit.hypothesis("stim > 0")`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from ...errors import OptionError, shown
from ..point import point_values
from ..programs import double_precision
from .intervals import check_interval, interval_of
from .names import Place, places
from .statements import Statement, evaluate, names_in, read_statement

if TYPE_CHECKING:
    from ..fit import Fit


def hypothesis(
    fit: Fit, statements: Any, *, prob: float = 0.95, interval: str = "equal"
) -> pd.DataFrame:
    """Returns how probable statements about parameters are.

    A statement compares sums, products, powers, exp, log, sqrt and abs of printed names and numbers:
    `"stim > 0"`, `"C(stim)[b] - 2 * x > 0.1"`, `"-0.1 < x < 0.1"`. Names are those of the summary, also
    of group effects (`1|mouse[m1]`), with or without backticks; the longest name that fits is meant.

    Args:
        fit: the fit.
        statements: a statement, or a list of them.
        prob: probability of the interval.
        interval: `equal` or `hdi`.

    Returns:
        One row per statement: `hypothesis`, then `mean sd lower upper` of the left side minus the right
        one (of the middle of a chain), and `probability`, the share of draws for which it holds. For
        frequentist fits mean and `se` are exact to first order where all names are common
        coefficients, else from the estimator's draws; `statistic` is their ratio, `p_value` the
        one-sided one of the test whose alternative is the statement (of a chain the larger of two
        one-sided ones), and `probability` that of the confidence distribution. "map" has none.

    Raises:
        OptionError: a statement cannot be read, or names no parameter.

    Example:
        >>> fit.hypothesis("Days > 5")  # doctest: +SKIP
    """
    check_interval(prob, interval, None)
    texts = [statements] if isinstance(statements, str) else statements
    if not isinstance(texts, list | tuple) or not texts:
        raise OptionError(
            f'hypothesis takes a text such as "x > 0", or a list of them, not {shown(statements)}.'
        )
    known = places(fit)
    rows = []
    for text in texts:
        statement = read_statement(text, known)
        used = {name: known[name] for name in names_in(statement)}
        if fit.backend.frequentist:
            found = _of_estimates(fit, statement, used, prob)
        else:
            found = _of_draws(fit, statement, used, prob, interval)
        rows.append({"hypothesis": statement.text, **found})
    return pd.DataFrame(rows)


def _parts(statement: Statement, values: Any, library: Any) -> tuple[Any, list[Any]]:
    """The quantity that is reported, and for each comparison what must be above 0 for it to hold."""
    sides = [evaluate(side, values, library) for side in statement.sides]
    gaps = [
        (a - b) if sign.startswith(">") else (b - a)
        for a, b, sign in zip(sides, sides[1:], statement.signs, strict=False)
    ]
    return (sides[1] if len(sides) == 3 else sides[0] - sides[1]), gaps


def _of_draws(
    fit: Fit, statement: Statement, used: dict[str, Place], prob: float, interval: str
) -> dict[str, Any]:
    values = {name: place.pick(fit.draws.natural) for name, place in used.items()}
    with np.errstate(all="ignore"):
        quantity, gaps = _parts(statement, values, np)
    shape = next(iter(values.values())).shape
    quantity, *gaps = (np.broadcast_to(part, shape) for part in (quantity, *gaps))
    _require_defined(statement, quantity, *gaps)
    if fit.backend.point:
        empty = dict.fromkeys(("sd", "lower", "upper", "probability"), np.nan)
        return {"mean": float(quantity.mean()), **empty}
    holds = np.ones(quantity.shape, dtype=bool)
    for gap, sign in zip(gaps, statement.signs, strict=True):
        holds &= (gap >= 0) if sign.endswith("=") else (gap > 0)
    mean, sd = _moments(quantity)
    lower, upper = interval_of(quantity, prob, interval)
    return {
        "mean": mean,
        "sd": sd,
        "lower": float(lower),
        "upper": float(upper),
        "probability": float(holds.mean()),
    }


def _of_estimates(
    fit: Fit, statement: Statement, used: dict[str, Place], prob: float
) -> dict[str, Any]:
    """Wald tests: by the delta method where all names are coefficients, else by draws."""
    from scipy import stats

    point = {name: array[None] for name, array in point_values(fit).items()}
    centre = {name: np.float64(place.pick(point)[0]) for name, place in used.items()}
    drawn = {name: place.pick(fit.draws.natural) for name, place in used.items()}
    with np.errstate(all="ignore"):
        quantity, gaps = _parts(statement, centre, np)
        drawn_quantity, drawn_gaps = _parts(statement, drawn, np)
    _require_defined(statement, quantity, *gaps)
    df = np.full(1 + len(gaps), np.inf)
    positions = [at for place in used.values() if (at := place.coefficient) is not None]
    estimator = fit.draws.estimator
    if estimator is not None and len(positions) == len(used):
        gradient = np.zeros((len(df), len(estimator.covariance)))
        gradient[:, positions] = _gradients(statement, centre)
        errors = np.sqrt(estimator.variances(gradient)).tolist()
        df = estimator.degrees_of_freedom(gradient)
    else:
        _require_defined(statement, drawn_quantity, *drawn_gaps)
        errors = [_moments(part)[1] for part in (drawn_quantity, *drawn_gaps)]

    def below(x: float, k: int) -> float:
        found = stats.t.cdf(x, df[k]) if np.isfinite(df[k]) else stats.norm.cdf(x)
        return float(found)

    half = 0.5 + prob / 2
    reach = stats.t.ppf(half, df[0]) if np.isfinite(df[0]) else stats.norm.ppf(half)
    se = float(errors[0])
    ratios = [_ratio(gap, error) for gap, error in zip(gaps, errors[1:], strict=True)]
    statistic = _ratio(quantity, se) if len(gaps) == 1 else np.nan
    fails = [below(-ratio, k) for k, ratio in enumerate(ratios, start=1)]
    return {
        "mean": float(quantity),
        "sd": se,
        "lower": float(quantity - reach * se),
        "upper": float(quantity + reach * se),
        "probability": float(np.maximum(1 - sum(fails), 0.0)),
        "se": se,
        "statistic": statistic,
        "p_value": float(np.max(fails)),
    }


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, whose sums of squares do not overflow."""
    scale = np.ldexp(
        1.0, np.frexp(np.abs(values).max())[1] - 1
    )  # a power of 2, which rounds nothing
    part = values / scale
    return float(scale * part.mean()), float(scale * part.std(ddof=1)) if len(part) > 1 else np.nan


def _ratio(value: Any, error: float) -> float:
    """A value in standard errors; NaN where there is none, as for effects that are estimated as 0."""
    return float(value / error) if error > 1e-12 * abs(value) else np.nan


def _gradients(statement: Statement, centre: Mapping[str, float]) -> np.ndarray:
    """Derivatives of the quantity and of the gaps by the names, shape (1 + gaps, name)."""

    def function(values: Any) -> Any:
        named = dict(zip(centre, values, strict=True))
        quantity, gaps = _parts(statement, named, jnp)
        return jnp.stack([jnp.asarray(part, dtype=float) for part in (quantity, *gaps)])

    with double_precision():
        return np.asarray(jax.jacobian(function)(jnp.asarray(list(centre.values()))))


def _require_defined(statement: Statement, *parts: Any) -> None:
    lacking = ~np.isfinite(parts).all(axis=0)
    if lacking.any():
        share = f"in {int(lacking.sum()):,} of {lacking.size:,} draws"
        where = share if lacking.size > 1 else "at the estimate"
        raise OptionError(
            f"hypothesis: `{statement.text}` is no number {where} (a division by 0, "
            "log or sqrt of a negative number, or a number beyond 1e308)."
        )
