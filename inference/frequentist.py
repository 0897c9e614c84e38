"""What the frequentist methods share: refusals, rows, draws from normal approximations, the table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..errors import FitError, listing
from ..formula.terms import INTERCEPT, MEAN
from ..zoo.spec import ModelSpec
from .backend import Problem
from .summary import draws_by_name

BAYESIAN = '"nuts", "map", "svi" or "laplace"'
"""The methods that fit every model, for messages."""


def load_statsmodels() -> Any:
    """Imports statsmodels, whose import changes the filters of warnings, and puts them back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api

    return statsmodels.api


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps warnings of numerical libraries in; what they warn of is checked and said in words."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a model with one linear predictor, as arrays.

    Attributes:
        y: the response, shape (obs,).
        matrix: the intercept, if there is one, and the other common columns, shape (obs, coef).
        names: the printed names of its columns.
        offset: shape (obs,).
        counts: how often each row counts (`weighted`), shape (obs,); ones by default.
        precision: 1 / se^2 of `measured` responses, shape (obs,); ones by default.
        known: whether the precision is known, so that no scale is estimated.
        kept: the rows of the design that count at all, shape (obs,).
    """

    y: np.ndarray
    matrix: np.ndarray
    names: tuple[str, ...]
    offset: np.ndarray
    counts: np.ndarray
    precision: np.ndarray
    known: bool
    kept: np.ndarray

    @property
    def total(self) -> float:
        """The number of rows, each counted as often as it counts."""
        return float(self.counts.sum())

    @property
    def weighted(self) -> bool:
        """Whether rows count differently."""
        return bool((self.counts != 1).any())

    @property
    def frame(self) -> pd.DataFrame:
        """The matrix with names, so that statsmodels prints them."""
        return pd.DataFrame(self.matrix, columns=list(self.names))


def refuse(problem: Problem, method: str) -> None:
    """Refuses models that no frequentist method fits.

    Raises:
        FitError: there are several neurons, a further parameter has a predictor of its own, or values
            are censored.
    """
    neurons = problem.spec.schema.neurons
    if neurons is not None:
        raise FitError(
            f'method "{method}" fits a single response, but `{problem.spec.schema.response}` has '
            f"{len(neurons.labels):,} (dimension {neurons.dim}, one per neuron). Methods that can: "
            f'{BAYESIAN}; "map" with priors bz.Flat() is maximum likelihood.'
        )
    further = [p.parameter for p in problem.structure.predictors[1:]]
    if further:
        raise FitError(
            f'method "{method}" fits one predictor, that of the mean, but the formula also models '
            f"{listing(f'`{name}`' for name in further)}. Methods that can: {BAYESIAN}."
        )
    if "status" in problem.training.response:
        raise FitError(
            f'method "{method}" cannot use censored values: `{problem.spec.schema.response}`. '
            f"Methods that can: {BAYESIAN}."
        )


def read_rows(problem: Problem, method: str) -> Rows:
    """Returns the rows of the mean's predictor; rows that count zero times are left out.

    Raises:
        FitError: there are not more rows than coefficients, or a column is 0 in all of them.
    """
    response, arrays = problem.training.response, problem.training.predictors[MEAN]
    schema = problem.spec.schema.predictors[0]
    ones = np.ones((len(response["y"]), int(schema.intercept)))
    counts = response.get("weights", np.ones(len(ones)))
    error = response.get("standard_error", np.ones(len(ones)))
    kept = np.flatnonzero(counts > 0)
    rows = Rows(
        y=response["y"][kept],
        matrix=np.hstack([ones, arrays.matrix])[kept],
        names=(INTERCEPT,) * schema.intercept + schema.column_names,
        offset=arrays.offset[kept],
        counts=counts[kept],
        precision=error[kept] ** -2.0,
        known="standard_error" in response,
        kept=kept,
    )
    coefficients = rows.matrix.shape[1]
    if len(kept) < coefficients or (not rows.known and rows.total <= coefficients):
        raise FitError(
            f'method "{method}" needs more rows than coefficients: the {len(kept):,} rows used count '
            f"{rows.total:g} times in all, for {coefficients} coefficient(s). Leave terms out, or use "
            f"a method with priors: {BAYESIAN}."
        )
    empty = [n for n, used in zip(rows.names, np.any(rows.matrix, axis=0), strict=True) if not used]
    if empty:
        raise FitError(
            f"{listing(f'`{name}`' for name in empty)} is 0 in every row that counts (weight > 0), so "
            f'method "{method}" has no data on it. Leave the rows of weight 0 out of the data, or use '
            f"a method with priors: {BAYESIAN}."
        )
    return rows


def prior_note(problem: Problem, method: str) -> tuple[str, ...]:
    """Returns a note where the user gave priors, which frequentist methods do not use."""
    given = sorted(problem.spec.explicit)
    if not given:
        return ()
    named = listing(f"`{name}`" for name in given)
    return (f'method "{method}" uses no priors, so those given ({named}) have no influence.',)


def singular(name: str) -> str:
    """Returns the note on correlations, by their printed name, that are at their boundary."""
    return (
        f"`{name}` is at its boundary (a singular fit): some effects are exact combinations of others, "
        "because the data are too few to tell them apart. Let fewer effects vary, write `||` for "
        'uncorrelated ones, or use "nuts".'
    )


@dataclass(frozen=True, eq=False)
class Estimate:
    """An array of estimates.

    Attributes:
        value: the estimates, shaped as one draw of the array.
        se: their standard errors; NaN where there is none (at a boundary).
        df: degrees of freedom of the reference distribution, one number or one for each estimate;
            infinite for the normal one.
        tested: whether the hypothesis of zero makes sense.
        scale: where the estimate is normal: `identity`, `log` or `atanh`.
    """

    value: np.ndarray
    se: np.ndarray
    df: float | np.ndarray = np.inf
    tested: bool = False
    scale: str = "identity"


def table(spec: ModelSpec, estimates: Mapping[str, Estimate]) -> pd.DataFrame:
    """Returns exact estimates by printed name.

    Args:
        spec: the model.
        estimates: generic name -> estimate.

    Returns:
        Columns `estimate se df tested scale`.
    """
    columns = {
        "estimate": lambda e: e.value,
        "se": lambda e: e.se,
        "df": lambda e: np.full(np.shape(e.value), e.df),
        "tested": lambda e: np.full(np.shape(e.value), e.tested),
        "scale": lambda e: np.full(np.shape(e.value), e.scale),
    }
    out = {}
    for column, pick in columns.items():
        arrays = {name: np.asarray(pick(e))[None, None] for name, e in estimates.items()}
        named = draws_by_name(spec, arrays, groups=True)
        out[column] = {name: array[0, 0] for name, array in named.items()}
    return pd.DataFrame(out)


def normal_draws(
    generator: np.random.Generator, mean: np.ndarray, covariance: np.ndarray, draws: int
) -> np.ndarray:
    """Draws from a normal distribution that may be degenerate; see `standard_draws`.

    Args:
        generator: the source of randomness.
        mean: shape (coef,).
        covariance: shape (coef, coef); a coefficient whose variance is not finite stays at its mean.
        draws: how many.

    Returns:
        Shape (draw, coef).
    """
    variance = np.diag(covariance)
    # in units of standard errors, so that coefficients of very different sizes keep their digits
    unit = np.sqrt(np.where(np.isfinite(variance) & (variance > 0), variance, 0.0))
    alive = np.flatnonzero(unit)
    out = np.tile(np.asarray(mean, dtype=np.float64), (draws, 1))
    if alive.size:
        correlation = covariance[np.ix_(alive, alive)] / np.outer(unit[alive], unit[alive])
        values, vectors = np.linalg.eigh(np.nan_to_num(correlation))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        standard = standard_draws(generator, draws, alive.size)
        out[:, alive] += (standard @ root.T) * unit[alive]
    return out


def standard_draws(generator: np.random.Generator, draws: int, *shape: int) -> np.ndarray:
    """Draws standard normal numbers of which the mean over draws is exactly 0, (draw, *shape).

    Vectors that are short beside the number of draws are turned and scaled so that their covariance
    over draws is exactly the identity. Whatever is linear in estimates then has its exact estimate and
    standard error over draws too.
    """
    z = generator.standard_normal((draws, *shape))
    if draws < 2:
        return z
    z -= z.mean(axis=0)
    size = shape[0] if len(shape) == 1 else draws
    if 4 * size < draws:
        z = np.linalg.solve(np.linalg.cholesky(z.T @ z / (draws - 1)), z.T).T
    return z


def positive_draws(
    generator: np.random.Generator, value: float, relative_error: float, draws: int
) -> np.ndarray:
    """Draws of a positive estimate whose logarithm is normal, shape (1, draw)."""
    spread = relative_error if np.isfinite(relative_error) else 0.0
    return (value * np.exp(spread * standard_draws(generator, draws, 1)[:, 0]))[None]
