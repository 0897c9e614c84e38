"""Probabilities of statements about parameters: `fit.hypothesis("stim > 0")`."""

from __future__ import annotations

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
    quantity = np.broadcast_to(quantity, next(iter(values.values())).shape)
    _require_defined(statement, quantity)
    if fit.backend.point:
        empty = dict.fromkeys(("sd", "lower", "upper", "probability"), np.nan)
        return {"mean": float(quantity.mean()), **empty}
    holds = np.ones(quantity.shape, dtype=bool)
    for gap, sign in zip(gaps, statement.signs, strict=True):
        holds &= (gap >= 0) if sign.endswith("=") else (gap > 0)
    lower, upper = interval_of(quantity, prob, interval)
    return {
        "mean": float(quantity.mean()),
        "sd": float(quantity.std(ddof=1)) if len(quantity) > 1 else np.nan,
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
    centre = {name: float(place.pick(point)[0]) for name, place in used.items()}
    drawn = {name: place.pick(fit.draws.natural) for name, place in used.items()}
    with np.errstate(all="ignore"):
        quantity, gaps = _parts(statement, centre, np)
        drawn_quantity, drawn_gaps = _parts(statement, drawn, np)
    _require_defined(statement, np.asarray([quantity]))
    errors = [float(np.std(part, ddof=1)) for part in (drawn_quantity, *drawn_gaps)]
    df = np.full(len(errors), np.inf)
    positions = [at for place in used.values() if (at := place.coefficient) is not None]
    estimator = fit.draws.estimator
    if estimator is not None and len(positions) == len(used):
        gradient = np.zeros((len(errors), len(estimator.covariance)))
        gradient[:, positions] = _gradients(statement, centre)
        errors = np.sqrt(estimator.variances(gradient)).tolist()
        df = estimator.degrees_of_freedom(gradient)

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


def _ratio(value: Any, error: float) -> float:
    """A value in standard errors; NaN where there is none, as for effects that are estimated as 0."""
    return float(value / error) if error > 1e-12 * abs(value) else np.nan


def _gradients(statement: Statement, centre: dict[str, float]) -> np.ndarray:
    """Derivatives of the quantity and of the gaps by the names, shape (1 + gaps, name)."""

    def function(values: Any) -> Any:
        named = dict(zip(centre, values, strict=True))
        quantity, gaps = _parts(statement, named, jnp)
        return jnp.stack([jnp.asarray(part, dtype=float) for part in (quantity, *gaps)])

    with double_precision():
        return np.asarray(jax.jacobian(function)(jnp.asarray(list(centre.values()))))


def _require_defined(statement: Statement, values: np.ndarray) -> None:
    lacking = ~np.isfinite(values)
    if lacking.any():
        raise OptionError(
            f"hypothesis: `{statement.text}` is no number in {int(lacking.sum()):,} of "
            f"{lacking.size:,} draws (a division by 0, or log or sqrt of a negative number)."
        )
