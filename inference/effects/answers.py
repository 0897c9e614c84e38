"""What is known of several numbers: draws of them, or estimates with gradients; and the table of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...zoo.links import LINKS, Link
from ..programs import double_precision
from .intervals import interval_of

if TYPE_CHECKING:
    from ..fit import Fit


@dataclass(frozen=True, eq=False)
class Answers:
    """Several numbers with their uncertainty.

    Attributes:
        draws: shape (sample, answer); None where the gradient says all.
        value: estimates of a frequentist fit, or the mode of "map", shape (answer,); None for draws.
        gradient: of the estimates by the common coefficients, shape (answer, coef); None if unknown.
        rest: what group effects add to them in each draw, shape (sample, answer); None for nothing.
        link: the scale on which estimates are taken for normal.
        null: what they are compared with: 0, or 1 for ratios.
    """

    draws: np.ndarray | None
    value: np.ndarray | None = None
    gradient: np.ndarray | None = None
    rest: np.ndarray | None = None
    link: Link = LINKS["identity"]
    null: float = 0.0


def tabulate(
    fit: Fit, answers: Answers, prob: float, interval: str, rope: Any, direction: bool = False
) -> pd.DataFrame:
    """Returns one row per answer.

    Args:
        fit: the fit that they come from.
        answers: the numbers.
        prob: probability of the interval.
        interval: `equal` or `hdi`.
        rope: region of practical equivalence, (low, high), or None.
        direction: whether to add the probability of the likelier direction.

    Returns:
        Columns `mean sd lower upper p_positive`, then `p_direction` and `p_rope` where asked for, and
        `se df statistic p_value` for frequentist fits.
    """
    if fit.backend.point:
        out = _of_point(answers, rope)
    elif fit.backend.frequentist:
        out = _of_estimates(fit, answers, prob, rope)
    else:
        out = _of_draws(answers, prob, interval, rope)
    if direction:
        out["p_direction"] = np.maximum(out["p_positive"], 1 - out["p_positive"])
    order = ["mean", "sd", "lower", "upper", "p_positive", "p_direction", "p_rope"]
    order += ["se", "df", "statistic", "p_value"]
    return pd.DataFrame({name: out[name] for name in order if name in out})


def _of_point(answers: Answers, rope: Any) -> dict[str, Any]:
    value = answers.value
    assert value is not None
    empty = ["sd", "lower", "upper", "p_positive", *(["p_rope"] if rope is not None else [])]
    return {"mean": value, **{name: np.full(value.shape, np.nan) for name in empty}}


def _of_draws(answers: Answers, prob: float, interval: str, rope: Any) -> dict[str, Any]:
    draws = answers.draws
    assert draws is not None
    lower, upper = interval_of(draws, prob, interval)
    out: dict[str, Any] = {
        "mean": draws.mean(axis=0),
        "sd": draws.std(axis=0, ddof=1) if len(draws) > 1 else np.full(draws.shape[1:], np.nan),
        "lower": lower,
        "upper": upper,
        "p_positive": (draws > answers.null).mean(axis=0),
    }
    if rope is not None:
        out["p_rope"] = ((draws >= rope[0]) & (draws <= rope[1])).mean(axis=0)
    return out


def _of_estimates(fit: Fit, answers: Answers, prob: float, rope: Any) -> dict[str, Any]:
    """Wald intervals on the scale of the link, and tests against the null on it where it is a ratio."""
    from scipy import stats

    value, link = answers.value, answers.link
    assert value is not None
    with np.errstate(all="ignore"):
        slope = np.broadcast_to(link.slope(value), value.shape)
        se, df = _errors(fit, answers, value, slope)
        scaled = se / slope
        centre = link.forward(value)
        tested = (centre, scaled) if answers.null else (value, se)
        statistic = np.where(tested[1] > 0, tested[0] / tested[1], np.nan)

        def below(x: Any) -> np.ndarray:
            return np.where(np.isfinite(df), stats.t.cdf(x, df), stats.norm.cdf(x))

        half = 0.5 + prob / 2
        reach = np.where(np.isfinite(df), stats.t.ppf(half, df), stats.norm.ppf(half)) * scaled
        with double_precision():
            lower, upper = (np.asarray(link.inverse(centre + s * reach)) for s in (-1, 1))
        positive = np.where(tested[1] > 0, below(statistic), (value > answers.null) * 1.0)
        out = {
            "mean": value,
            "sd": se,
            "lower": lower,
            "upper": upper,
            "p_positive": positive,
            "se": se,
            "df": df,
            "statistic": statistic,
            "p_value": 2 * below(-abs(statistic)),
        }
        if rope is not None:
            low, high = (_inside(link, end) for end in rope)
            out["p_rope"] = below((high - centre) / scaled) - below((low - centre) / scaled)
    return out


def _errors(
    fit: Fit, answers: Answers, value: np.ndarray, slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and degrees of freedom: exact ones, or of draws where group effects enter."""
    drawn = se = np.full(value.shape, np.nan)
    df = np.full(value.shape, np.inf)
    if answers.draws is not None:
        drawn = se = np.std(answers.link.forward(answers.draws), axis=0, ddof=1) * slope
    estimator = fit.draws.estimator
    if answers.gradient is not None and estimator is not None:
        exact = np.sqrt(estimator.variances(answers.gradient))
        alone = np.ones(value.shape, dtype=bool)
        if answers.rest is not None:
            alone = np.ptp(answers.rest, axis=0) <= 1e-9 * np.maximum(exact, drawn)
        se = np.where(alone, exact, drawn)
        df = np.where(alone, estimator.degrees_of_freedom(answers.gradient), np.inf)
    return se, df


def _inside(link: Link, end: float) -> float:
    """An end of a region on the scale of the link; infinite where the link has no such value."""
    if end <= link.bounds[0]:
        return -np.inf
    return np.inf if end >= link.bounds[1] else float(link.forward(np.asarray(float(end))))
