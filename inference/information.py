"""LOO and WAIC in blocks of rows, so that the array of draws times rows never exists as a whole.

    elpd_loo  = sum_i log p(y_i | all other rows), by Pareto-smoothed importance sampling
    elpd_waic = sum_i [log mean_s p(y_i | theta_s) - var_s log p(y_i | theta_s)]

Source: Vehtari, Gelman and Gabry (2017), Stat. Comput. 27:1413; Watanabe (2010), JMLR 11:3571;
Paananen et al. (2021), Stat. Comput. 31:16 (moment matching).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..errors import OptionError
from .evaluate import BLOCK, log_likelihood_blocks
from .idata import load_arviz, posterior_dataset, row_coordinates
from .options import choice, flag, number, whole
from .psis import leave_one_out, tail_length

if TYPE_CHECKING:
    from .fit import Fit

SCALES = {"log": 1, "negative_log": -1, "deviance": -2}
WAIC_LIMIT = 0.4
"""Where the log density of a row varies more than this, WAIC may fail."""


def loo(
    fit: Fit,
    pointwise: bool | None = None,
    reff: float | None = None,
    scale: str | None = None,
    block: int = BLOCK,
    moment_match: bool = False,
    refit: bool = False,
    seed: int = 0,
) -> Any:
    """Returns the leave-one-out cross-validation by Pareto-smoothed importance sampling.

    Importance sampling fails for rows without which the posterior is another one: their Pareto k is
    above `good_k`. Moment matching moves the draws to where that posterior is; a refit finds it.

    Args:
        fit: a fit with draws.
        pointwise: whether to keep `loo_i` and `pareto_k` of every row; by default as ArviZ's settings
            say.
        reff: how many independent draws one draw is worth; by default the mean over all parameters
            (1 for draws that are independent).
        scale: `log`, `negative_log` or `deviance`; by default as ArviZ's settings say.
        block: numbers (draws x rows) held at a time.
        moment_match: whether to match moments where k is bad, for fits by Markov chains.
        refit: whether to fit the model anew without each row whose k is (still) bad; exact, its k is 0.
        seed: of refits.

    Returns:
        ArviZ's ELPDData, with the numbers of `arviz.loo`; and `note`, which says what was done, where
        bad rows were to be mended.

    Raises:
        OptionError: the method gives a single estimate, there is one draw, or an unknown scale.
        FitError: moments cannot be matched; the message says why.
    """
    flag("moment_match", moment_match)
    flag("refit", refit)
    whole("seed", seed, 0)
    _check(pointwise, scale, block)
    samples = sample_count(fit, "loo")
    worth = efficiency(fit) if reff is None else number("reff", reff, 0.0, np.inf)
    tail = tail_length(samples, worth)
    density, each, k = _by_row(
        fit, lambda logs: (_log_mean(logs), *leave_one_out(logs, tail)), block
    )
    good = float(min(1 - 1 / np.log10(samples), 0.7))
    note = ""
    if moment_match or refit:
        from .comparison.mending import mend

        each, k, note = mend(fit, each, k, good, worth, moment_match, refit, seed)
    shape = xr.DataArray(k, name="pareto_shape", **_labels(fit))
    penalty = float(density.sum() - each.sum())
    failed = bool(np.any(k > good))
    fit.pareto = (k, good)
    out = _result("loo", fit, each, penalty, failed, pointwise, scale, {"pareto_k": shape})
    out["good_k"] = good
    if note:
        out["note"] = note
    return out


def waic(
    fit: Fit, pointwise: bool | None = None, scale: str | None = None, block: int = BLOCK
) -> Any:
    """Returns the widely applicable information criterion.

    Args:
        fit: a fit with draws.
        pointwise: whether to keep `waic_i` of every row; by default as ArviZ's settings say.
        scale: `log`, `negative_log` or `deviance`; by default as ArviZ's settings say.
        block: numbers (draws x rows) held at a time.

    Returns:
        ArviZ's ELPDData, with the numbers of `arviz.waic`.

    Raises:
        OptionError: the method gives a single estimate, there is one draw, or an unknown scale.
    """
    _check(pointwise, scale, block)
    sample_count(fit, "waic")
    density, spread = _by_row(fit, lambda logs: (_log_mean(logs), logs.var(axis=1)), block)
    failed = bool(np.any(spread > WAIC_LIMIT))
    return _result("waic", fit, density - spread, float(spread.sum()), failed, pointwise, scale, {})


def _check(pointwise: bool | None, scale: str | None, block: int) -> None:
    if pointwise is not None:
        flag("pointwise", pointwise)
    if scale is not None:
        choice("scale", scale, tuple(SCALES))
    whole("block", block, 1)


def sample_count(fit: Fit, criterion: str) -> int:
    """Returns the number of draws; refuses fits that have no spread."""
    samples = int(np.prod(np.shape(next(iter(fit.draws.natural.values())))[:2]))
    if fit.backend.point or samples < 2:
        found = "one estimate" if fit.backend.point else "one draw"
        raise OptionError(
            f'{criterion}() needs draws, but method "{fit.method}" gave {found}. Fit by "nuts", "svi" '
            'or "laplace".'
        )
    return samples


def efficiency(fit: Fit) -> float:
    """Returns how many independent draws a draw is worth, on average over all parameters."""
    natural = fit.draws.natural
    chains, draws = np.shape(next(iter(natural.values())))[:2]
    if chains == 1 or not fit.backend.sampled:
        return 1.0
    arviz = load_arviz()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sizes = arviz.ess(posterior_dataset(fit.model.spec, natural), method="mean")
    every = np.concatenate([np.ravel(array.to_numpy()) for array in sizes.data_vars.values()])
    return float(every.mean() / (chains * draws))


def _by_row(
    fit: Fit, summarise: Callable[[np.ndarray], tuple[np.ndarray, ...]], block: int
) -> tuple[np.ndarray, ...]:
    """Summarises the log-likelihood (row, sample) of every row or cell: arrays (obs[, neuron])."""
    model, parts = fit.model, []
    pieces = log_likelihood_blocks(model.spec.structure, model.design, fit.draws.natural, block)
    for _, logs in pieces:
        parts.append(summarise(logs.reshape(-1, logs.shape[-1])))
    shape = model.design.response["y"].shape
    return tuple(np.concatenate(part).reshape(shape) for part in zip(*parts, strict=True))


def _log_mean(logs: np.ndarray) -> np.ndarray:
    """Returns the log of the mean density of every row."""
    top = logs.max(axis=1)
    with np.errstate(all="ignore"):
        terms = logs - top[:, None]
        return np.log(np.exp(terms, out=terms).mean(axis=1)) + top


def _labels(fit: Fit) -> dict[str, Any]:
    """Returns the dimensions and coordinates of what is known of every row or cell."""
    dims, coords = row_coordinates(fit.model.spec.schema, fit.model.design)
    return {"dims": dims, "coords": {dim: coords[dim] for dim in dims}}


def _result(
    name: str,
    fit: Fit,
    each: np.ndarray,
    penalty: float,
    failed: bool,
    pointwise: bool | None,
    scale: str | None,
    kept: dict[str, Any],
) -> Any:
    """Lays a criterion out as ArviZ does; `kept` goes beside the values of single rows."""
    arviz = load_arviz()
    settings = arviz.rcParams
    scale = scale or str(settings["stats.ic_scale"])
    values = SCALES[scale] * each
    entries = {
        f"elpd_{name}": values.sum(),
        "se": np.sqrt(values.size * values.var()),
        f"p_{name}": penalty,
        "n_samples": sample_count(fit, name),
        "n_data_points": values.size,
        "warning": failed,
    }
    if settings["stats.ic_pointwise"] if pointwise is None else pointwise:
        entries[f"{name}_i"] = xr.DataArray(values, name=f"{name}_i", **_labels(fit))
        entries |= kept
    entries["scale"] = scale
    return arviz.ELPDData(data=list(entries.values()), index=list(entries))
