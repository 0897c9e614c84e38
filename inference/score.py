"""How well a fit predicts observed responses: likelihood, deviance, pseudo-R2.

    log_likelihood = mean of log p(y | mu)
    deviance       = mean of 2 [log p(y | mu = y) - log p(y | mu)]
    mcfadden       = 1 - log_likelihood / log_likelihood of the null model
    cohen          = 1 - deviance / deviance of the null model

The mean is over rows and neurons; the null model gives each neuron the mean of its scored responses.

Source: the definitions of NeMoS; McFadden (1974); Cohen, Cohen, West and Aiken (2003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import pandas as pd

from ..errors import FitError, OptionError
from ..zoo.compile import observe
from ..zoo.links import LINKS
from .options import choice, flag
from .point import Point, at_point, complete_rows
from .programs import double_precision

if TYPE_CHECKING:
    from .fit import Fit

KINDS = ("log_likelihood", "mcfadden", "cohen", "deviance")
SMALLER_IS_BETTER = ("deviance",)
TINY = 1e-300
"""Stands for a mean of 0, which some distributions refuse."""
SAME = 1e-12
"""Responses that differ by less in log density, relative to the model's, are equal."""


def score(
    fit: Fit,
    kind: str = "log_likelihood",
    data: Any = None,
    per_neuron: bool = False,
    rows: Any = None,
    groups: str = "fitted",
) -> float | pd.Series:
    """Scores a fit at one set of parameter values.

    These are the mode for "map", the estimates for frequentist methods, and the posterior means of
    the natural parameters (coefficients, group effects, sigma, ...) for all others.

    Args:
        fit: the fit.
        kind: `log_likelihood` (mean of a row, with all constants such as log y!), `mcfadden` (0 for the
            null model; of use for counts and yes or no, where log p is not positive), `cohen` (0 for
            the null model, at best 1), or `deviance` (mean of a row, scaled: of a normal response
            (y - mu)^2 / sigma^2).
        data: data to score, which hold the response too; None for the training rows.
        per_neuron: whether to score each neuron alone.
        rows: labels (obs) of the rows to score; None for all. Rows of which a predictor or the
            response is missing are left out otherwise; here they are an error, so that fits with
            different windows are compared on the same rows.
        groups: "fitted", or "population", which sets group effects to 0.

    Returns:
        A number; with `per_neuron` a Series by neuron, where one without differing responses has
        NaN for the two R2. Rows count as often as `weighted(y, w)` says.

    Raises:
        FitError: the score is not defined for the family, for equal responses, or for censored
            responses.
        OptionError: an unknown kind, rows that cannot be scored, or `per_neuron` without neurons.

    Example:
        >>> import bayeszoo as bz
        >>> data, truth = bz.datasets.lnp_cell(bins=500)
        >>> fit = bz.fit("spikes ~ stim", data, family="poisson", method="map", progress=False)
        >>> round(fit.score(), 3), round(fit.score("cohen"), 3)
        (-0.359, 0.027)
    """
    choice("kind", kind, KINDS)
    neurons = fit.model.spec.schema.neurons
    if flag("per_neuron", per_neuron) and neurons is None:
        raise OptionError(
            "per_neuron= is for responses of two dimensions; "
            f"`{fit.model.spec.schema.response}` has one."
        )
    wanted = None if rows is None else np.asarray(rows)
    point = at_point(fit, data, wanted, groups)
    if wanted is not None:
        complete_rows(point, wanted)
    values = score_point(point, kind, per_neuron)
    if not per_neuron or neurons is None:
        return float(values)
    return pd.Series(values, pd.Index(list(neurons.labels), name=neurons.dim), name=kind)


def score_point(point: Point, kind: str, per_neuron: bool = False) -> np.ndarray:
    """Returns a score of all rows, or of each neuron's, shape () or (neuron,)."""
    weights = np.broadcast_to(point.response.get("weights", np.ones(1)), (1, *point.y.shape))[0]
    axis = 0 if per_neuron else None

    def mean(logs: np.ndarray) -> np.ndarray:  # densities are weighted already
        return np.sum(logs, axis=axis) / np.sum(weights, axis=axis)

    model = mean(point.log_prob())
    if kind == "log_likelihood":
        return model
    null = mean(point.log_prob(mu=null_mu(point, weights)))
    if kind == "mcfadden":
        return _explained(kind, model, null)
    best = mean(point.log_prob(mu=saturated_mu(point)))
    return 2 * (best - model) if kind == "deviance" else _explained(kind, best - model, best - null)


def _explained(kind: str, left: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The explained share; NaN for neurons whose responses do not differ."""
    same = np.abs(whole) <= SAME * np.abs(left)
    if np.ndim(whole) == 0 and same:
        raise FitError(
            f'"{kind}" is the share of differences between responses that the model explains, but all '
            'responses are equal. Use "log_likelihood" or "deviance", or other rows.'
        )
    return np.where(same, np.nan, 1 - left / np.where(same, 1.0, whole))


def null_mu(point: Point, weights: np.ndarray) -> np.ndarray:
    """Returns the parameter mu at which the mean response is the observed one, (1, 1[, neuron]).

    Raises:
        FitError: responses are censored.
    """
    _refuse_censored(point)
    unit = point.mean(mu=np.ones((1,) * (point.y.ndim + 1)))
    total = np.sum(weights * point.y, axis=0) / np.sum(weights * unit, axis=0)
    return np.asarray(total)[None, None]


def saturated_mu(point: Point) -> np.ndarray:
    """Returns mu with one value per response, so that each mean is the response itself.

    Raises:
        FitError: a response is not most likely there, so that the deviance is not defined.
    """
    _refuse_censored(point)
    unit = point.mean(mu=np.ones((1,) * (point.y.ndim + 1)))
    mu = (point.y / unit)[None]
    mu[mu == 0] = TINY
    with double_precision():
        slope = np.asarray(jax.grad(lambda m: _total(point, m))(mu)) * mu
    low, high = LINKS[point.structure.predictors[0].link].bounds
    inside = (mu > low) & (mu < high) & (np.abs(mu) > TINY)
    if (np.abs(slope[inside]) > 1e-6).any():
        raise FitError(
            f"the deviance (and Cohen's R2) of family `{point.structure.family.name}` is not defined: "
            "a response is not most likely where its mean is the response itself. Use "
            '"log_likelihood" or "mcfadden".'
        )
    return mu


def _total(point: Point, mu: Any) -> Any:
    values = {**point.values, "mu": mu}
    distribution = observe(point.structure.family, values, point.response)
    return distribution.log_prob(point.response["y"]).sum()


def _refuse_censored(point: Point) -> None:
    if "status" in point.response:
        raise FitError(
            "the response is censored, so its mean, which the null and the saturated model need, is "
            'not observed. Use "log_likelihood".'
        )
